"""Manifests of prepared data sets: doubts are part of them, and what has none is as it was before they existed."""

import hashlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferkit.disk.prepared import MANIFEST, ClassInfo, Manifest, read_manifest, write_manifest
from transferkit.errors import DataError
from transferkit.training.data import Prepared

PLAIN = Manifest("mine", (ClassInfo("oak", True),), 8, (0, 3), (3, 4), "a", "b", {"z": "1", "a": "2"}, {"y": 1, "b": 2})


def test_without_doubts_a_manifest_has_the_bytes_and_the_identity_that_receipts_know(tmp_path: Path) -> None:
    text = (
        '{"name":"mine","classes":[{"name":"oak","natural":true,"parts":[]}],"image_size":8,"train":[0,3],"valid":[3,4],'
        '"source":"a","validation":"b","checksums":{"a":"2","z":"1"},"arguments":{"b":2,"y":1},"format":1}'
    )
    assert PLAIN.checksum() == hashlib.sha256(text.encode()).hexdigest()
    write_manifest(tmp_path, PLAIN)
    assert (tmp_path / MANIFEST).read_bytes() == msgspec.json.format(text.encode(), indent=1) + b"\n"
    assert read_manifest(tmp_path, verify=False) == PLAIN


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=3).map(tuple))
def test_doubts_are_read_back_and_change_the_identity(doubts: tuple[str, ...]) -> None:
    doubted = replace(PLAIN, doubts=doubts)
    assert msgspec.json.decode(doubted.encoded(), type=Manifest) == doubted
    assert doubted.checksum() != PLAIN.checksum()


@pytest.mark.parametrize("count", range(4))
def test_too_few_classes_are_refused_by_the_split_before_anything_is_trained(count: int, tiny_folder: Path) -> None:
    manifest = read_manifest(tiny_folder)
    few = Prepared(tiny_folder, replace(manifest, classes=manifest.classes[:count]))
    with pytest.raises(DataError, match=f"at least 4 classes are needed.* and there are {count}:"):
        few.split("random0")
