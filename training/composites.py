"""Real people off the street in other places: studios, rooms, other streets; some of them as mannequins."""

from __future__ import annotations

import cv2
import numpy as np

from training.cases import UNKNOWN, Case
from training.photos.arrays import Bytes, Image
from training.photos.colours import mannequin_colour, near
from training.photos.scenes import draw_scene
from training.street import HAIR, HEADGEAR, SKIN, UPPER, Street, Target, classes_of, targets

Box = tuple[int, int, int, int]
_HEIGHT = 448
"""Height (px) at which people are put together; the network sees less."""


def street_case(rng: np.random.Generator, street: Street) -> Case | None:
    """A part of the photo as it was taken; None if no garment on it is large enough."""
    chosen = _choose(rng, street.labels)
    if chosen is None:
        return None
    box = _frame(rng, street.labels, chosen, roomy=True)
    left, top, right, bottom = box
    labels = street.labels[top:bottom, left:right]
    return _case(rng, street.rgb[top:bottom, left:right], labels, chosen)


def studio_case(rng: np.random.Generator, street: Street, elsewhere: Street) -> Case | None:
    """The person before another ground, as a shop would show the garment; `elsewhere` lends a street."""
    chosen = _choose(rng, street.labels)
    if chosen is None:
        return None
    rgb, labels = _on_wall(rng, *_shrunk(street, _frame(rng, street.labels, chosen, roomy=False)))
    size = labels.shape[1], labels.shape[0]
    figure: Image = rgb.astype(np.float32) * np.float32(1 / 255)
    if rng.random() < 0.25:
        figure = _bleached(rng, figure, labels == chosen.label)
    if rng.random() < 0.35:
        figure, labels = _as_mannequin(rng, figure, labels)
    ground = _ground(rng, (size[1], size[0]), elsewhere)
    return _case(rng, _pasted(rng, figure, labels, ground), labels, chosen)


def _shrunk(street: Street, box: Box) -> tuple[Bytes, Bytes]:
    left, top, right, bottom = box
    scale = min(1.0, _HEIGHT / (bottom - top))
    size = max(32, round((right - left) * scale)), max(32, round((bottom - top) * scale))
    rgb = cv2.resize(street.rgb[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(street.labels[top:bottom, left:right], size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(rgb, np.uint8), np.asarray(labels, np.uint8)


def _on_wall(rng: np.random.Generator, rgb: Bytes, labels: Bytes) -> tuple[Bytes, Bytes]:
    """Room beside whoever is not cut off there, up to a shop's usual shapes of a picture."""
    height, width = labels.shape
    missing = max(0, round(height * rng.uniform(0.62, 1.0)) - width)
    left = round(missing * rng.uniform(0.3, 0.7))
    room = (0 if labels[:, 0].any() else left, 0 if labels[:, -1].any() else missing - left)
    wide = ((0, 0), room)
    return np.pad(rgb, (*wide, (0, 0))), np.pad(labels, wide)


def _choose(rng: np.random.Generator, labels: Bytes) -> Target | None:
    found = targets(labels)
    return found[int(rng.integers(len(found)))] if found else None


def _case(rng: np.random.Generator, rgb: Bytes, labels: Bytes, chosen: Target) -> Case | None:
    """Without a hint only where the garment is the one that the picture is about by its size."""
    areas = np.bincount(labels.reshape(-1), minlength=64)
    if areas[chosen.label] < 0.02 * labels.size:
        return None
    garments = [target.label for target in targets(labels)]
    leads = all(areas[chosen.label] >= 1.15 * areas[label] for label in garments if label != chosen.label)
    hint = "auto" if leads and rng.random() < 0.6 else chosen.hint
    return Case(rgb, classes_of(labels, chosen.label), np.full(labels.shape, UNKNOWN, np.uint8), hint)


def _frame(rng: np.random.Generator, labels: Bytes, chosen: Target, *, roomy: bool) -> Box:
    """A photographer's frame around the garment: some of the wearer stays, and some room beside."""
    height, width = labels.shape
    rows, columns = _reach(labels == chosen.label)
    all_rows, all_columns = _reach(labels > 0)
    tall, wide = rows[1] - rows[0], columns[1] - columns[0]
    whole = rng.random() < (0.4 if roomy else 0.2)
    high = all_rows[0] if whole else max(all_rows[0], rows[0] - rng.uniform(0.02, 0.5) * tall)
    low = all_rows[1] if whole else min(all_rows[1], rows[1] + rng.uniform(0.02, 0.35) * tall)
    close = roomy and not whole and rng.random() < 0.5
    sides = (columns[0] - 0.1 * wide, columns[1] + 0.1 * wide) if close else all_columns
    play = rng.uniform(0.0, 0.5 if roomy else 0.22, 4) * max(tall, wide)
    left, right = sides[0] - play[0], sides[1] + play[1]
    top, bottom = high - 0.4 * play[2], low + 0.4 * play[3]
    if rng.random() < 0.08:
        left, right = left + 0.25 * wide, right - 0.1 * wide
    return (
        int(np.clip(left, 0, width - 16)), int(np.clip(top, 0, height - 16)),
        int(np.clip(right, left + 16, width)), int(np.clip(bottom, top + 16, height)),
    )  # fmt: skip


def _reach(mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last row, first and last column."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)


def _as_mannequin(rng: np.random.Generator, figure: Image, labels: Bytes) -> tuple[Image, Bytes]:
    """Skin and hair into plastic, linen or wood; now and then without a head."""
    shell = np.isin(labels, (SKIN, HAIR, *HEADGEAR))
    soft = cv2.GaussianBlur(figure.mean(2), (0, 0), rng.uniform(1.5, 4))
    level = float(soft[shell].mean()) if shell.any() else 1.0
    light = np.clip(soft / max(level, 0.05), 0.3, 1.6) ** np.float32(rng.uniform(0.4, 0.9))
    colour = mannequin_colour(rng) * light[..., None]
    if rng.random() < 0.3:
        colour = colour * (1 + rng.normal(0, 0.04, (*labels.shape, 1)).astype(np.float32))
    weight = cv2.GaussianBlur(shell.astype(np.float32), (0, 0), 0.8)[..., None]
    figure = np.asarray(np.clip(figure * (1 - weight) + colour * weight, 0, 1), np.float32)
    labels = np.where(shell, SKIN, labels).astype(np.uint8)
    if rng.random() < 0.55:
        labels = _headless(rng, labels)
    return figure, labels


def _bleached(rng: np.random.Generator, figure: Image, garment: np.ndarray) -> Image:
    """The garment in white or nearly so: before a white wall it is what shops send and colour can't find."""
    tone = figure.mean(2, keepdims=True)
    level = max(0.05, float(np.percentile(tone[garment], 90))) if garment.any() else 1.0
    shade = np.clip(1 - tone / level, -0.05, 1) * np.float32(rng.uniform(0.12, 0.6))
    tint = 1 - np.abs(rng.normal(0, 0.025, 3)).astype(np.float32)
    white = np.clip((rng.uniform(0.86, 1.0) - shade) * tint, 0, 1)
    weight = cv2.GaussianBlur(garment.astype(np.float32), (0, 0), 0.7)[..., None]
    return np.asarray(figure * (1 - weight) + white * weight, np.float32)


def _headless(rng: np.random.Generator, labels: Bytes) -> Bytes:
    """The neck ends in a smooth cut above the clothes."""
    clothes = np.isin(labels, (*UPPER, 14, 35, 46))
    shell = labels == SKIN
    if not clothes.any():
        return labels
    top = int(np.flatnonzero(clothes.any(1))[0])
    neck = np.flatnonzero(shell[max(0, top - 2)])
    if not len(neck):
        return labels
    half = (neck[-1] - neck[0]) / 2 + 1
    columns = np.abs(np.arange(labels.shape[1]) - neck.mean()) / half
    cut = (
        top
        - rng.uniform(0.1, 0.9) * half
        - rng.uniform(-0.3, 0.3) * half * np.sqrt(np.clip(1 - columns**2, 0, 1))
    )
    above = np.arange(labels.shape[0])[:, None] < cut[None]
    return np.where(above & shell, 0, labels).astype(np.uint8)


def _ground(rng: np.random.Generator, size: tuple[int, int], elsewhere: Street) -> Image:
    kind = rng.choice(["white", "studio", "any", "street"], p=[0.45, 0.25, 0.16, 0.14])
    if kind == "white":
        plain = np.empty((*size, 3), np.float32)
        plain[:] = near(rng, np.full(3, rng.uniform(0.86, 1.0)), 0.01)
        fall = np.linspace(0, rng.uniform(-0.08, 0.08), size[0], dtype=np.float32)[:, None, None]
        return np.clip(plain + fall, 0, 1)
    if kind == "street":
        return _borrowed(rng, size, elsewhere)
    return draw_scene(rng, size, bool(kind == "studio"), None)


def _borrowed(rng: np.random.Generator, size: tuple[int, int], elsewhere: Street) -> Image:
    """The wider side of another street photo that shows nobody."""
    columns = np.flatnonzero((elsewhere.labels > 0).any(0))
    first, last = (int(columns[0]), int(columns[-1])) if len(columns) else (elsewhere.labels.shape[1], 0)
    strip = (
        elsewhere.rgb[:, :first] if first > elsewhere.labels.shape[1] - last else elsewhere.rgb[:, last + 1 :]
    )
    if strip.shape[1] < 32:
        return draw_scene(rng, size, False, None)
    ground = cv2.resize(strip, (size[1], size[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(ground, (0, 0), rng.uniform(0.3, 3)), np.float32)


def _pasted(rng: np.random.Generator, figure: Image, labels: Bytes, ground: Image) -> Bytes:
    """Over the ground, with a shadow and the light of the place."""
    mask = (labels > 0).astype(np.float32)
    alpha = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 1.1))
    # A touch inside the outline: what lies on it still shows the street.
    alpha = np.clip((alpha - 0.35) / 0.6, 0, 1)[..., None]
    if rng.random() < 0.5:
        shift = np.array([[1, 0, rng.normal(0, 8)], [0, 1, rng.uniform(-2, 10)]], np.float32)
        shadow = cv2.warpAffine(mask, shift, (mask.shape[1], mask.shape[0]))
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(3, 16))
        ground = ground * (1 - shadow[..., None] * np.float32(rng.uniform(0.05, 0.45)))
    light = np.float32(rng.uniform(0.85, 1.35)) * rng.normal(1, 0.03, 3).astype(np.float32)
    picture = np.clip(figure * light, 0, 1) * alpha + ground * (1 - alpha)
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
