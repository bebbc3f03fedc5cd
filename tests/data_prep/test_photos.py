"""Photos: random views of places in photographs that installed packages hold."""

import numpy as np
import pytest
from PIL import Image

from data_prep import photos, regions
from data_prep.rendering import Arguments
from transferkit.errors import DataError
from transferkit.splits import make_split


def test_there_are_forty_man_made_and_forty_natural_classes_with_names_of_their_own() -> None:
    classes = photos.rendered(Arguments()).classes
    assert len({one.name for one in classes}) == 80
    assert sum(one.natural for one in classes) == 40


def test_thirty_pairs_of_halves_share_no_photograph() -> None:
    classes = photos.rendered(Arguments()).classes
    natural, groups = [one.natural for one in classes], [one.group for one in classes]
    halves = {make_split(f"apart{number}", natural, groups=groups).half_a for number in range(400)}
    assert len(halves) == 2 * 30


def test_the_same_seed_gives_the_same_bytes_in_any_order() -> None:
    first, second = photos.rendered(Arguments(seed=3)), photos.rendered(Arguments(seed=3))
    drawn = {label: first.draw(label, "train", 4) for label in (0, 50)}
    assert np.array_equal(second.draw(50, "train", 4), drawn[50])
    assert np.array_equal(second.draw(0, "train", 4), drawn[0])
    assert drawn[0].shape == (4, 3, 48, 48)
    assert drawn[0].dtype == np.uint8


def test_another_seed_and_another_part_give_other_bytes() -> None:
    one = photos.rendered(Arguments(seed=0)).draw(7, "train", 4)
    assert not np.array_equal(photos.rendered(Arguments(seed=1)).draw(7, "train", 4), one)
    assert not np.array_equal(photos.rendered(Arguments(seed=0)).draw(7, "valid", 4), one)


def test_a_view_without_variation_is_the_photograph_around_its_place() -> None:
    still = photos.Variation(0, 1, 0, 0, (1, 1), (1, 1), 0, 0)
    photo = np.tile(np.arange(100, dtype=np.float32), (3, 100, 1))  # gray value = x
    levels, room = photos.neighbourhood(photo, (50, 60), 48, still), photos.room_around(photo, (50, 60))
    views = photos.views(levels, room, 48, 8, still, np.random.default_rng(0))
    seen = photos.colour(views, still, np.random.default_rng(0))
    row = np.arange(48) + 26.5  # pixels 26.5 to 73.5: 48 of them around 50
    either = [np.abs(seen[:, 0] - wanted).max(axis=(1, 2)) for wanted in (row, row[::-1])]  # mirrored or not
    assert np.minimum(*either).max() <= 1


@pytest.mark.parametrize("place", [(3, 60), (150, 197), (50, 60)], ids=["left edge", "corner", "inside"])
def test_no_view_reaches_beyond_the_photograph(place: tuple[int, int]) -> None:
    """Marks the border: beyond it lies 1, on the photograph 0. Every view must show 0 everywhere."""
    wild = photos.Variation(0.4, 1.7, 45.0, 0, (1, 1), (1, 1), 0, 0)
    photo = np.zeros((3, 200, 160), dtype=np.float32)
    levels, room = photos.neighbourhood(photo, place, 64, wild), photos.room_around(photo, place)
    middle = levels.shape[-1] // 2
    rows, columns = (np.arange(levels.shape[-1]) - middle + at for at in (place[1], place[0]))
    outside = (rows[:, None] < 0) | (rows[:, None] > 199) | (columns < 0) | (columns > 159)
    seen = photos.views(levels + outside, room, 64, 200, wild, np.random.default_rng(0))
    assert outside.any()
    assert seen.max() <= 1e-6


@pytest.mark.parametrize("photo", regions.PHOTOS, ids=lambda photo: photo.name)
def test_every_place_lies_in_its_photograph(photo: regions.Photo) -> None:
    _, height, width = photo.read().shape
    assert all(0 <= x < width and 0 <= y < height for x, y in photo.places.values())


def test_a_missing_photograph_names_what_to_install() -> None:
    with pytest.raises(DataError, match=r"lost\.png .* install scikit-image"):
        regions.Photo("lost.png", True, 48, {}).read()


def test_an_image_that_is_not_one_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("cannot identify image file")

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(DataError, match="install scikit-learn"):
        next(photo for photo in regions.PHOTOS if photo.name == "flower").read()
