"""What files from elsewhere hold beside weights, and what they are instead of weights."""

import argparse
import bz2
import collections
import dataclasses
import datetime
import enum
import gzip
import io
import json
import lzma
import os
import pathlib
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from course.looking.first_layer import read_filters
from transferkit.errors import DataError, TransferkitError
from transferkit.network.foreign_file import read_content

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3, 5, 5)).astype(np.float32)
STATE = {"conv1.weight": torch.from_numpy(WEIGHTS)}


class Phase(enum.Enum):
    LATE = 1


@dataclasses.dataclass
class Config:
    rate: float = 0.1
    phase: Phase = Phase.LATE


class AttributeDict(dict[str, object]):
    pass


def named_function() -> None:
    pass


BESIDE: dict[str, object] = {
    "namespace": argparse.Namespace(lr=0.1, function=named_function, phase=Phase.LATE), "config": Config(),
    "path": pathlib.PurePosixPath("/data"), "scalar": np.float64(71.2), "array": np.arange(3), "default":
    collections.defaultdict(list, a=[1]), "ordered": collections.OrderedDict(a=1), "attributes": AttributeDict(a=1),
    "day": datetime.datetime(2020, 1, 1), "queue": collections.deque([1], 3), "counter": collections.Counter("aab"),
    "set": {1, 2}, "frozen": frozenset([1]), "complex": 1j, "bytes": bytearray(b"a"), "device": torch.device("cpu"),
    "dtype": torch.float32, "generator": np.random.default_rng(0), "loss": torch.nn.CrossEntropyLoss(),
    "keys": {pathlib.PurePosixPath("a"): 1, Phase.LATE: 2}, "objects": np.array([1, "a"], dtype=object),
    "sparse": torch.eye(3).to_sparse(), "version": torch.torch_version.TorchVersion("2.1"),
}  # fmt: skip


@given(st.sets(st.sampled_from(sorted(BESIDE)), min_size=1), st.integers(2, 5), st.booleans())
def test_what_trainers_keep_beside_weights_is_held_and_the_weights_are_read(
    tmp_path_factory: pytest.TempPathFactory, beside: set[str], protocol: int, zipped: bool
) -> None:
    path = tmp_path_factory.mktemp("held") / "a.pth"
    content = {"model": STATE} | {name: BESIDE[name] for name in beside}
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    np.testing.assert_array_equal(read_filters(path).weights, WEIGHTS)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("array", [WEIGHTS, np.asfortranarray(WEIGHTS), WEIGHTS.astype(">f8"), WEIGHTS.astype("f2")])
def test_numpy_arrays_are_weights_with_torch_and_without(tmp_path: Path, array: np.ndarray, protocol: int) -> None:
    path = tmp_path / "a.pkl"
    torch.save({"conv1.weight": array}, path, pickle_protocol=protocol)
    np.testing.assert_array_equal(read_filters(path).weights, array.astype(np.float32))
    path.write_bytes(pickle.dumps({"model": {"conv1.weight": array}}, protocol=protocol))
    np.testing.assert_array_equal(read_filters(path).weights, array.astype(np.float32))
    path.write_bytes(pickle.dumps(STATE, protocol=protocol))
    np.testing.assert_array_equal(read_filters(path).weights, WEIGHTS)


def test_a_zip_packed_again_is_read(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as old, zipfile.ZipFile(tmp_path / "b.pth", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), zipfile.ZIP_DEFLATED)
    np.testing.assert_array_equal(read_filters(tmp_path / "b.pth").weights, WEIGHTS)


class Calls:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object):
        self.calls = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.calls


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("how", ["system", "popen", "exec", "eval", "remove", "replaced"])
def test_what_calls_functions_is_refused_and_not_run(tmp_path: Path, how: str, protocol: int) -> None:
    marker, kept = tmp_path / "it-ran", tmp_path / "kept"
    kept.touch()
    write = f"open({str(marker)!r}, 'w').close()"
    call = {
        "system": Calls(os.system, f"touch {marker}"), "popen": Calls(subprocess.Popen, ["touch", str(marker)]),
        "exec": Calls(exec, write), "eval": Calls(eval, write), "remove": Calls(os.remove, str(kept)),
        "replaced": Calls(os.rename, str(kept), str(marker)),
    }[how]  # fmt: skip
    for write_it in (torch.save, lambda content, path, **how: path.write_bytes(pickle.dumps(content))):
        write_it({"state_dict": STATE, "args": call}, tmp_path / "a.pth", pickle_protocol=protocol)
        with pytest.raises(
            DataError, match=r"carries code.*\((posix|subprocess|builtins)\.\w+\), and none of it was run"
        ):
            read_filters(tmp_path / "a.pth")
    assert kept.exists()
    assert not marker.exists()


def test_stand_ins_do_nothing_whatever_is_done_to_them(tmp_path: Path) -> None:
    torch.save({"a": argparse.Namespace(b=1), "c": Config()}, tmp_path / "a.pth")
    content: Any = read_content(tmp_path / "a.pth")
    assert not isinstance(content["a"], argparse.Namespace)
    assert not isinstance(content["c"], Config)
    assert content["a"] == {}


def _bytes(write: Callable[[Any], object]) -> bytes:
    write(buffer := io.BytesIO())
    return buffer.getvalue()


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


TORCH = _bytes(lambda file: torch.save(STATE, file))
LEGACY = _bytes(lambda file: torch.save(STATE, file, _use_new_zipfile_serialization=False))
INDEX = {
    "weight_map": {"conv1.weight": "model-00001-of-00002.safetensors", "fc.weight": "model-00002-of-00002.safetensors"}
}
FILES: dict[str, tuple[str, bytes, str]] = {
    "lfs": (
        "a.safetensors",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "LFS.*git lfs pull",
    ),
    "page": ("a.pth", b"\n<!DOCTYPE html><html>", "web page.*fetch it again"),
    "index": (
        "a.index.json",
        json.dumps(INDEX).encode(),
        "several files.*of model-00001-of-00002.safetensors, model-0",
    ),
    "empty index": ("a.json", b'{"weight_map": {}}', "several files"),
    "json": ("config.json", b'{"layers": 3}', "JSON.*beside it"),
    "onnx": ("net.bin", b"\x08\x07\x12\x07pytorch", "ONNX.*safetensors.numpy"),
    "keras": ("net.h5", b"\x89HDF\r\n\x1a\n" + b"0" * 64, "HDF5.*Keras.*safetensors.numpy"),
    "keras 3": ("net.keras", _zip(config__json=b"{}", model__weights__h5=b""), "Keras"),
    "npy": ("a.npy", _bytes(lambda file: np.save(file, WEIGHTS)), r"NumPy array \(\.npy\).*safetensors.numpy"),
    "npz": ("a.npz", _bytes(lambda file: np.savez(file, w=WEIGHTS)), r"NumPy arrays \(\.npz\).*safetensors.numpy"),
    "gguf": ("a.bin", b"GGUF\x03\0\0\0", "GGUF"),
    "tensorflow": ("model.ckpt.data-00000-of-00001", b"\x12\x34\x56\x78" * 9, "TensorFlow"),
    "lite": ("a.pth", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
    "caffe": ("net.caffemodel", b"\x0a\x07CaffeNet", "another framework"),
    "gzip": ("a.pth.gz", gzip.compress(TORCH), "compressed archive: unpack"),
    "bzip2": ("a.pth", bz2.compress(TORCH), "compressed archive: unpack"),
    "xz": ("a.pth", lzma.compress(TORCH), "compressed archive: unpack"),
    "zip": ("a.zip", _zip(w__pth=TORCH), "zip archive around w.pth: unpack"),
    "cut": ("a.pth", TORCH[: len(TORCH) // 2], "cut short or damaged PyTorch file: fetch"),
    "cut old": ("a.pth", LEGACY[: len(LEGACY) - 40], "cut short or damaged PyTorch file: fetch"),
    "empty": ("a.pth", b"", "empty file: fetch it again"),
    "text": ("a.pth", b"no weights here\n", "text.*no weights here"),
    "picture": ("a.pth", b"\x89PNG\r\n\x1a\n\0\0", "unknown.*PNG"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_told_for_what_it_is_with_its_own_remedy(tmp_path: Path, name: str) -> None:
    file, content, said = FILES[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=said) as refusal:
        read_filters(tmp_path / file)
    for internal in ("inline_container", "Errno", "PytorchStreamReader", "central directory", "weights_only"):
        assert internal not in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_a_folder_names_what_is_in_it_and_a_shard_is_told(tmp_path: Path) -> None:
    shard = tmp_path / "model-00002-of-00002.safetensors"
    save_file({"fc.weight": torch.ones(2, 2)}, shard)
    with pytest.raises(TransferkitError, match="folder.*as model-00002-of-00002.safetensors"):
        read_filters(tmp_path)
    with pytest.raises(DataError, match="one of several shards; give the one that holds the first layer"):
        read_filters(shard)
    save_file(STATE, shard)
    assert read_filters(shard).layer == "conv1"
