"""A film of filters: its frames, its files, and what it says of itself."""

import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course.looking.film import film as film_of
from transferkit.errors import UsageError
from transferkit.gabor.tiles import filter_tiles, order_filters

HISTORY = {epoch: np.random.default_rng(epoch).normal(size=(9, 3, 7, 7)) for epoch in (0, 1, 4)}


def test_there_is_a_frame_for_each_epoch_and_filters_stand_where_they_end() -> None:
    film = film_of(HISTORY, "conv1 of baseA")
    assert len({frame.shape for frame in film.frames}) == 1
    assert len(film.frames) == 3
    assert film.alt == "The 9 filters of conv1 of baseA from epoch 0 to 4, in fixed places."
    order = order_filters(filter_tiles(HISTORY[4]))
    for frame, weights in zip(film.frames, HISTORY.values(), strict=True):
        first = np.round(255 * filter_tiles(weights)[order[0]])
        assert any(_holds(frame, first, scale) for scale in range(6, 20))


def _holds(frame: np.ndarray, tile: np.ndarray, scale: int) -> bool:
    """Whether the tile stands enlarged at the left below the line of text."""
    shown = tile.repeat(scale, axis=0).repeat(scale, axis=1)
    corner = frame[30 : 30 + len(shown), : len(shown)]
    return corner.shape == shown.shape and np.array_equal(corner, shown)


@pytest.mark.parametrize("name", ["film.webp", "film.GIF"])
def test_it_is_saved_as_a_film_that_repeats_and_rests_on_the_last_frame(tmp_path: Path, name: str) -> None:
    path = film_of(HISTORY).save(tmp_path / name)
    with Image.open(path) as film:
        assert getattr(film, "n_frames", 1) == 3
        assert film.info["loop"] == 0
        film.seek(2)
        film.load()
        assert film.info["duration"] >= 3000
    assert path.read_bytes() == film_of(HISTORY).save(tmp_path / name).read_bytes()


def test_it_shows_itself_and_other_endings_and_no_epoch_are_refused(tmp_path: Path) -> None:
    bundle, _ = film_of(HISTORY, 'a "b"')._repr_mimebundle_()
    assert 'alt="The 9 filters of a &quot;b&quot;' in bundle["text/html"]
    held = bundle["text/html"].split("base64,")[1].split('"')[0]
    assert Image.open(io.BytesIO(b64decode(held))).format == "WEBP"
    with pytest.raises(UsageError, match="end in .webp or .gif"):
        film_of(HISTORY).save(tmp_path / "film.mp4")
    with pytest.raises(UsageError, match="no epoch"):
        film_of({})
