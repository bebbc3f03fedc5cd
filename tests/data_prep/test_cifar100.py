"""CIFAR-100 from archives in the very format that it is published in: tar.gz of pickles of Python 2."""

import io
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_prep.cifar100 import list_cifar100
from data_prep.listing import Fitting, read_table
from data_prep.packing import write_listing
from data_prep.plainpickle import read_pickle
from tests.data_prep.conftest import fill
from transferkit.errors import DataError
from transferkit.manifest import IMAGES, LABELS
from transferkit.splits import make_split

NAMES = sorted(one for row in read_table("cifar100.csv") for one in row["classes"].split())
COUNTS = {"train": 3, "test": 1}  # images a class


def python2_pickle(value: object) -> bytes:
    """What cPickle of Python 2 wrote with protocol 2, for dictionaries, lists, integers, strings and byte arrays."""
    return b"\x80\x02" + _opcodes(value) + b"."


def _opcodes(value: object) -> bytes:
    match value:
        case dict():
            return b"}(" + b"".join(_opcodes(key) + _opcodes(one) for key, one in value.items()) + b"u"
        case list():
            return b"](" + b"".join(map(_opcodes, value)) + b"e"
        case int():
            return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)
        case bytes():
            return b"T" + struct.pack("<i", len(value)) + value  # str of Python 2
        case np.ndarray():
            made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
            shape = b"".join(b"J" + struct.pack("<i", side) for side in value.shape)
            kind = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            return made + b"(K\x01(" + shape + b"t" + kind + b"\x89" + _opcodes(value.tobytes()) + b"tb"
    raise TypeError(value)


def stored(part: str) -> dict[bytes, Any]:
    labels = np.arange(100 * COUNTS[part]) * 7 % 100  # 7 and 100 share no factor: every class equally often
    images = np.random.default_rng(COUNTS[part]).integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    files = [f"{label}.png".encode() for label in labels]
    return {b"filenames": files, b"batch_label": b"x", b"fine_labels": labels.tolist(),
            b"coarse_labels": (labels // 5).tolist(), b"data": images}  # fmt: skip


@pytest.fixture
def contents() -> dict[str, bytes]:
    meta = {b"fine_label_names": [name.encode() for name in NAMES], b"coarse_label_names": [b"x"]}
    return {"meta": python2_pickle(meta)} | {part: python2_pickle(stored(part)) for part in COUNTS}


def archived(path: Path, contents: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.filterwarnings("ignore:numpy.core is deprecated")
def test_the_pickles_of_these_tests_are_real_ones(contents: dict[str, bytes]) -> None:
    loaded = pickle.loads(contents["test"], encoding="bytes")
    assert np.array_equal(loaded[b"data"], stored("test")[b"data"])
    assert loaded[b"fine_labels"] == stored("test")[b"fine_labels"]


def test_images_and_labels_come_out_as_they_went_in(contents: dict[str, bytes], tmp_path: Path) -> None:
    listing = list_cifar100(archived(tmp_path / "cifar-100-python.tar.gz", contents))
    manifest = write_listing(tmp_path / "out", listing, Fitting(32), workers=1)
    assert (manifest.train, manifest.valid) == ((0, 300), (300, 400))
    images, labels = np.load(tmp_path / "out" / IMAGES), np.load(tmp_path / "out" / LABELS)
    for part, rows in (("train", slice(0, 300)), ("test", slice(300, 400))):
        assert np.array_equal(images[rows].reshape(-1, 3072), stored(part)[b"data"])
        assert labels[rows].tolist() == stored(part)[b"fine_labels"]


def test_archive_and_folder_give_the_same(contents: dict[str, bytes], tmp_path: Path) -> None:
    listing = list_cifar100(archived(tmp_path / "c.tar.gz", contents))
    folder = fill(tmp_path / "cifar-100-python", contents)
    assert list_cifar100(folder).fingerprint() == listing.fingerprint()
    assert list_cifar100(tmp_path).fingerprint() == listing.fingerprint()


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
    assert len(set(NAMES)) == 100


def test_pickles_of_python_3_are_read_too(contents: dict[str, bytes]) -> None:
    for protocol in (2, 4):
        found = read_pickle(pickle.dumps(stored("test"), protocol))
        assert np.array_equal(found[b"data"].array(), stored("test")[b"data"])


def test_a_pickle_that_would_run_something_is_refused_and_does_not(tmp_path: Path, contents: dict[str, bytes]) -> None:
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
