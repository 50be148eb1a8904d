"""The engine alone: where a photo's milliseconds go, and rembg around the same network beside it."""

from __future__ import annotations

import asyncio

from bench.engine import batches, ours, quality, rembg
from bench.engine.photos import studio_photos

SCENES = 12
ONE_CORE, ALL_CORES = 24, 96
"""Renders for a figure."""


async def run(scenes: int = SCENES, one_core: int = ONE_CORE, all_cores: int = ALL_CORES) -> dict[str, float]:
    return await asyncio.to_thread(figures, scenes, one_core, all_cores)


def figures(scenes: int, one_core: int, all_cores: int) -> dict[str, float]:
    """JPEGs of 1500x2000 px to transparent PNGs of their size, by us and by rembg, in the same run."""
    photos = studio_photos(scenes)
    alone, everywhere = ours.one_core(photos, one_core), ours.all_cores(photos, all_cores)
    peer = rembg.measure(photos, one_core, all_cores)
    return {
        "speedup_one_core": alone.images_per_s / peer.one_core,
        "speedup_all_cores": everywhere.images_per_s / peer.as_shipped,
        "speedup_all_cores_process_a_core": everywhere.images_per_s / peer.process_a_core,
        "images_per_s_one_core": alone.images_per_s,
        "images_per_s_all_cores": everywhere.images_per_s,
        **peer.rates,
        **quality.compare(photos, peer.masks),
        **{f"ms_one_core_{stage}": ms for stage, ms in alone.stages.items()},
        **{f"ms_all_cores_{stage}": ms for stage, ms in everywhere.stages.items()},
        "process_peak_mib": everywhere.peak_mib,
        "rembg_process_peak_mib": peer.peak_mib,
        "kib_a_result": alone.kib_a_result,
        "rembg_kib_a_result": peer.kib_a_result,
        **batches.measure(photos),
    }
