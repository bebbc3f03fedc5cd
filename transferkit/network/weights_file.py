"""Read weights from files without running code, find a first layer in them, and fit them to a network.

Nothing in a file is run: safetensors cannot carry code, and with `weights_only` torch refuses files that do.
"""

import contextlib
import difflib
import pickle
import re
import sys
import tarfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor
from torch.torch_version import TorchVersion

from transferkit.errors import DataError, UsageError
from transferkit.network.build import build
from transferkit.specs import StagedSpec

SAFE_TORCH = "2.10"  # in older versions, files can run code in spite of weights_only (CVE-2026-24747)
WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which training scripts put the weights
PREFIXES = r"^((module|_orig_mod)\.)+"  # DataParallel and torch.compile put them before every name
CHECKPOINT_DEPTH = 4  # levels searched: real checkpoints nest less, and a hostile one may contain itself
SHOWN = 8  # the most layers or names that an error lists
COUNTER = "num_batches_tracked"  # in batch normalisation; torch before 0.4.1 did not save it
ACCEPTED = "give a safetensors file or a PyTorch state dict (.pth, .pt, .bin)"
SAVE_PLAIN = "give weights saved with torch.save(network.state_dict(), FILE)"
NEEDED = "floating-point filters x 3 x k x k with k of 2 or more"

State = dict[str, torch.Tensor]  # by their names, without PREFIXES


@dataclass(frozen=True)
class NamedFilters:
    """The filters of one layer: weights, float32 filters x 3 x k x k, and the file or name that they come from."""

    layer: str
    weights: NDArray[np.float32]
    source: str


def load_filters(weights: str, layer: str | None = None) -> NamedFilters:
    """Read filters from a weights file if there is one, else from torchvision's weights of that name.

    Raises UsageError when there are neither, and what `read_filters` and `named_filters` raise.
    """
    path = Path(weights)
    if path.is_file() or (path.exists() and weights.lower() not in _catalogue()):
        return read_filters(path, layer)
    return named_filters(weights, layer)


def read_filters(path: Path, layer: str | None = None) -> NamedFilters:
    """Read the filters of a layer, as float32, from a safetensors or PyTorch file.

    `layer` may end in ".weight" or not. Without it, takes the first layer that looks at colour images, in the order of
    the file, which is alphabetical in safetensors. Raises UsageError for a path or layer that does not exist or does
    not fit, DataError for a file that is damaged, carries code, or has no such filters.
    """
    return _choose(read_state(path), layer, str(path))


def read_state(path: Path) -> State:
    """All named tensors in a safetensors or PyTorch file, recognised by its first bytes.

    Raises UsageError for a path that cannot be read, DataError for a file that is damaged or carries code.
    """
    if not path.is_file():
        raise UsageError(f"{path} is {'not a file' if path.exists() else 'not there'}: {ACCEPTED}.")
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as problem:
        raise UsageError(f"{path} could not be read ({problem.strerror}): {ACCEPTED}.") from None
    if head[8:] == b"{":  # after the header's length; neither a zip nor a pickle by torch has a brace there
        try:
            with safe_open(path, framework="pt") as file:
                return {_plain(name): file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is not a dict
        except Exception as problem:  # a damaged file can raise anything
            raise DataError(f"{path} is a damaged safetensors file ({problem}): fetch it again.") from None
    if head.startswith((b"PK\x03\x04", b"\x80")):
        return _read_torch(path, zipped=head.startswith(b"PK"))
    if tarfile.is_tarfile(path):
        raise DataError(f"{path} is a tar file, as early PyTorch wrote, which cannot be read safely: {SAVE_PLAIN}.")
    begins = f"begins with {head!r}" if head else "is empty"
    raise DataError(f"{path} is not a weights file (it {begins}): {ACCEPTED}.")


def named_filters(name: str, layer: str | None = None) -> NamedFilters:
    """Filters from torchvision's pretrained weights: "resnet50" or "ResNet50_Weights.IMAGENET1K_V2", in any case.

    They are downloaded once and kept in torch's cache. Raises UsageError for an unknown name or layer, DataError when
    the download fails or the cached file is damaged.
    """
    catalogue = _catalogue()
    weights = catalogue.get(name.lower())
    if weights is None:
        close = difflib.get_close_matches(name.lower(), catalogue, SHOWN) or ["alexnet", "resnet50", "vit_b_16"]
        names = f"a name that torchvision has weights for, such as {', '.join(close)}"
        raise UsageError(f"{name!r} is neither a weights file nor {names}.")
    _require_safe_torch(name)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torch announces a download on stdout, which is for results
            content = weights.get_state_dict(check_hash=True, progress=False, map_location="cpu", weights_only=True)
    except OSError as problem:
        remedy = "try again with a network, or give a file with --weights FILE"
        raise DataError(f"{weights!r} could not be fetched from {weights.url} ({problem}): {remedy}.") from None
    except Exception as problem:  # a damaged file can raise anything
        cached = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
        raise DataError(f"{weights!r} {_fault(problem)}: remove {cached} and try again.") from None
    return _choose(_tensors(content, name), layer, repr(weights))


def _catalogue() -> dict[str, Any]:
    """The weights in torchvision by lower-case name: their own, or that of a model for its default weights."""
    from torchvision.models import get_model_weights, list_models  # here, since it is slow to import

    kinds = {model: get_model_weights(model).__members__ for model in list_models()}
    own = {f"{type(w).__name__}.{name}".lower(): w for members in kinds.values() for name, w in members.items()}
    return {model: members["DEFAULT"] for model, members in kinds.items() if "DEFAULT" in members} | own


def _read_torch(path: Path, zipped: bool) -> State:
    _require_safe_torch(str(path))
    mapped = zipped and path.suffix != ".safetensors"  # by that suffix, torch would not take it for a zip file
    try:
        with warnings.catch_warnings(action="ignore"), path.open("rb") as file:
            content = torch.load(path if mapped else file, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as problem:  # a damaged file can raise anything
        raise DataError(f"{path} {_fault(problem)}: {SAVE_PLAIN}.") from None
    return _tensors(content, str(path))


def _require_safe_torch(source: str) -> None:
    if TorchVersion(torch.__version__) < SAFE_TORCH:
        danger = f"is not opened with torch {torch.__version__}, in which weights can run code"
        raise UsageError(f"{source} {danger}: install torch {SAFE_TORCH} or newer, or give a safetensors file.")


def _tensors(content: object, source: str) -> State:
    found = [
        {_plain(name): value for name, value in state.items() if isinstance(value, torch.Tensor)}
        for state in _state_dicts(content, CHECKPOINT_DEPTH)
    ]
    if not any(found):
        raise DataError(f"{source} holds a {type(content).__name__} without named tensors: {SAVE_PLAIN}.")
    return next((state for state in found if _suited(state)), next(filter(None, found)))


def _state_dicts(content: object, depth: int) -> Iterator[Mapping[str, object]]:
    """Candidates for the state dict, likeliest first: under a usual key, the content itself, under any other key."""
    if depth and isinstance(content, Mapping) and all(isinstance(name, str) for name in content):
        for key in WRAPPERS:
            yield from _state_dicts(content.get(key), depth - 1)
        yield content
        for key in content:
            if key not in WRAPPERS and not key.startswith("optim"):  # an optimiser's averages have shapes like weights
                yield from _state_dicts(content[key], depth - 1)


def _choose(state: State, layer: str | None, source: str) -> NamedFilters:
    state = {_layer(name): tensor for name, tensor in state.items()}
    suited = _suited(state)
    if not suited:
        raise DataError(f"{source} has no layer that sees colour images ({NEEDED}): give another network's weights.")
    name = suited[0] if layer is None else _layer(layer)
    offer = f"choose {' or '.join(repr(each) for each in suited[:SHOWN])}"
    if name not in state:
        raise UsageError(f"{source} has no layer {layer!r}: {offer}.")
    if name not in suited:
        has = f"layer {layer!r} of {source} has shape {tuple(state[name].shape)} and {state[name].dtype}"
        raise UsageError(f"{has}, but only {NEEDED} look at colours, as first layers do: {offer}.")
    weights = state[name].detach().float().numpy().copy()
    if not np.isfinite(weights).all():
        raise DataError(f"layer {name!r} of {source} has numbers that are not finite: give another network's weights.")
    return NamedFilters(name, weights, source)


def _suited(state: State) -> list[str]:
    """The layers whose filters look at colour images, in order; only plain tensors on the CPU."""
    plain = {k: t for k, t in state.items() if t.ndim == 4 and t.layout == torch.strided and t.device.type == "cpu"}
    shapes = {name: tensor.shape for name, tensor in plain.items() if tensor.is_floating_point() and tensor.numel()}
    return [name for name, (_, channels, rows, columns) in shapes.items() if channels == 3 and rows == columns > 1]


def _plain(name: str) -> str:
    return re.sub(PREFIXES, "", name)


def _layer(name: str) -> str:
    return _plain(name).removesuffix(".weight")


def _fault(problem: Exception) -> str:
    """Describe what is wrong with a PyTorch file, without torch's advice to load it unsafely."""
    if isinstance(problem, pickle.UnpicklingError) or "TorchScript" in str(problem):
        asked = re.search(r"GLOBAL ([\w.]+)|TorchScript", str(problem))
        named = f" ({asked[1] or asked[0]})" if asked else ""
        return f"carries code or objects other than weights{named}, and none of it was run"
    reason = re.split(r"\. |\.?\n|\.$", str(problem))[0] or type(problem).__name__
    return f"is damaged or not written by torch.save ({reason})"


def fitting(state: Mapping[str, Tensor], spec: StagedSpec, source: str) -> dict[str, np.ndarray]:
    """The tensors of every layer but the last, float32 by name, from a state dict read from `source`.

    The last layer was made for other classes, so that the file's tensors for it are left out. Raises DataError when a
    tensor is missing, has another shape or numbers that are not finite, and when the file has tensors of no layer.
    """
    with torch.device("meta"):
        network = build(spec, 1)
    own = {name: tensor for name, tensor in network.state_dict().items() if network.layer_of(name) != spec.layers[-1]}
    last = set(network.state_dict()) - set(own)
    missing = [name for name in own if name not in state and not name.endswith(COUNTER)]
    more = [name for name in state if name not in own and name not in last]
    if missing or more:
        lacks = f"lacks {_some(missing)}" if missing else f"has {_some(more)}, which that network has not"
        raise DataError(f"{source} holds no weights of {spec.name}: it {lacks}. Name the network it is of with --net.")
    return {name: _checked(name, state.get(name), tensor, source) for name, tensor in own.items()}


def _checked(name: str, given: Tensor | None, own: Tensor, source: str) -> np.ndarray:
    if given is None:
        return np.zeros((), dtype=np.int64)
    if given.shape != own.shape:
        raise DataError(
            f"{name} is {tuple(given.shape)} in {source} and {tuple(own.shape)} in the network: give weights of the "
            "very network that --net names, and images of the size that it was made for."
        )
    values: np.ndarray = given.detach().to(own.dtype).numpy().copy()
    if not np.isfinite(values).all():
        raise DataError(f"{name} of {source} has numbers that are not finite: give another network's weights.")
    return values


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
