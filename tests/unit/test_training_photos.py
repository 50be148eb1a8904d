"""The generator of training photos."""

import numpy as np
import pytest

from training.evaluation.masks import boundary_f, iou
from training.photos import BODY, GARMENT, sample_photo, training_photo

SIZE = (192, 144)


@pytest.mark.parametrize("photo", [training_photo, sample_photo])
def test_the_same_seed_gives_the_same_picture(photo: object) -> None:
    """So that scores can be compared, and a strange picture be looked at again."""
    assert callable(photo)
    (one, classes, _, _), (again, same, _, _) = photo(5, SIZE), photo(5, SIZE)
    assert np.array_equal(one, again)
    assert np.array_equal(classes, same)
    assert (one.shape, classes.shape, one.dtype) == ((*SIZE, 3), SIZE, np.uint8)


def test_photos_differ_and_hold_all_classes() -> None:
    """Nearly every photo has a garment, and most have somebody in it."""
    classes = [training_photo(seed, SIZE)[1] for seed in range(40)]
    assert len({labels.tobytes() for labels in classes}) == 40
    assert sum((labels == GARMENT).any() for labels in classes) > 36
    assert sum((labels == BODY).any() for labels in classes) > 24
    assert all(set(np.unique(labels)) <= {0, 1, 2, 3} for labels in classes)


def test_a_front_never_lies_in_the_interior_of_its_garment() -> None:
    """Most photos have an interior, small beside the garment; much of it is hidden by the wearer."""
    photos = [training_photo(seed, SIZE) for seed in range(40)]
    opened = [photo for photo in photos if photo.interior.any()]
    assert len(opened) > 30
    assert all(set(np.unique(photo.interior)) <= {0, 1} for photo in photos)
    hidden = sum(((photo.classes == BODY) & (photo.interior == 1)).any() for photo in photos)
    assert hidden > 15
    assert np.mean([photo.interior.mean() for photo in opened]) < 0.2


def test_the_hint_names_the_kind_of_garment() -> None:
    """All three kinds come up."""
    assert {training_photo(seed, SIZE).hint for seed in range(40)} == {"upper", "lower", "full"}


@pytest.mark.parametrize("seed", range(12))
def test_a_sample_photo_shows_a_garment_of_good_size(seed: int) -> None:
    """What the demonstration sends should be worth looking at."""
    share = (sample_photo(seed, SIZE)[1] == GARMENT).mean()
    assert 0.04 < share < 0.75


@pytest.mark.parametrize("seed", range(12))
def test_a_sample_photo_shows_all_of_its_garment_and_knows_its_opening(seed: int) -> None:
    """Nothing is cropped, and the neck or waist that the wearer fills is marked, apart from the front."""
    photo = sample_photo(seed, SIZE)
    garment = photo.classes == GARMENT
    assert not np.concatenate([garment[0], garment[-1], garment[:, 0], garment[:, -1]]).any()
    assert 0 < photo.interior.sum() < 0.1 * garment.sum()
    assert ((photo.classes == BODY) & (photo.interior == 1)).any()


def test_scores_know_right_from_wrong() -> None:
    """A perfect mask scores 1, an empty one 0, and a shifted one less at the boundary than inside."""
    truth = np.zeros((200, 200), bool)
    truth[50:150, 50:150] = True
    shifted = np.roll(truth, 5, axis=1)
    assert [iou(truth, truth)] == boundary_f(truth, truth) == [1]
    assert [iou(np.zeros_like(truth), truth)] == boundary_f(np.zeros_like(truth), truth) == [0]
    assert boundary_f(shifted, truth)[0] < iou(shifted, truth) < 1
