"""What is inside the garment, drawn part by part: torso and legs of people, mannequins and dress forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.photos.arrays import Colour, Image, Points
from training.photos.canvas import BODY, OTHER, Canvas, Cover
from training.photos.colours import (
    clipped,
    cloth_colour,
    hair_colour,
    mannequin_colour,
    quiet_colour,
    skin_colour,
)
from training.photos.framing import Framing
from training.photos.outlines import edged, ellipse, mirrored, spline, tube
from training.photos.poses import (
    ANKLE_Y,
    CHEST_Y,
    CROTCH_Y,
    HIP_Y,
    SHOULDER_Y,
    WAIST_Y,
    Arm,
    Build,
    Pose,
    Wearer,
)
from training.photos.shading import Surface, lit
from training.photos.textures import grain


@dataclass
class Model:
    """Who stands there, and how the camera sees it. `weave`: how coarse its linen is (0: a shell)."""

    rng: np.random.Generator
    canvas: Canvas
    framing: Framing
    build: Build
    pose: Pose
    wearer: Wearer
    skin: Colour
    hair: Colour
    has_head: bool
    gloss: float
    weave: float
    calm: bool

    @property
    def stands(self) -> bool:
        """Somebody or something fills the garment."""
        return self.wearer not in (Wearer.HANGER, Wearer.FLAT)

    def cover(self, *outlines: Points) -> Cover:
        """The cover of outlines in heads."""
        ends = np.cumsum([len(outline) for outline in outlines])[:-1]
        return self.canvas.cover(np.split(self.framing.project(np.concatenate(outlines)), ends))

    def front(self, *outlines: Points) -> Cover:
        """The cover of outlines that lie on the front of the chest."""
        return self.cover(*(self.framing.fronted(outline) for outline in outlines))

    def paint(self, cover: Cover, colour: Colour, surface: Surface | None = None, label: int = BODY) -> None:
        """Lay a lit part of the body over the figure, where the camera sees any of it."""
        if not cover.values.size:
            return
        surface = surface or Surface(0.7 if self.gloss else 0.5, gloss=self.gloss)
        picture = lit(self.rng, cover, colour, self.framing.unit, surface)
        self.canvas.paint(cover, picture, label)

    def forearm(self, arm: Arm) -> Image:
        """A field over the canvas: 0 at the upper arm, 1 from the elbow on; parted where the arm bends."""
        shoulder, elbow, wrist, _ = self.framing.project(arm.joints)
        upper, fore = elbow - shoulder, wrist - elbow
        along = upper / (np.hypot(*upper) + 1e-6) + fore / (np.hypot(*fore) + 1e-6)
        rows, columns = np.mgrid[0 : self.canvas.height, 0 : self.canvas.width].astype(np.float32)
        ahead = (columns - elbow[0]) * along[0] + (rows - elbow[1]) * along[1]
        return np.asarray(np.clip(ahead / np.float32(self.framing.unit * 0.08) + 1, 0, 1), np.float32)

    def shell(self, cover: Cover, shade: float = 1.0, surface: Surface | None = None) -> None:
        """Lay a part in the colour and make of the body."""
        colour = self.skin * np.float32(shade)
        if self.weave and cover.values.size:
            thread = grain(self.rng, cover.shape, max(1.0, self.framing.unit / 260))
            colour = colour * (1 + thread[..., None] * np.float32(self.weave))
        self.paint(cover, colour, surface)


def draw_model(
    rng: np.random.Generator,
    canvas: Canvas,
    framing: Framing,
    build: Build,
    pose: Pose,
    wearer: Wearer,
    *,
    calm: bool,
) -> Model:
    """Colours, head and make for this wearer."""
    person = wearer is Wearer.PERSON
    linen = wearer is Wearer.FORM and rng.random() < 0.6
    skin = skin_colour(rng) if person else mannequin_colour(rng)
    if linen and rng.random() < 0.8:
        skin = clipped(np.array([0.85, 0.79, 0.69]) * rng.uniform(0.65, 1.12))
    return Model(
        rng=rng,
        canvas=canvas,
        framing=framing,
        build=build,
        pose=pose,
        wearer=wearer,
        skin=skin,
        hair=hair_colour(rng),
        has_head=person or (wearer is Wearer.MANNEQUIN and rng.random() < 0.5),
        gloss=0.0 if person or linen else float(rng.choice([0.0, rng.uniform(0.05, 0.22)])),
        weave=float(rng.uniform(0.01, 0.03)) if linen else 0.0,
        calm=calm,
    )


def paint_body(model: Model) -> None:
    """Torso, legs and feet; nothing on a hanger or where the garment lies flat."""
    if not model.stands:
        return
    build = model.build
    low = (
        CROTCH_Y + 0.05
        if model.wearer is not Wearer.FORM
        else model.rng.uniform(HIP_Y + 0.12, CROTCH_Y + 0.1)
    )
    half = [
        [0.22, SHOULDER_Y - 0.24],
        [build.shoulder * 0.55, SHOULDER_Y - 0.1],
        [build.shoulder * 0.92, SHOULDER_Y + 0.04],
        [build.shoulder * 0.94, SHOULDER_Y + 0.3],
        [build.chest, CHEST_Y],
        [build.waist, WAIST_Y],
        [build.hip, HIP_Y],
        [build.hip * 0.93, low],
    ]
    if model.wearer is not Wearer.FORM:
        _paint_legs(model)
    model.shell(model.cover(edged(half, 0.08)))
    if model.weave:
        _paint_seams(model, low)


def _paint_seams(model: Model, low: float) -> None:
    """A form is sewn: one seam in the middle, one on each side of it."""
    colour = model.skin * np.float32(0.8)
    wide = max(1.0, model.framing.unit * 0.005)
    for side in (-1, 0, 1):
        line = spline([[side * 0.45, SHOULDER_Y - 0.1], [side * 0.36, CHEST_Y], [side * 0.26, WAIST_Y],
                       [side * 0.4, low]], closed=False)  # fmt: skip
        line = model.framing.project(model.framing.fronted(line))
        model.canvas.stroke(line, colour, wide, BODY, only=BODY)


def _paint_legs(model: Model) -> None:
    rng, limb = model.rng, model.build.limb
    radii = [0.36 * limb, 0.25 * limb, 0.19 * limb, 0.11 * limb]
    barefoot = model.wearer is Wearer.MANNEQUIN and rng.random() < 0.7
    shoes = quiet_colour(rng) if model.calm else cloth_colour(rng)
    for leg in model.pose.legs:
        calf = leg[1] + (leg[2] - leg[1]) * np.float32(0.45)
        model.shell(model.cover(*tube([leg[0], leg[1], calf, leg[2]], radii)))
        foot = model.cover(_foot(model, leg[2]))
        if barefoot:
            model.shell(foot)
        else:
            model.paint(foot, shoes, Surface(0.8, gloss=float(rng.choice([0.0, 0.2]))), OTHER)


def _foot(model: Model, ankle: Points) -> Points:
    """A shoe that points to the camera, and a little outwards."""
    rng = model.rng
    out = float(np.sign(ankle[0]) or 1.0) * rng.uniform(0.0, 0.14)
    wide, high, long = rng.uniform(0.12, 0.16), rng.uniform(0.0, 0.25), rng.uniform(0.24, 0.36)
    half = mirrored([[wide * 0.85, -high], [wide, 0.08], [wide * 1.05, long * 0.8], [wide * 0.5, long]])
    half[:, 0] += out * np.clip(half[:, 1] / long, 0, 1)
    return spline(half + ankle, 4)


def legs_end(model: Model) -> float:
    """How far down there is something to dress (heads)."""
    return CROTCH_Y if model.wearer is Wearer.FORM else ANKLE_Y


def paint_clips(model: Model) -> None:
    """Clips that take in a garment which is too wide for its form."""
    if model.wearer in (Wearer.FORM, Wearer.MANNEQUIN) and model.rng.random() < 0.06:
        for side in (-1, 1):
            y = model.rng.uniform(CHEST_Y, HIP_Y)
            clip = ellipse((side * model.build.waist * model.rng.uniform(1.0, 1.25), y), 0.07, 0.05, 8)
            model.paint(model.cover(clip), cloth_colour(model.rng))
