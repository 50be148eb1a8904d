"""Which photos `mannequin engine` takes, what it calls their files, and which options it knows."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from deploy.engine.flags import parsed, with_render_options
from deploy.engine.photos import Names, find_photos
from libs.common.contracts.options import RenderOptions, Rendition

stems = st.sampled_from(
    ["coat", "Coat", "coat-2", "coat.alpha", "coat.thumb", "coat.verdict", "coat-2.alpha"]
)
photos = st.lists(st.tuples(st.sampled_from("abc"), stems, st.sampled_from([".jpg", ".png"])), unique=True)


def touched(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def names(given: list[Path], output: Path, **options: object) -> list[str]:
    asked = RenderOptions.model_validate({"artefacts": True, **options})
    return [named.name for named in Names(output, asked).of(given)]


def test_a_folder_gives_its_pictures(tmp_path: Path) -> None:
    """Not what is hidden, no picture or lies deeper; a file that is named is taken whatever it is called."""
    touched(tmp_path, "b.JPG", "a.png", "notes.txt", ".hidden.jpg", "manifest.json")
    touched(tmp_path / "masks", "a.png")
    (odd,) = touched(tmp_path / "odd", "photo.dat")
    found = find_photos([tmp_path, odd, tmp_path / "a.png"])
    assert [path.name for path in found] == ["a.png", "b.JPG", "photo.dat"]


def test_the_second_of_a_name_is_numbered(tmp_path: Path) -> None:
    """And keeps off a photo that has that number by itself; differences in case are none everywhere."""
    given = [Path("a/coat.jpg"), Path("b/coat.jpg"), Path("c/Coat.png"), Path("c/coat-2.jpg")]
    assert names(given, tmp_path) == ["coat", "coat-3", "Coat-4", "coat-2"]


def test_no_photo_is_overwritten(tmp_path: Path) -> None:
    """Neither by the result of its own, nor by a mask of another photo."""
    given = touched(tmp_path, "coat.png", "hat.jpg", "hat.alpha.png")
    assert names(given, tmp_path) == ["coat-2", "hat-2", "hat.alpha-2"]
    assert names(given[:1], tmp_path, format="webp") == ["coat"]


@given(photos)
def test_no_file_of_one_photo_is_another_s(found: list[tuple[str, str, str]]) -> None:
    """Whatever the photos are called, also after masks and renditions."""
    options = RenderOptions(artefacts=True, renditions=(Rendition(name="thumb"),))
    given = [Path(folder, stem + ending) for folder, stem, ending in found]
    called = [named.name for named in Names(Path("out"), options).of(given)]
    endings = ("png", "verdict.json", "alpha.png", "classes.png", "synthesized.png", "thumb.png")
    files = [f"{name}.{ending}".lower() for name, ending in product(called, endings)]
    assert len(set(files)) == len(files)


def test_every_option_of_a_render_has_a_flag() -> None:
    """The flags are made from the options' one definition; what is not given stays not given."""
    app = typer.Typer()
    asked: list[RenderOptions] = []

    @app.command()
    @with_render_options
    def render(options: RenderOptions) -> None:
        asked.append(options)

    command = typer.main.get_command(app)
    flags = {parameter.name for parameter in command.params}
    assert set(RenderOptions.model_fields) <= flags
    words = ["--no-hollow", "--fill", "0.85", "--format", "jpeg", "--background", "#ffffff"]
    words += ["--renditions", '[{"name": "thumb", "size": 64}]', "--fill-occlusions"]
    command.main(words, standalone_mode=False)
    (options,) = asked
    assert options.model_fields_set == {
        "hollow",
        "fill",
        "format",
        "background",
        "renditions",
        "fill_occlusions",
    }
    assert (options.hollow, options.fill, options.renditions[0].size) == (False, 0.85, 64)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"background": "white"}, "--background"),
        ({"format": "jpeg"}, "jpeg has no transparency"),
        ({"renditions": "[{"}, "no JSON"),
        ({"renditions": '[{"name": "A"}]'}, r"--renditions\.0\.name"),
    ],
)
def test_an_option_that_does_not_fit_is_named(given: dict[str, object], said: str) -> None:
    """As wrong usage, before any photo is read."""
    with pytest.raises(typer.BadParameter, match=said):
        parsed(given)
