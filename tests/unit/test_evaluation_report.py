"""What an evaluation reads, how it adds up, and what it leaves."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from services.inference.pipeline.segment import BODY, GARMENT, OTHER, Hint
from tests.unit.picture_samples import ColourSegmenter, draw_photo, garment_mask
from training.evaluation.labelled import Labelled, drawn_photos, real_photos, street_photos
from training.evaluation.report import document, tables, write
from training.evaluation.scores import Scores, score, summary


def scores(*ious: float) -> list[Scores]:
    """Photos whose mattes have these IoUs."""
    return [Scores(f"photo {n}", "auto", {"matte": {"iou": value}}) for n, value in enumerate(ious)]


def test_means_worst_decile_and_share_of_good_ones() -> None:
    """Of 20 photos the worst two are the worst decile."""
    told = summary(scores(0.1, 0.3, *[1.0] * 8, *[0.9] * 10))["matte"]
    assert told["worst_decile"] == pytest.approx(0.2)
    assert told["good"] == pytest.approx(0.9)
    assert told["iou"] == pytest.approx((0.4 + 8 + 9) / 20)


def test_what_a_truth_does_not_tell_is_in_no_mean() -> None:
    """A mean is over the photos that have the figure."""
    parts = [{"network": {"iou": 1.0, "iou_body": 0.5}}, {"network": {"iou": 1.0}}]
    assert summary([Scores("", "auto", part) for part in parts])["network"]["iou_body"] == 0.5


def test_a_right_answer_scores_high_in_every_part() -> None:
    """The colours of the drawn photo are told apart with ease; the result keeps what it promises."""
    rgb = draw_photo()
    classes = garment_mask(rgb).astype(np.uint8)
    told = score(Labelled("drawn", rgb, classes, (GARMENT, BODY, OTHER), Hint.UPPER), ColourSegmenter())
    assert told.hint == "upper"
    assert min(told.parts[part]["iou"] for part in ("network", "matte")) > 0.95
    assert told.parts["matte"]["leak"] == 0
    assert told.parts["result"]["identical"] == 1
    assert told.parts["result"]["again"] > 0.97
    assert "leak" not in score(Labelled("", rgb, classes, (GARMENT,)), ColourSegmenter(), checks=False).parts


def test_drawn_photos_know_their_alpha() -> None:
    """Each pixel of an edge is partly garment, and the classes go along with it."""
    (photo,) = list(drawn_photos(1, (96, 72)))
    assert photo.alpha is not None
    assert photo.rgb.shape == (96, 72, 3)
    assert ((photo.alpha > 0) & (photo.alpha < 1)).any()
    assert (photo.classes[photo.alpha > 0.5] == GARMENT).all()


def test_real_photos_are_those_with_a_mask(tmp_path: Path) -> None:
    """Read as the pipeline reads them; only the garment is known of them."""
    rgb = draw_photo(60, 80)
    cv2.imwrite(str(tmp_path / "coat.png"), rgb[..., ::-1])
    cv2.imwrite(str(tmp_path / "mask.png"), garment_mask(rgb).astype(np.uint8) * 255)
    manifest = [{"file": "coat.png", "mask": "mask.png"}, {"file": "without.png"}]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (photo,) = list(real_photos(tmp_path))
    assert (photo.rgb == rgb).all()
    assert ((photo.classes == GARMENT) == garment_mask(rgb)).all()
    assert (photo.known, photo.hint) == ((GARMENT,), Hint.AUTO)


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    """It would score nonsense."""
    cv2.imwrite(str(tmp_path / "coat.png"), draw_photo(60, 80))
    cv2.imwrite(str(tmp_path / "mask.png"), np.zeros((60, 80), np.uint8))
    (tmp_path / "manifest.json").write_text(json.dumps([{"file": "coat.png", "mask": "mask.png"}]))
    with pytest.raises(ValueError, match=r"mask\.png has another size than coat\.png"):
        list(real_photos(tmp_path))


def test_street_photos_ask_for_each_garment_by_its_hint(tmp_path: Path) -> None:
    """The largest in one set, the others in another; skin is body and the other garment is other."""
    for folder in ("photos", "labels"):
        (tmp_path / folder).mkdir()
    labels = np.zeros((80, 60), np.uint8)
    labels[10:50, 10:50], labels[50:70, 10:40], labels[0:8, 20:30] = 49, 25, 41
    cv2.imwrite(str(tmp_path / "labels/a.png"), labels)
    cv2.imwrite(str(tmp_path / "photos/a.jpg"), np.full((80, 60, 3), 128, np.uint8))
    (largest,), (other,) = (list(street_photos(tmp_path, largest=which)) for which in (True, False))
    assert (largest.hint, other.hint) == (Hint.UPPER, Hint.LOWER)
    assert (largest.classes[20, 20], largest.classes[60, 20], largest.classes[4, 25]) == (
        GARMENT,
        OTHER,
        BODY,
    )
    assert (other.classes[20, 20], other.classes[60, 20]) == (OTHER, GARMENT)


def test_each_photo_is_kept_for_programs(tmp_path: Path) -> None:
    """JSON and CSV under the set's name, the worst photos first in the table's notes."""
    told = document("street others", "net@1", scores(0.5, 0.25, 0.75))
    write(told, tmp_path)
    kept = json.loads((tmp_path / "street-others.json").read_text())
    assert [photo["name"] for photo in kept["worst"]] == ["photo 1", "photo 0", "photo 2"]
    with (tmp_path / "street-others.csv").open() as file:
        assert [row["matte_iou"] for row in csv.DictReader(file)] == ["0.5", "0.25", "0.75"]
    said = StringIO()
    for table in tables([told]):
        Console(width=80, file=said).print(table)
    assert "photo 1 0.250, photo 0 0.500" in said.getvalue()
