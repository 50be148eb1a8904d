"""The other side of the comparison: rembg's `remove` with a session for our network.

Runs in processes of its own, with rembg on its path (see `bench/engine/rembg.py`). Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from PIL import Image
from rembg import remove  # type: ignore[import-not-found]
from rembg.sessions.base import BaseSession  # type: ignore[import-not-found]


class OurNetwork(BaseSession):  # type: ignore[misc]
    """As rembg's own sessions do it: LANCZOS, normalised in NumPy, minmax, and LANCZOS back.

    Only the tensor's type differs: our network takes whole pixels.
    """

    def predict(self, img: Image.Image, *args: Any, **kwargs: Any) -> list[Image.Image]:
        job = kwargs["job"]
        feeds = self.normalize(img, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), tuple(job["size"]))
        feeds = {
            name: np.rint(tensor.transpose(0, 2, 3, 1) * 255).astype(np.uint8)
            for name, tensor in feeds.items()
        }
        if job["hinted"]:
            feeds["hint"] = np.zeros(1, np.int64)
        found = self.inner_session.run(None, feeds)[0][0, job["garment"]]
        lowest, highest = np.min(found), np.max(found)
        mask = Image.fromarray(((found - lowest) / (highest - lowest) * 255).astype(np.uint8), mode="L")
        return [mask.resize(img.size, Image.Resampling.LANCZOS)]

    @classmethod
    def download_models(cls, *args: Any, **kwargs: Any) -> str:
        return str(kwargs["model_path"])

    @classmethod
    def name(cls, *args: Any, **kwargs: Any) -> str:
        return "mannequin"


def open_session(job: dict[str, Any]) -> OurNetwork:
    """With the options of rembg's `new_session`."""
    options = ort.SessionOptions()
    if threads := int(os.environ.get("OMP_NUM_THREADS", "0")):
        options.inter_op_num_threads = options.intra_op_num_threads = threads
    return OurNetwork("mannequin", options, model_path=job["model"])


def main(job: dict[str, Any]) -> None:
    os.sched_setaffinity(0, job["cores"])
    session = open_session(job)
    photos = [Path(path).read_bytes() for path in job["photos"]]
    remove(photos[0], session=session, job=job)
    print("warm", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    sizes = [len(remove(photos[n % len(photos)], session=session, job=job)) for n in range(job["renders"])]
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if job["masks"]:
        for path, photo in zip(job["photos"], photos, strict=True):
            mask = remove(photo, session=session, only_mask=True, job=job)
            (Path(job["masks"]) / f"{Path(path).stem}.png").write_bytes(mask)
    figures = {
        "images_per_s": job["renders"] / seconds,
        "peak_mib": peak,
        "kib_a_result": sum(sizes) / len(sizes) / 1024,
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
