"""What a worker makes of a render: objects, an outcome, and a result also without its inside shot."""

from __future__ import annotations

import hashlib

import pytest

from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import BatchId, ChunkId, ImageId
from libs.common.contracts.inference import (
    DETAIL_LENGTH,
    Box,
    Finding,
    ImagesRendered,
    Landmarks,
    RenderedImage,
    RenderItem,
    StoredPhoto,
    Verdict,
)
from libs.common.contracts.options import MAX_RENDITIONS, GarmentChoice, RenderOptions
from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.artefacts import Encoded
from services.inference.pipeline.hollow import Source
from services.inference.pipeline.render import Render
from services.inference.results import Finished
from services.inference.shots import Shots, options_for, render_shots

LARGEST_CHUNK = 64
BROKER_BYTES = 1024 * 1024
ITEM = RenderItem(image_id=ImageId.new(), photo=StoredPhoto(key="k", size=1), result_key="r/x.png")
POINT = (1234.567890123, 2345.678901234)


def rendered(
    *, renditions: int = 0, artefacts: int = 0, findings: int = 0, verdict: Verdict = Verdict.PUBLISHABLE
) -> Render:
    """A render with so many of everything, each as long as it may be."""
    found = Finding(
        code="c" * 64, detail="d" * 2 * DETAIL_LENGTH, box=Box(left=9999, top=9999, width=9999, height=9999)
    )
    return Render(
        result=Encoded("result", b"result", "image/png", 30, 40),
        renditions=tuple(file(f"{n}{'r' * 30}") for n in range(renditions)),
        artefacts=tuple(file(f"artefact-{n}") for n in range(artefacts)),
        verdict=verdict,
        score=0.123456,
        findings=(found,) * findings,
        preserved_fraction=0.987654,
        inner_back=Source.SYNTHESIZED,
        landmarks=Landmarks(**dict.fromkeys(Landmarks.model_fields, POINT)),
        model="mannequin@1",
        photo_size=(3000, 4000),
        attempts=1,
        timings={},
    )


def file(name: str) -> Encoded:
    return Encoded(name, name.encode(), "image/webp", 1, 2)


def test_every_file_lies_beside_the_result_under_a_key_of_its_own() -> None:
    """Also a rendition that is called like an artefact; the result comes last."""
    render = rendered()
    both = Finished.of(
        Render(
            **{name: getattr(render, name) for name in Render.__slots__}
            | {"renditions": (file("alpha"),), "artefacts": (file("alpha"),)}
        )
    )
    assert dict(both.objects("r/x.png")) == {
        "r/x.png.rendition.alpha": b"alpha",
        "r/x.png.artefact.alpha": b"alpha",
        "r/x.png": b"result",
    }
    assert [key for key, _ in both.objects("r/x.png")][-1] == "r/x.png"


def test_an_outcome_tells_all_of_a_render() -> None:
    """Sizes and checksums are those of the files."""
    outcome = Finished.of(rendered(renditions=1, findings=2)).outcome(ITEM, 0.0124)
    assert (outcome.size, outcome.sha256) == (6, hashlib.sha256(b"result").hexdigest())
    assert (outcome.photo_width, outcome.photo_height, outcome.render_ms) == (3000, 4000, 12)
    assert outcome.reasons == ("c" * 64,)
    [rendition] = outcome.renditions
    assert rendition.sha256 == hashlib.sha256(rendition.name.encode()).hexdigest()


def test_the_outcomes_of_the_largest_chunk_fit_into_a_message() -> None:
    """With as many files, and more findings, than anybody can ask for."""
    finished = Finished.of(rendered(renditions=MAX_RENDITIONS, artefacts=4, findings=100))
    item = ITEM.model_copy(update={"result_key": "tenants/" + "x" * 140})
    event = ImagesRendered(
        chunk_id=ChunkId.new(),
        batch_id=BatchId.new(),
        worker="w" * 64,
        outcomes=(finished.outcome(item, 99.9),) * LARGEST_CHUNK,
    )
    envelope = Envelope.of(event, source="inference")
    assert len(envelope.data) + 4096 < BROKER_BYTES
    assert isinstance(envelope.open(), ImagesRendered)


def test_an_image_may_be_of_another_garment_than_its_chunk() -> None:
    """All other options are the chunk's."""
    options = RenderOptions(garment=GarmentChoice.TOP, size=100)
    dress = ITEM.model_copy(update={"garment": GarmentChoice.DRESS})
    assert options_for(ITEM, options) == options
    assert options_for(dress, options) == RenderOptions(garment=GarmentChoice.DRESS, size=100)


class Renderer:
    """Can't use inside shots, nor fronts that are bad."""

    def __init__(self, verdict: Verdict = Verdict.PUBLISHABLE) -> None:
        self._verdict = verdict

    def __call__(self, photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
        if photo == b"bad" or inside == b"bad":
            raise PictureRefused(RefusalCode.CORRUPT, "The picture is damaged.")
        return rendered(verdict=self._verdict)


@pytest.mark.parametrize(
    "shots", [Shots(b"good", b"bad"), Shots(b"good", lost="The picture is damaged.")], ids=["bad", "lost"]
)
@pytest.mark.parametrize(
    ("verdict", "expected"),
    [(Verdict.PUBLISHABLE, Verdict.REVIEW), (Verdict.REJECTED, Verdict.REJECTED)],
)
def test_an_inside_shot_that_is_no_good_costs_a_look_and_no_result(
    shots: Shots, verdict: Verdict, expected: Verdict
) -> None:
    """The finding says what was wrong with it."""
    render = render_shots(Renderer(verdict), shots, RenderOptions())
    assert render.verdict is expected
    assert [finding.code for finding in render.findings] == ["inside_unusable"]
    assert "The picture is damaged." in render.findings[0].detail


@pytest.mark.parametrize("shots", [Shots(b"good"), Shots(b"good", b"good")])
def test_good_shots_are_rendered_as_they_are(shots: Shots) -> None:
    """Nothing is found."""
    assert not render_shots(Renderer(), shots, RenderOptions()).findings


@pytest.mark.parametrize("inside", [None, b"good", b"bad"])
def test_a_bad_front_is_refused_whatever_its_inside_shot(inside: bytes | None) -> None:
    """There is nothing to show."""
    with pytest.raises(PictureRefused):
        render_shots(Renderer(), Shots(b"bad", inside), RenderOptions())


def test_results_survive_the_way_to_the_batch() -> None:
    """An outcome that was saved is read again as it was (a redelivered chunk does so)."""
    outcome = Finished.of(rendered(renditions=2, artefacts=1, findings=1)).outcome(ITEM, 1)
    assert RenderedImage.model_validate(outcome.model_dump(mode="json")) == outcome


def test_another_render_of_the_same_image_overwrites_nothing() -> None:
    """A worker that comes late, with another model, stores its own objects beside those that are recorded."""
    first, again, other = (Finished.of(rendered(renditions=count)) for count in (1, 1, 2))
    assert first.key(ITEM) == again.key(ITEM)
    assert first.key(ITEM) != other.key(ITEM)
    assert first.outcome(ITEM, 1.0).result_key == first.key(ITEM)
    assert first.key(ITEM).startswith("r/x.")
    assert first.key(ITEM).endswith(".png")
