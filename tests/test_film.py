"""The film of the README: what its frames show and how long."""

import io
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.film import FRAME, SIZE, WIDTH, Film


class FakePage:
    """A page that is a little brighter in every photograph."""

    def __init__(self) -> None:
        self.taken = 0

    def screenshot(self) -> bytes:
        self.taken += 1
        Image.new("RGB", SIZE, (2 * self.taken,) * 3).save(buffer := io.BytesIO(), "PNG")
        return buffer.getvalue()


@pytest.fixture
def film() -> Film:
    found = Film(FakePage())  # type: ignore[arg-type]
    for number in range(50):
        found.take(f"{number}")
    return found


def test_a_time_lapse_keeps_what_comes_before_and_the_last_frame(film: Film) -> None:
    first, last = film.frames[:10], film.frames[-1]
    film.thin(10, 8)
    assert film.frames[:10] == first
    assert film.frames[-1] is last
    assert len(film.frames) == len(film.milliseconds) == 10 + 9
    film.thin(10, 100)
    assert len(film.frames) == 10 + 9, "few frames stay as they are"


def test_it_is_kept_with_its_times(film: Film, tmp_path: Path) -> None:
    film.thin(0, 4)
    film.take("the end", 3 * FRAME)
    film.save(tmp_path / "film.webp")
    with Image.open(tmp_path / "film.webp") as kept:
        assert kept.size[0] == WIDTH
        assert getattr(kept, "n_frames", 1) == len(film.frames)
