import multiprocessing
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import N_CLASSES, TRAIN_PER_CLASS, VALID_PER_CLASS
from transferkit.disk.prepared import IMAGES, LABELS, MANIFEST, file_checksum, prepared_folder, write_manifest
from transferkit.errors import DataError, UsageError
from transferkit.network.layered import to_input
from transferkit.training.data import (
    Prepared,
    batch_order,
    count_siblings,
    free_memory,
    load_half,
    open_half,
    open_prepared,
    place,
)


def test_a_half_holds_its_own_classes_relabelled_from_zero(tiny_folder: Path) -> None:
    prepared = open_prepared(tiny_folder)
    split = prepared.split("random0")
    labels = np.load(tiny_folder / LABELS)
    images = np.load(tiny_folder / IMAGES)
    for half in ("A", "B"):
        data = load_half(prepared, split, half, "valid")
        assert data.n_classes == N_CLASSES // 2
        assert data.images.shape == (VALID_PER_CLASS * data.n_classes, 3, 48, 48)
        for rank, label in enumerate(split.classes(half)):
            own = images[prepared.manifest.valid[0] :][labels[prepared.manifest.valid[0] :] == label]
            assert np.array_equal(data.images[data.labels == rank].numpy(), own)


def test_images_per_class_keeps_the_first_of_each(tiny_folder: Path) -> None:
    prepared = open_prepared(tiny_folder)
    split = prepared.split("random0")
    few, all_of_them = (load_half(prepared, split, "A", "train", images_per_class=k) for k in (3, None))
    for label in range(few.n_classes):
        assert torch.equal(few.images[few.labels == label], all_of_them.images[all_of_them.labels == label][:3])
    with pytest.raises(DataError, match=f"{TRAIN_PER_CLASS} training images, fewer than the 99"):
        load_half(prepared, split, "A", "train", images_per_class=99)


@given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 3))
def test_batches_are_full_repeat_no_image_and_depend_on_their_keys_alone(n_images: int, size: int, epoch: int) -> None:
    batches = batch_order(n_images, size, "order", epoch)
    assert batches.shape == (n_images // size, size)
    rows = batches.flatten().tolist()
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(range(n_images))
    assert torch.equal(batches, batch_order(n_images, size, "order", epoch))


def test_another_epoch_has_another_order() -> None:
    assert not torch.equal(*(batch_order(100, 10, "order", epoch) for epoch in (0, 1)))


def test_input_is_centred_and_scaled_by_constants() -> None:
    images = torch.tensor([0, 128, 192], dtype=torch.uint8).reshape(1, 3, 1, 1)
    assert to_input(images).flatten().tolist() == [-2, 0, 1]


def test_input_in_bfloat16_is_exact() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_input(pixels, torch.bfloat16).float(), to_input(pixels))


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_a_changed_byte_is_found_by_its_checksum(tiny_folder: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} has checksum .* prepare the data set again"):
        open_prepared(folder)


def test_a_truncated_manifest_and_a_missing_array_are_told(tiny_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    (folder / IMAGES).unlink()
    with pytest.raises(DataError, match="no such file"):
        open_prepared(folder)
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes()[:100])
    with pytest.raises(DataError, match="does not parse"):
        open_prepared(folder)


def test_an_unknown_data_set_is_told_with_those_there_are(tiny_folder: Path) -> None:
    work = tiny_folder.parent.parent
    assert prepared_folder(work, "tiny") == tiny_folder
    assert prepared_folder(work, str(tiny_folder)) == tiny_folder
    with pytest.raises(UsageError, match=r"'nonsense' \(prepared in .*: tiny\)"):
        prepared_folder(work, "nonsense")


def test_images_stay_on_the_disk_where_another_process_has_taken_the_memory_meanwhile(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    emptied: list[bool] = []
    monkeypatch.setattr("transferkit.training.data.in_memory", full)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    prepared = open_prepared(tiny_folder)
    opened = open_half(prepared, prepared.split("random0"), "A", "train")
    placed = place(opened, "cpu")
    assert emptied == [True]
    assert placed.images is opened.images
    assert placed.rows is opened.rows is not None


def test_what_torch_keeps_of_a_gpu_without_using_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 700)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 50)
    assert free_memory("cuda") == 750


def test_workers_part_the_memory_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=600.0))
    assert free_memory("cpu") == 600
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: SimpleNamespace(pid=os.getpid()))
    before = count_siblings()
    others = [subprocess.Popen(["sleep", "60"]) for _ in range(3)]
    try:
        there = count_siblings()
        assert there - before in (2, 3)  # without any other child, the process itself was counted before
        assert free_memory("cpu") == 600 / there
    finally:
        for other in others:
            other.kill()
            other.wait()
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: SimpleNamespace(pid=others[0].pid))
    assert count_siblings() == 1


def touch(folder: Path, name: str, how: str) -> None:
    """Change an array as users do: write into it, put another file in its place, cut it short, or delete it."""
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    if how == "replaced":
        (folder / "other").write_bytes(content)
        (folder / "other").replace(path)
    elif how == "gone":
        path.unlink()
    else:
        path.write_bytes(content if how == "written" else content[:-9])


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("how", ["written", "replaced", "cut", "gone"])
def test_arrays_that_change_after_they_were_opened_are_refused(
    tiny_folder: Path, tmp_path: Path, name: str, how: str
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    prepared = open_prepared(folder)
    prepared.refuse_touched()
    assert prepared.opened_again() is prepared
    touch(folder, name, how)
    with pytest.raises(DataError, match="was changed while networks were trained on it, so these are not kept"):
        prepared.refuse_touched()
    with pytest.raises(DataError, match="prepare the data set again"):
        prepared.opened_again()


def test_a_copy_of_the_same_data_is_verified_and_taken(tiny_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    prepared = open_prepared(folder)
    shutil.copy(tiny_folder / IMAGES, folder / IMAGES)
    found = prepared.opened_again()
    assert found == prepared
    found.refuse_touched()
    assert found.opened_again() is found
    unverified = Prepared(folder, prepared.manifest)
    assert unverified.opened_again().stamp == found.stamp


def test_other_data_in_the_same_folder_are_not_taken_for_these(tiny_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    prepared = open_prepared(folder)
    touch(folder, LABELS, "written")
    checksums = {**prepared.manifest.checksums, LABELS: file_checksum(folder / LABELS)}
    write_manifest(folder, replace(prepared.manifest, checksums=checksums))
    with pytest.raises(DataError, match="prepared anew with other data"):
        prepared.opened_again()


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"no array"])
def test_arrays_that_nobody_verified_and_nobody_can_read_are_told(
    tiny_folder: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    (folder / name).write_bytes(content)
    prepared = open_prepared(folder, verify=False)
    with pytest.raises(DataError, match=f"{name} cannot be read .*: prepare the data set again"):
        open_half(prepared, prepared.split("random0"), "A", "train")
