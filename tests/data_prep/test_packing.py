"""Packing: the same bytes for any number of processes, bad pictures set aside with reasons."""

import math
import os
import tracemalloc
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_prep.folder import list_folder
from data_prep.listing import Fitting, Item, Listing
from data_prep.packing import most_bad, write_listing
from data_prep.pictures import Decoded
from data_prep.rendering import CHANGED, SET_ASIDE
from tests.data_prep.conftest import fill, jpeg, saved
from tests.data_prep.flat import FITTING, Flat, content, flat, rows
from transferkit.disk.prepared import CONTACT_SHEET, IMAGES, LABELS, MANIFEST, ClassInfo, read_manifest
from transferkit.errors import DataError, UsageError

pytestmark = pytest.mark.usefixtures("small_chunks")


def test_any_number_of_processes_writes_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    listing = list_folder(tree, "mine")
    written = []
    for workers in (1, 3):
        write_listing(tmp_path / f"out{workers}", listing, FITTING, workers)
        written.append(content(tmp_path / f"out{workers}"))
    assert written[0] == written[1]
    assert set(written[0]) == {IMAGES, LABELS, MANIFEST, CONTACT_SHEET, SET_ASIDE, CHANGED}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_manifest_records_what_was_done(tree: Path, tmp_path: Path) -> None:
    listing = list_folder(tree, "mine")
    manifest = write_listing(tmp_path / "mine", listing, Fitting(8, "squash"), 1)
    assert read_manifest(tmp_path / "mine", verify=True) == manifest
    assert manifest.arguments == {"size": 8, "shape": "squash", "listing": listing.fingerprint(), "valid_share": 0.2}
    assert manifest.name == "mine"


def test_bad_pictures_are_set_aside_and_the_rest_keep_their_labels(tmp_path: Path) -> None:
    listing = flat(300, Flat(broken=(5, 6, 7, 299, 450)))
    manifest = write_listing(tmp_path / "out", listing, FITTING, 1)
    assert rows(tmp_path / "out" / SET_ASIDE) == [
        ("path", "reason"),
        *((str(row), "broken") for row in (5, 6, 7, 299, 450)),
    ]
    kept = [row for row in range(600) if row not in (5, 6, 7, 299, 450)]
    images, labels = np.load(tmp_path / "out" / IMAGES), np.load(tmp_path / "out" / LABELS)
    assert images[:, 0, 0, 0].tolist() == [row % 256 for row in kept]
    assert labels.tolist() == [row % 2 for row in kept]
    assert (manifest.train, manifest.valid) == ((0, 296), (296, 595))
    assert "Set aside: 5 pictures" in manifest.source


def test_more_than_one_percent_of_bad_pictures_stops_it(tmp_path: Path) -> None:
    write_listing(tmp_path / "just", flat(400, Flat(broken=tuple(range(8)))), FITTING, 1)
    told = r"9 pictures cannot be used, more than the 8 that may be lost of 800 .*out\.set_aside\.csv"
    with pytest.raises(DataError, match=told):
        write_listing(tmp_path / "out", flat(400, Flat(broken=tuple(range(9)))), FITTING, 1)
    assert [row[0] for row in rows(tmp_path / "out.set_aside.csv")] == ["path", *map(str, range(9))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["just", "out.set_aside.csv"]


@given(st.integers(1, 10**7))
def test_a_few_bad_pictures_do_not_stop_a_small_folder(total: int) -> None:
    allowed = math.floor(most_bad(total))
    assert allowed == max(total // 100, min(5, total // 10))
    assert allowed <= total / 10


def test_more_than_one_percent_of_bad_pictures_is_a_doubt(tmp_path: Path) -> None:
    for broken, wanted in (((3,), ()), ((3, 9, 150), ("3 of 200 pictures cannot be used and are left out",))):
        manifest = write_listing(tmp_path / f"out{len(broken)}", flat(100, Flat(broken=broken)), FITTING, 1)
        assert tuple(doubt for doubt in manifest.doubts if "cannot" in doubt) == wanted


def test_few_validation_pictures_are_a_doubt_that_the_manifest_keeps(tmp_path: Path) -> None:
    manifest = write_listing(tmp_path / "out", flat(50), FITTING, 1)
    assert manifest.doubts == (
        "only 50 validation pictures: the accuracy of a half has a standard error of up to 10 points",
    )
    assert read_manifest(tmp_path / "out", verify=True) == manifest
    assert write_listing(tmp_path / "more", flat(200), FITTING, 1).doubts == ()


@pytest.mark.parametrize(("blank", "wanted"), [(3, 0), (4, 1), (199, 1)])
def test_blank_pictures_are_a_doubt(blank: int, wanted: int, tmp_path: Path) -> None:
    manifest = write_listing(
        tmp_path / "out", flat(200, Flat(broken=(0,), blank=tuple(range(1, blank + 1)))), FITTING, 1
    )
    assert len(manifest.doubts) == wanted
    for doubt in manifest.doubts:
        assert doubt == f"{blank} of 399 pictures are of one colour, as 1"


def test_a_class_of_blank_pictures_is_a_doubt(tmp_path: Path) -> None:
    listing = flat(200)
    void = Item("500", 2), Item("501", 2)
    more = replace(
        listing,
        classes=(*listing.classes, ClassInfo("void", False)),
        train=listing.train + void,
        valid=listing.valid + void,
        pictures=Flat(blank=(500, 501)),
    )
    assert write_listing(tmp_path / "out", more, FITTING, 1).doubts == (
        "all pictures of void are of one colour (1 classes)",
    )


def test_blank_pictures_that_are_half_of_all_stop_and_leave_nothing_except_in_a_published_data_set(
    tmp_path: Path,
) -> None:
    listing = flat(200, Flat(blank=tuple(range(200))))
    with pytest.raises(DataError, match="200 of 400 pictures are of one colour, as 0: nothing can be seen in them"):
        write_listing(tmp_path / "out", listing, FITTING, 1)
    assert list(tmp_path.iterdir()) == []
    assert "200 of 400" in write_listing(tmp_path / "out", replace(listing, published=True), FITTING, 1).doubts[0]


@dataclass(frozen=True)
class Scaled:
    """Pictures of noise whose values go from `low` to `high`."""

    low: int
    high: int

    def picture(self, place: str) -> Decoded:
        values = np.random.default_rng(int(place)).integers(self.low, self.high + 1, (8, 8, 3), dtype=np.uint8)
        return Decoded(Image.fromarray(values))


@given(st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=20)
def test_values_that_use_little_of_their_range_are_a_doubt_or_stop(least: int, span: int) -> None:
    low, high = min(least, 255 - span), min(least, 255 - span) + span
    listing = replace(flat(20), pictures=Scaled(low, high))
    with TemporaryDirectory() as name:
        out = Path(name) / "out"
        told = f"the values of all pictures lie between {low} and {high}, of 0 to 255"
        if span < 16:
            with pytest.raises(DataError, match=f"{told}: nothing can be seen"):
                write_listing(out, listing, FITTING, 1)
        else:
            assert (told in write_listing(out, listing, FITTING, 1).doubts) == (span < 63)


def test_every_faulty_picture_is_listed_with_its_reason(tmp_path: Path) -> None:
    files = {f"{name}/{row:03}.jpg": jpeg(row + 500 * i) for i, name in enumerate(("a", "b")) for row in range(250)}
    bad = {"a/empty.jpg": b"", "a/cut.jpg": jpeg(width=300, height=300)[:-400], "b/text.png": b"hello"}
    grey, clear = Image.new("L", (9, 9), 7), Image.new("RGBA", (9, 9), (1, 2, 3, 4))
    odd = {
        "a/grey.png": saved(grey, "PNG"),
        "b/clear.png": saved(clear, "PNG"),
        "b/cmyk.jpg": saved(grey.convert("CMYK"), "JPEG"),
    }
    root = fill(tmp_path / "root", files | bad | odd | {"b/notes.txt": b"x"})
    os.mkfifo(root / "a" / "pipe.jpg")
    write_listing(tmp_path / "out", list_folder(root, "out"), FITTING, 1)
    reasons = dict(rows(tmp_path / "out" / SET_ASIDE)[1:])
    assert set(reasons) == {*bad, "a/pipe.jpg", "b/notes.txt"}
    assert "empty" in reasons["a/empty.jpg"]
    assert "truncated" in reasons["a/cut.jpg"]
    assert "not a regular file" in reasons["a/pipe.jpg"]
    assert dict(rows(tmp_path / "out" / CHANGED)[1:]) == {
        "a/grey.png": "grey to RGB", "b/clear.png": "laid on white", "b/cmyk.jpg": "CMYK to RGB",
    }  # fmt: skip


def test_names_of_any_bytes_can_be_listed(tmp_path: Path) -> None:
    root = fill(
        tmp_path / "root",
        {f"{name}/{row}.jpg": jpeg(row + 100 * i) for i, name in enumerate(("a", "b")) for row in range(9)},
    )
    (root / "a" / "o\udcff.jpg").write_bytes(b"bad")
    write_listing(tmp_path / "out", list_folder(root, "out"), FITTING, 1)
    assert rows(tmp_path / "out" / SET_ASIDE)[1][0] == "a/o\\udcff.jpg"


def test_a_class_that_loses_all_its_pictures_is_named(tmp_path: Path) -> None:
    listing = flat(200)
    few = Listing("few", (*listing.classes, ClassInfo("rare", True)), (*listing.train, Item("900", 2)),
                  (*listing.valid, Item("901", 2)), Flat(broken=(901,)), "", "")  # fmt: skip
    with pytest.raises(DataError, match=r"no validation pictures of rare .* 1 cannot be used: 901: broken"):
        write_listing(tmp_path / "out", few, FITTING, 1)
    assert list(tmp_path.iterdir()) == []


def test_zero_workers_and_sizes_out_of_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        write_listing(tmp_path / "out", flat(50), FITTING, 0)
    for size in (0, 7, 513):
        with pytest.raises(UsageError, match="8 to 512"):
            Fitting(size)


def test_memory_does_not_grow_with_the_data(tmp_path: Path) -> None:
    peaks = []
    for count in (30, 300):
        tracemalloc.start()
        write_listing(tmp_path / str(count), flat(count, Flat(side=128)), Fitting(128), 1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    size = (tmp_path / "300" / IMAGES).stat().st_size
    assert size > 28e6
    assert peaks[1] < peaks[0] + 2e6
