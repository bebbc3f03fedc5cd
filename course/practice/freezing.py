"""Freezing in anybody's PyTorch or Lightning loop: what is frozen keeps every bit, and the audit says what moved."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from typing import Literal
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from transferkit.errors import TrainingError, UsageError
from transferkit.training.surgery import subtracted

Layer = str | nn.Module | nn.Parameter
Dropout = Literal["off", "on"]
_SHOWN = 4  # names in a line


@dataclass(frozen=True)
class Fingerprint:
    """What every parameter and buffer of a model was at one moment: a digest of its bits, by name.

    `owners` refers to the parameters themselves, so that one which was replaced can be told from one that moved.
    """

    digests: Mapping[str, str]
    owners: Mapping[str, ReferenceType[Tensor]] = field(repr=False)


@dataclass(frozen=True)
class Audit:
    """What became of every tensor since the fingerprint, by name; printed, one line for each kind that occurred.

    Frozen tensors `kept` their bits, or `moved`. Of the others, `learned` changed and `still` did not; `idle` are the
    parameters among the latter, which an optimiser could have moved. `replaced` parameters are other objects than
    before, which an optimiser built earlier does not know. `gone` and `new` are names on one side only.
    """

    kept: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    prevented: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """One clause for each kind of thing that should not have happened."""
        kinds = (
            ("frozen but moved", self.moved), ("replaced by another parameter", self.replaced),
            ("trained but never moved", self.idle if self.kept or self.moved else ()),
            ("gone from the model", self.gone), ("new in the model", self.new),
        )  # fmt: skip
        return tuple(f"{kind}: {_listed(names)}" for kind, names in kinds if names)

    def __str__(self) -> str:
        frozen = bool(self.kept or self.moved)
        good = (("frozen and kept to the bit" if frozen else "", self.kept), ("moved", self.learned))
        rest = () if frozen and not set(self.still) - set(self.idle) else (("did not move", self.still),)
        lines = [f"{kind}: {_listed(names)}" for kind, names in (*good, *rest) if names]
        return "\n".join([*lines, *self.faults, *(f"prevented: {what}" for what in self.prevented)])


@dataclass
class Freeze:
    """A freeze that is in force: its tensors by name, what it has `prevented` so far, and its `audit` afterwards."""

    names: tuple[str, ...]
    prevented: dict[str, None] = field(default_factory=dict)
    audit: Audit | None = None


def fingerprint(model: nn.Module) -> Fingerprint:
    """The fingerprint of all parameters and buffers of a model, to be given to `audit` later. Weights are not copied.

    Raises UsageError for a parameter that has no values yet.

    >>> import torch
    >>> before = tk.fingerprint(torch.nn.Linear(2, 1))
    >>> sorted(before.digests)
    ['bias', 'weight']
    """
    tensors = _tensors(model)
    return Fingerprint({name: _digest(name, it) for name, it in tensors.items()}, _owners(tensors))


def audit(
    model: nn.Module, before: Fingerprint, frozen: Layer | Iterable[Layer] = (), *, strict: bool = False
) -> Audit:
    """What moved since `before`, and what did not, bit for bit: 0.0 and -0.0 differ, and NaN equals itself.

    `frozen` names layers as in `tk.frozen`, which should have kept their bits; the other parameters should have
    moved, but for a bias whose shift BatchNorm subtracts. With `strict`, raises TrainingError that names whatever did
    otherwise.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1)
    >>> before = tk.fingerprint(model)
    >>> _ = model.bias.data.add_(1)
    >>> print(tk.audit(model, before))
    moved: bias
    did not move: weight
    """
    layers = _as_layers(frozen)
    found = _compared(model, before, set(_chosen(model, layers)[1]) if layers else set())
    if strict and found.faults:
        raise TrainingError(f"the freeze did not go as asked: {'; '.join(found.faults)}.")
    return found


@contextmanager
def frozen(model: nn.Module, layers: Layer | Iterable[Layer], *, dropout: Dropout = "off") -> Iterator[Freeze]:
    """Freeze these layers of any model while any loop trains the others; afterwards everything is as it was before.

    `layers` are names of modules or parameters, beginnings of such names, or modules and parameters themselves. Until
    the end they get no gradient, and so no weight decay and no momentum, from no optimiser, old or new; their buffers
    stay too (running statistics), however often somebody calls `model.train()`. `dropout` says whether dropout and
    stochastic depth inside these layers are "off" as in evaluation, or "on" where the loop trains.

    At the end, `requires_grad` and the training flags are those from before, and the result's `audit` says what
    moved. Raises TrainingError if a frozen tensor changed all the same, as by a copy in place. Raises UsageError for a
    layer that the model does not have, one that shares a tensor with a layer outside, or if nothing is left to train.

    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    >>> with tk.frozen(model, "0"):
    ...     model(torch.ones(1, 2)).sum().backward()
    >>> model[0].weight.grad is None, model[0].weight.requires_grad
    (True, True)
    """
    if dropout not in ("off", "on"):
        raise UsageError(f"dropout={dropout!r} is not known: give 'off' or 'on'.")
    modules, tensors = _chosen(model, _as_layers(layers))
    _refuse_shared(model, tensors)
    _refuse_nothing_left(model, tensors)
    quiet = [module for module in modules if dropout == "off" or next(module.buffers(recurse=False), None) is not None]
    parameters = {name: it for name, it in tensors.items() if isinstance(it, nn.Parameter)}
    freeze, before = Freeze(tuple(tensors)), fingerprint(model)
    hold = _Hold(freeze, quiet, parameters)
    with _restored(model):
        try:
            hold.begin(model)
            yield freeze
        except BaseException as problem:
            freeze.audit = _after(model, before, freeze)
            if freeze.audit.moved:
                problem.add_note(f"Besides, frozen tensors moved: {_listed(freeze.audit.moved)}.")
            raise
        finally:
            hold.end()
        freeze.audit = found = _after(model, before, freeze)
    if faults := [fault for fault in found.faults if not fault.startswith("trained but")]:
        raise TrainingError(
            f"tk.frozen could not prevent that the loop wrote to the model: {'; '.join(faults)}. Look for copies into "
            "it (moving averages, load_state_dict, edits in place) and leave these layers out of them."
        )


def _after(model: nn.Module, before: Fingerprint, freeze: Freeze) -> Audit:
    return _compared(model, before, set(freeze.names), tuple(freeze.prevented))


def _compared(model: nn.Module, before: Fingerprint, names: set[str], prevented: tuple[str, ...] = ()) -> Audit:
    now = _tensors(model)
    both = [name for name in before.digests if name in now]
    changed = {name for name in both if _digest(name, now[name]) != before.digests[name]}
    still = tuple(name for name in both if name not in changed and name not in names)
    excused = subtracted(now, changed)
    return Audit(
        kept=tuple(name for name in both if name in names and name not in changed),
        moved=tuple(name for name in both if name in names and name in changed),
        learned=tuple(name for name in both if name not in names and name in changed),
        still=still,
        idle=tuple(name for name in still if isinstance(now[name], nn.Parameter) and name not in excused),
        replaced=tuple(name for name, owner in before.owners.items() if name in now and owner() is not now[name]),
        gone=tuple(name for name in before.digests if name not in now),
        new=tuple(name for name in now if name not in before.digests),
        prevented=prevented,
    )


@contextmanager
def _restored(model: nn.Module) -> Iterator[None]:
    """Leave every training flag and every `requires_grad` as they were, whatever happens inside."""
    training = [(module, module.training) for module in model.modules()]
    gradients = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        yield
    finally:
        for module, was in training:
            module.training = was
        for parameter, wanted in gradients:
            parameter.requires_grad_(wanted)


class _Hold:
    """Freezes at the start, again before each forward pass, and again before any optimiser steps, until it ends.

    It is no closure, so that a model can be saved meanwhile; a copy made meanwhile is left alone once it has ended.
    """

    def __init__(self, freeze: Freeze, quiet: Iterable[nn.Module], parameters: Mapping[str, nn.Parameter]) -> None:
        self._freeze, self._quiet, self._parameters = freeze, tuple(quiet), dict(parameters)
        self._handles: list[RemovableHandle] = []

    def begin(self, model: nn.Module) -> None:
        """Freeze, and see to it that it stays so."""
        self._handles = [module.register_forward_pre_hook(self._calm, prepend=True) for module in self._quiet]
        self._handles.append(model.register_forward_pre_hook(self._hold, prepend=True))
        self._handles.append(register_optimizer_step_pre_hook(self._hold))
        self._hold()
        self._freeze.prevented.clear()  # of what was there before

    def end(self) -> None:
        """Let go."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __deepcopy__(self, _: object) -> "_Hold":
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _Hold, (Freeze(()), (), {})  # a saved model is not frozen when it is loaded

    def _calm(self, module: nn.Module, *_: object) -> None:
        if self._handles and module.training:
            self._freeze.prevented["frozen layers were switched back to training"] = None
            module.training = False

    def _hold(self, *_: object) -> None:
        if not self._handles:
            return
        for module in self._quiet:
            self._calm(module)
        for name, parameter in self._parameters.items():
            if parameter.requires_grad or parameter.grad is not None:
                self._freeze.prevented[f"{name} was to get a gradient"] = None
                parameter.requires_grad_(False)
                parameter.grad = None  # with a gradient of zero, weight decay and momentum would still act


def _as_layers(layers: Layer | Iterable[Layer]) -> tuple[Layer, ...]:
    return (layers,) if isinstance(layers, str | nn.Module | nn.Parameter) else tuple(layers)


def _chosen(model: nn.Module, layers: tuple[Layer, ...]) -> tuple[tuple[nn.Module, ...], dict[str, Tensor]]:
    """The modules that these layers consist of, and their tensors by every name that the model has for them."""
    if not layers:
        raise UsageError("no layer is named: give tk.frozen the names of one or more.")
    known = _tensors(model)
    modules: dict[nn.Module, None] = {}
    names: set[str] = set()
    for layer in layers:
        for path in _paths(model, layer, known):
            names |= {name for name in known if name == path or name.startswith(f"{path}.")}
            modules |= {} if path in known else dict.fromkeys(model.get_submodule(path).modules())
    if not names:
        raise UsageError(f"{_listed(map(_called, layers))} holds no parameter and no buffer: name other layers.")
    return tuple(modules), {name: it for name, it in known.items() if name in names}


def _paths(model: nn.Module, layer: Layer, known: Mapping[str, Tensor]) -> list[str]:
    """The names that one layer stands for: that name alone if the model has it, or all that begin with it."""
    there: dict[str, nn.Module | Tensor] = {**dict(model.named_modules(remove_duplicate=False)), **known}
    whole = there.pop("")
    if layer is whole:
        return list(dict(model.named_children()))
    if not isinstance(layer, str):
        paths = [name for name, it in there.items() if it is layer]
    elif layer in there:
        paths = [layer]
    else:
        paths = [name for name in there if layer and name.startswith(layer)]
    if not paths:
        near = get_close_matches(str(layer), there) or [name for name, _ in model.named_children()]
        raise UsageError(f"the model has no layer {_called(layer)}: name one of its modules, as {_listed(near)}.")
    return paths


def _refuse_shared(model: nn.Module, frozen: Mapping[str, Tensor]) -> None:
    """Raise UsageError when a frozen tensor and another one lie in the same memory."""
    spans: dict[int, list[tuple[int, int, str]]] = {}
    for name, it in _tensors(model).items():
        if name in frozen and it.numel():
            spans.setdefault(it.untyped_storage().data_ptr(), []).append((*_span(it), name))
    for name, it in _tensors(model).items():
        if name in frozen or not it.numel():
            continue
        start, end = _span(it)
        for first, last, other in spans.get(it.untyped_storage().data_ptr(), ()):
            if start < last and first < end:
                raise UsageError(
                    f"{other} is to be frozen and {name} is not, but they are one tensor: freeze both, or untie them."
                )


def _span(tensor: Tensor) -> tuple[int, int]:
    """Where a tensor begins and ends in its storage, in bytes."""
    reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    start = int(tensor.storage_offset()) * tensor.element_size()
    return start, start + int(reach + 1) * tensor.element_size()


def _refuse_nothing_left(model: nn.Module, frozen: Mapping[str, Tensor]) -> None:
    if not any(it.requires_grad for name, it in model.named_parameters(remove_duplicate=False) if name not in frozen):
        raise UsageError(
            f"with {_listed(list(frozen))} frozen, nothing is left to train: leave out the head, or switch its "
            "requires_grad on."
        )


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers by name, saved with the model or not; a tied one under each of its names."""
    found = dict(chain(model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False)))
    if empty := [name for name, it in found.items() if is_lazy(it) or it.is_meta]:
        raise UsageError(f"{_listed(empty)} has no values yet: load weights, or run one batch through the model first.")
    return found


def _owners(tensors: Mapping[str, Tensor]) -> dict[str, ReferenceType[Tensor]]:
    return {name: ref(it) for name, it in tensors.items() if isinstance(it, nn.Parameter)}


def _digest(name: str, tensor: Tensor) -> str:
    """The SHA-256 of a tensor's type, shape and bits."""
    content = tensor.detach().cpu().contiguous().reshape(-1)
    with suppress(RuntimeError):  # of types that cannot be seen as bytes
        content = content.view(torch.uint8)
    about = f"{tensor.dtype} {tuple(tensor.shape)}".encode()
    return hashlib.sha256(about + content.numpy().tobytes()).hexdigest()


def _called(layer: Layer) -> str:
    if isinstance(layer, str):
        return repr(layer)
    return f"{type(layer).__name__}{tuple(layer.shape)}" if isinstance(layer, Tensor) else f"'{type(layer).__name__}'"


def _listed(names: Iterable[str]) -> str:
    every = tuple(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
