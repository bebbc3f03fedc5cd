"""What a file from elsewhere holds: its tensors, read without running anything, or what it is instead of weights.

A pickle is a program that may call any function. Here each name that it asks for gets an inert stand-in; only what lays
numbers out as tensors and arrays is real. Where it calls any other function, the file is refused.
"""

import io
import json
import os
import pickle
import re
import sys
import tarfile
import warnings
import zipfile
from _compat_pickle import IMPORT_MAPPING
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch.serialization import MAGIC_NUMBER
from torch.torch_version import TorchVersion

from transferkit.errors import DataError, TransferkitError, UsageError

SAFE_TORCH = "2.10"  # in older versions, sizes in a file that do not fit corrupt memory (CVE-2026-24747)
ACCEPTED = "give a safetensors file or a PyTorch state dict (.pth, .pt, .bin)"
SAVE_PLAIN = "where its code is, save the weights alone with torch.save(network.state_dict(), FILE)"
CONVERT = "open it with the library that wrote it, and save its arrays by name with safetensors.numpy.save_file"
AGAIN, UNPACK = "fetch it again", "unpack it, and give what was inside"
SIGNS = (  # how a file begins, and what it then is
    (rb"$", f"an empty file: {AGAIN}"),
    (rb"version https://git-lfs", "a pointer of Git LFS, without the weights: fetch them with 'git lfs pull'"),
    (rb"(\xef\xbb\xbf)?\s*<", "a web page, as a site sends in place of a file: fetch it again, perhaps after a login"),
    (rb"\x89HDF", f"an HDF5 file, as Keras writes: {CONVERT}"),
    (rb"\x93NUMPY", f"a single NumPy array (.npy), which names no layer: {CONVERT}"),
    (rb"GGUF|ggml|lmgg|tjgg", "a GGUF file of a language model: give a network that sees images"),
    (rb"\x1f\x8b|BZh\d|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!", f"a compressed archive: {UNPACK}"),
    (rb"\x08[\0-\x1f][\x12\x1a\"*2:B]", f"an ONNX graph: {CONVERT}"),
    (rb"....TFL3", f"a TensorFlow Lite model: {CONVERT}"),
)
ENDINGS = (  # how the names of files end that have no sign, or one of several
    (r"\.onnx", f"an ONNX graph: {CONVERT}"),
    (r"\.(pb|meta|index|data-\d+-of-\d+)", f"part of a TensorFlow checkpoint or model: {CONVERT}"),
    (r"\.(caffemodel|mlmodel|params|t7|weights)", f"a file of another framework: {CONVERT}"),
)
HOLDERS = r"\.(safetensors|pth|pt|bin|ckpt|pkl|tar)"  # endings of the names of weights
# Classes whose objects trainers keep beside weights; those of other packages are known by their capital.
HARMLESS = (
    r"(collections|datetime|decimal|enum|fractions|pathlib|typing|uuid|zoneinfo)\..+|copyreg\.\w+|argparse\.Namespace|"
    r"numpy(\.(_?core|dtypes|ma|random)(\..+)?)?\.\w+|types\.SimpleNamespace|functools\.partial|_?operator\.or_|"
    r"builtins\.(bytearray|bytes|complex|frozenset|getattr|range|set|slice)|torch\.(device|_utils\._rebuild_\w+|serialization\._get_layout)"
)


def read_content(path: Path) -> object:
    """What a safetensors, PyTorch or pickle file holds: tensors, plain values, and stand-ins for all other objects.

    The first bytes tell the format. Raises UsageError for a path that cannot be read, DataError for a file that is
    damaged, calls functions, or is of another kind.
    """
    if not os.path.isfile(path):
        raise UsageError(f"{path} is {_folder(path) if os.path.isdir(path) else f'not there: {ACCEPTED}'}.")
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as problem:
        raise UsageError(f"{path} could not be read ({problem.strerror}): {ACCEPTED}.") from None
    kind = "safetensors" if head[8:9] == b"{" and b"\0" in head[:8] else "PyTorch"
    try:
        if kind == "PyTorch" and (told := _told(path, head)):
            raise DataError(f"{path} is not a weights file but {told}.")
        return _safetensors(path) if kind == "safetensors" else _zip(path) if head[:1] == b"P" else _pickle(path)
    except TransferkitError:
        raise
    except CallError as asked:
        said = f"carries code or objects other than weights ({asked}), and none of it was run"
        raise DataError(f"{path} {said}: {SAVE_PLAIN}.") from None
    except Exception:  # a damaged file can raise anything, and what torch says of it helps nobody
        raise DataError(f"{path} is a cut short or damaged {kind} file: {AGAIN}.") from None


class CallError(Exception):
    """A pickle calls a function, of the name that is the message."""


class _Named(type):
    """What a pickle names. Objects of classes can be held, but a call of a function would run code."""

    harmless = True

    def __call__(cls, *arguments: object) -> Any:
        if not cls.harmless:
            raise CallError(cls.__name__)
        return super().__call__(*arguments)


class Held(dict[Any, Any], metaclass=_Named):
    """Stands for an object in a pickle: it holds what a mapping would, and does nothing."""

    tensor: torch.Tensor | None = None  # of a NumPy array
    arguments: tuple[Any, ...]
    state: Any = None
    __hash__ = object.__hash__  # type: ignore[assignment]  # paths and enums are keys of dictionaries

    def __new__(cls, *arguments: object, **_: object) -> "Held":  # noqa: D102
        held = super().__new__(cls)
        held.arguments = arguments
        return held

    def __init__(self, *_: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        self.state = state

    def append(self, item: object) -> None:
        """Do without the items of a list."""


class _Ordered(Held):
    __init__ = dict.__init__  # an OrderedDict can be made of its items


class _Array(Held):
    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, by_column, content = state
        content = content.encode("latin-1") if isinstance(content, str) else content  # as Python 2 wrote bytes
        if isinstance(content, bytes | bytearray):  # else it is of objects
            order = dtype.state[1].replace("|", "") if dtype.state else ""
            numbers = np.frombuffer(content, order + dtype.arguments[0]).reshape(shape, order="F" if by_column else "C")
            self.tensor = torch.from_numpy(numbers.astype(numbers.dtype.newbyteorder("="), order="C"))


def _array(content: object, dtype: Held, shape: object, order: object) -> Held:
    held = _Array()
    held.__setstate__((1, shape, dtype, order == "F", content))
    return held


REAL = {
    "torch._utils._rebuild_tensor_v2": lambda *parts: torch._utils._rebuild_tensor(*parts[:4]),
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
    "torch._tensor._rebuild_from_type_v2": lambda rebuild, kind, parts, state: rebuild(*parts),
    "torch.storage._load_from_bytes": lambda content: _torch(io.BytesIO(content)),
    "collections.OrderedDict": _Ordered,
    "_codecs.encode": lambda text, coding="latin-1": text.encode("latin-1"),
    "numpy.core.multiarray._reconstruct": lambda *_: _Array(),
    "numpy.core.numeric._frombuffer": _array,
}


class _Inert(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = IMPORT_MAPPING.get(module, module)  # as Python 2 named it
        asked = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if asked in REAL:
            return REAL[asked]
        elsewhere = module.split(".")[0] not in sys.stdlib_module_names and name.split(".")[-1][:1].isupper()
        return _Named(f"{module}.{name}", (Held,), {"harmless": elsewhere or bool(re.fullmatch(HARMLESS, asked))})


def _torch(file: Any, mmap: bool = False) -> Any:
    """What torch.save wrote, by torch's reader of storages; all pickles in it are read by _Inert."""
    if TorchVersion(torch.__version__) < SAFE_TORCH:
        danger = f"PyTorch files are not opened with torch {torch.__version__}, in which they can run code"
        raise UsageError(f"{danger}: install torch {SAFE_TORCH} or newer, or give a safetensors file.")
    inert = SimpleNamespace(__name__="inert", Unpickler=_Inert, load=lambda it, **how: _Inert(it, **how).load())
    with warnings.catch_warnings(action="ignore"):
        return torch.load(file, "cpu", inert, weights_only=False, mmap=mmap)


def _pickle(path: Path) -> object:
    with path.open("rb") as file:
        content = _Inert(file, encoding="latin-1").load()
        if content != MAGIC_NUMBER:  # pickled without torch
            return content
        file.seek(0)
        return _torch(file)


def _zip(path: Path) -> object:
    with zipfile.ZipFile(path) as archive:
        packed = any(member.compress_type for member in archive.infolist())
    if not packed and path.suffix != ".safetensors":  # by that suffix, torch would not take it for a zip file
        return _torch(path, mmap=True)
    with path.open("rb") as file:
        return _torch(file)


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is not a dict


def _told(path: Path, head: bytes) -> str | None:
    """What a file is, with what to do, unless it is a pickle or torch.save wrote it."""
    if told := next((kind for sign, kind in SIGNS if re.match(sign, head, re.DOTALL)), None):
        return told
    if head.startswith(b"PK"):
        return _told_zip(path)
    if tarfile.is_tarfile(path):
        return f"a tar file, as archives are and early PyTorch wrote: {UNPACK}"
    if head.startswith(b"\x80"):
        return None
    if told := next((kind for ending, kind in ENDINGS if re.search(f"{ending}$", path.name, re.IGNORECASE)), None):
        return told
    if re.match(rb"\s*[{\[]", head):
        return _told_json(path)
    kind = "text" if re.fullmatch(rb"[\s -~\x80-\xff]+", head) else "unknown"
    return f"{kind} (it begins with {head[:24]!r}): {ACCEPTED}"


def _told_zip(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    files = {name.split("/")[-1] for name in names}
    if "constants.pkl" in files:
        return f"a TorchScript program, which carries code: {SAVE_PLAIN}"
    if "data.pkl" in files:
        return None
    if names and all(name.endswith((".npy", ".h5", ".json")) for name in names):
        return f"an archive of {'NumPy arrays (.npz)' if names[0].endswith('.npy') else 'Keras'}: {CONVERT}"
    return f"a zip archive{some((re.search(HOLDERS + '$', name) and name for name in names), ' around ')}: {UNPACK}"


def _told_json(path: Path) -> str:
    try:
        shards = json.loads(path.read_bytes())["weight_map"].values()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "JSON, such as settings: give the weights that lie beside it"
    files = some(map(str, shards), " of ")
    return f"an index of weights in several files: give the one that holds the first layer{files}"


def _folder(path: Path) -> str:
    inside = some((re.search(HOLDERS + "$", name) and name for name in sorted(os.listdir(path))), " as ")
    return f"a folder, not a file: give a file{inside}"


def some(names: Iterable[str | None], before: str = "") -> str:
    """The first four of the names that are there, after `before`, and how many more; empty without any."""
    found = list(dict.fromkeys(filter(None, names)))
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    return before + ", ".join(found[:4]) + more if found else ""
