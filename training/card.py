"""What a model's folder says about it: `model.yaml` for the service, `CARD.md` for people, `metrics.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import fill

import yaml

from training.compare import Comparison
from training.export import INPUT
from training.net import CLASSES

VERSION = "2.0.0"
_STREET = (
    "Clothing Co-Parsing (Yang, Luo and Lin, 2014; github.com/bearpaw/clothing-co-parsing, Apache-2.0; the "
    "rights of its photographs are not documented there): people in streets, with labels of 59 classes. Each "
    "tenth photo is held out."
)
_GARMENTS = (
    "clothing-dataset-small (github.com/alexeygrigorev/clothing-dataset-small, CC0): the middles of its "
    "photos, as cloth."
)
_DRAWN = "The project's own procedural photos (`training/photos`), which alone know the interior."


@dataclass(frozen=True)
class Run:
    """What was done to train a model. `parameters` is their number."""

    parameters: int
    pictures: int
    minutes: float
    street: bool
    garments: bool
    device: str

    def sources(self) -> list[str]:
        return [_DRAWN, *([_STREET] if self.street else []), *([_GARMENTS] if self.garments else [])]


def write_card(
    folder: Path, run: Run, files: Mapping[str, Path], found: Mapping[str, Comparison], recommended_cpu: str
) -> None:
    """Writes the three files into the model's folder."""
    metrics = {"run": asdict(run), "precisions": {name: asdict(one) for name, one in found.items()}}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    card = _manifest(run, files, recommended_cpu)
    (folder / "model.yaml").write_text(yaml.safe_dump(card, sort_keys=False, width=110), encoding="utf-8")
    (folder / "CARD.md").write_text(_text(run, found), encoding="utf-8")


def _manifest(run: Run, files: Mapping[str, Path], recommended_cpu: str) -> dict[str, object]:
    return {
        "name": "mannequin",
        "version": VERSION,
        "task": "segmentation",
        "licence": "Apache-2.0",
        "input": {
            "name": "image",
            "layout": "NHWC",
            "dtype": "uint8",
            "colour": "RGB",
            "height": INPUT[0],
            "width": INPUT[1],
            "fit": "letterbox",
        },
        "hint": {"name": "hint"},
        "output": {
            "name": "maps",
            "layout": "NCHW",
            "activation": "none",
            "stride": 2,
            "channels": [*CLASSES, "interior"],
        },
        "recommended": {"cpu": recommended_cpu, "gpu": "fp16"},
        "files": {
            name: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for name, path in files.items()
        },
        "trained_on": f"{run.pictures} pictures: " + " ".join(run.sources()),
    }


def _text(run: Run, found: Mapping[str, Comparison]) -> str:
    rows = "\n".join(
        f"| {name} | {one.megabytes} | {one.largest_difference} | {one.mean_difference} "
        f"| {one.same_class:.4f} | {one.iou:.3f} | {one.ms} |"
        for name, one in found.items()
    )
    sources = "\n".join(fill(f"- {source}", 110, subsequent_indent="  ") for source in run.sources())
    height, width = INPUT
    return f"""# mannequin {VERSION}

Finds the garment that a photo is about. Classes: background, the garment, body (skin, mannequin, hair, stand,
hanger), and other clothing and things; told `upper`, `lower` or `full` it looks for that one. A second map is
the amodal interior: where the inner back would show if the body were taken away.

| | |
| --- | --- |
| network | plain U-Net of 3x3 convolutions, {run.parameters / 1e6:.2f} M parameters |
| input | uint8 NHWC RGB, {height}x{width}, the photo letterboxed |
| hint | int64: 0 auto, 1 upper, 2 lower, 3 full |
| output | softmax over the four classes, then the interior, at {height // 2}x{width // 2} |
| licence | Apache-2.0, as the project |

**Trained** on {run.pictures:,} pictures in {run.minutes:.0f} minutes ({run.device}); AdamW, cosine; the
moving average of the weights is shipped. No foreign weights and no teacher went in.

{sources}

**Precisions**, on held-out letterboxed cases; differences are of probabilities against fp32, IoU is of the
garment, ms are of one core.

| | MB | largest difference | mean difference | same class | IoU | ms |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

The scores on real and held-out photos are those of `make eval`; see the project's README.

**Known to fail.** White garments on white ground lose parts of their outline, thin straps and lace are
coarse, a second garment in the same cloth is taken along, and mirror images can be taken for garments. What
is doubtful is judged `review`.
"""
