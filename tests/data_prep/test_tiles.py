"""`tiles`: the example of a folder of your own pictures."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import data_prep
from data_prep.regions import PHOTOS
from data_prep.tiles import NATURAL, write_tiles
from transferkit.disk.prepared import IMAGES, LABELS, read_manifest


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiles(tmp_path_factory.mktemp("pictures") / "tiles")


def test_tiles_are_the_photograph_cut_without_overlap(pictures: Path) -> None:
    photo = next(photo for photo in PHOTOS if photo.name == "chelsea")
    side, whole = photo.side // 2, photo.read()
    tiles = {path.stem: np.asarray(Image.open(path)) for path in (pictures / "chelsea").iterdir()}
    assert len(tiles) == (whole.shape[1] // side) * (whole.shape[2] // side)
    assert (tiles["02-03"] == whole[:, 2 * side : 3 * side, 3 * side : 4 * side].transpose(1, 2, 0)).all()


def test_every_photograph_is_a_class_and_known_to_be_natural_or_not(pictures: Path) -> None:
    assert {path.name for path in pictures.iterdir()} == {photo.name for photo in PHOTOS}
    named = (pictures.parent / NATURAL).read_text().split()
    assert named == [photo.name for photo in PHOTOS if photo.natural]


def test_what_is_there_is_not_written_again_but_what_a_kill_cut_short_is(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pictures / "coffee" / "00-00.png"
    before = path.stat().st_mtime_ns
    write_tiles(pictures)
    assert path.stat().st_mtime_ns == before
    monkeypatch.setattr("data_prep.tiles.PHOTOS", [photo for photo in PHOTOS if photo.name == "coffee"])
    (tmp_path / "tiles" / "coffee").mkdir(parents=True)
    (tmp_path / "tiles" / "coffee" / "00-00.png").write_bytes(path.read_bytes()[:50])
    write_tiles(tmp_path / "tiles")
    assert (tmp_path / "tiles" / "coffee" / "00-00.png").read_bytes() == path.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["tiles", NATURAL]


def test_the_example_and_any_folder_are_prepared_at_once(pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures.parent, tmp_path / "pictures", copy_function=os.link)
    example = data_prep.ensure_pictures(work=tmp_path)
    own = data_prep.ensure_pictures(pictures, work=tmp_path / "own")
    assert (example.name, read_manifest(example).image_size) == ("tiles", 48)
    assert sum(info.natural for info in read_manifest(example).classes) == 7
    for name in (IMAGES, LABELS):
        assert (example / name).read_bytes() == (own / name).read_bytes()
    assert data_prep.ensure_pictures(work=tmp_path) == example


def test_two_notebooks_that_want_it_at_once_both_get_it(pictures: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as notebooks:
        folders = list(notebooks.map(lambda _: data_prep.ensure_pictures(pictures, work=tmp_path), range(2)))
    assert folders == [tmp_path / "data" / "tiles"] * 2
    assert read_manifest(folders[0], verify=True).name == "tiles"
