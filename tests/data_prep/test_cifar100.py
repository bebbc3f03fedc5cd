"""CIFAR-100 from archives in the format in which it is published: tar.gz of pickles of Python 2."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_prep.cifar100 import list_cifar100
from data_prep.listing import Fitting, read_table
from data_prep.packing import write_listing
from data_prep.plainpickle import read_pickle
from tests.data_prep.conftest import fill
from tests.data_prep.trees import CIFAR_NAMES, archived, cifar100_files, python2_pickle, stored, zipped
from transferkit.disk.prepared import IMAGES, LABELS
from transferkit.errors import DataError
from transferkit.splits import make_split


@pytest.fixture
def contents() -> dict[str, bytes]:
    return cifar100_files()


@pytest.mark.filterwarnings("ignore:numpy.core is deprecated")
def test_the_pickles_of_these_tests_are_real_ones(contents: dict[str, bytes]) -> None:
    loaded = pickle.loads(contents["test"], encoding="bytes")
    assert np.array_equal(loaded[b"data"], stored("test")[b"data"])
    assert loaded[b"fine_labels"] == stored("test")[b"fine_labels"]


def test_images_and_labels_are_those_of_the_archive(contents: dict[str, bytes], tmp_path: Path) -> None:
    listing = list_cifar100(archived(tmp_path / "cifar-100-python.tar.gz", contents))
    manifest = write_listing(tmp_path / "out", listing, Fitting(32), workers=1)
    assert (manifest.train, manifest.valid) == ((0, 300), (300, 400))
    images, labels = np.load(tmp_path / "out" / IMAGES), np.load(tmp_path / "out" / LABELS)
    for part, rows in (("train", slice(0, 300)), ("test", slice(300, 400))):
        assert np.array_equal(images[rows].reshape(-1, 3072), stored(part)[b"data"])
        assert labels[rows].tolist() == stored(part)[b"fine_labels"]


def test_archive_and_folder_give_the_same_listing(contents: dict[str, bytes], tmp_path: Path) -> None:
    listing = list_cifar100(archived(tmp_path / "c.tar.gz", contents))
    folder = fill(tmp_path / "cifar-100-python", contents)
    assert list_cifar100(folder).fingerprint() == listing.fingerprint()
    assert list_cifar100(tmp_path).fingerprint() == listing.fingerprint()
    for below in ("", "cifar-100-python/"):  # as Kaggle packs them
        packed = zipped(
            tmp_path / f"{len(below)}.zip", {f"{below}{name}": one for name, one in (contents | {"x": b""}).items()}
        )
        assert list_cifar100(packed).fingerprint() == listing.fingerprint()


def test_names_are_for_people_and_kinds_follow_the_superclasses(contents: dict[str, bytes], tmp_path: Path) -> None:
    classes = list_cifar100(archived(tmp_path / "c.tar.gz", contents)).classes
    assert classes[1].name == "aquarium fish"
    kinds = {one.name: one.natural for one in classes}
    assert [kinds[name] for name in ("maple tree", "man", "sea", "lamp", "bridge", "tractor")] == [True] * 3 + [
        False
    ] * 3
    split = make_split("natural", [one.natural for one in classes])
    assert (len(split.half_a), len(split.half_b)) == (30, 70)


def test_the_table_has_twenty_superclasses_of_five_classes_with_a_reason() -> None:
    rows = read_table("cifar100.csv")
    assert len({row["superclass"] for row in rows}) == 20
    assert all(len(row["classes"].split()) == 5 and row["why"] for row in rows)
    assert {row["kind"] for row in rows} == {"natural", "man-made"}
    assert len(set(CIFAR_NAMES)) == 100


def test_pickles_of_python_3_are_read_too(contents: dict[str, bytes]) -> None:
    for protocol in (2, 4):
        found = read_pickle(pickle.dumps(stored("test"), protocol))
        assert np.array_equal(found[b"data"].array(), stored("test")[b"data"])


def test_a_pickle_that_would_run_something_is_refused_and_not_run(tmp_path: Path, contents: dict[str, bytes]) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "was-here",)

    for wanted in (Evil(), {b"data": Evil()}):
        with pytest.raises(DataError, match="was not run"):
            read_pickle(pickle.dumps(wanted))
    contents["meta"] = pickle.dumps(Evil())
    with pytest.raises(DataError, match="was not run"):
        list_cifar100(archived(tmp_path / "c.tar.gz", contents))
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize("array", [np.zeros((2, 3072)), np.zeros(3072, np.uint8), np.array([["x"]], object)])
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(DataError, match="not one of bytes in two dimensions|was not run"):
        read_pickle(pickle.dumps({b"data": array}, 2))[b"data"].array()


def test_damaged_and_foreign_archives_are_refused(contents: dict[str, bytes], tmp_path: Path) -> None:
    for part, content, reason in (
        ("train", contents["train"][:1000], "damaged"),
        ("train", python2_pickle([1]), "holds a list"),
        ("test", python2_pickle({b"data": stored("test")[b"data"]}), "holds no fine_labels"),
        ("test", python2_pickle(stored("test") | {b"fine_labels": [200]}), "do not fit"),
        ("meta", python2_pickle({b"fine_label_names": [b"cat"]}), "not the 100"),
    ):
        with pytest.raises(DataError, match=reason):
            list_cifar100(archived(tmp_path / "c.tar.gz", contents | {part: content}))
    with pytest.raises(DataError, match="it needs train, test, meta"):
        list_cifar100(tmp_path)
