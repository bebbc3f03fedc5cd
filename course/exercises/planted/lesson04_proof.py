"""Answers to the exercises of lesson 04 on proof, right and wrong."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from course.exercises.planted.answer import Planted

State = dict[str, Tensor]


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "audit": Planted(
            right=(audit_by_bytes, audit_by_sets),
            wrong={
                "only what is frozen": lambda before, after, frozen: [
                    name for name in audit_by_bytes(before, after, frozen) if name.split(".")[0] in frozen
                ],
                "only what is trained": lambda before, after, frozen: [
                    name for name in audit_by_bytes(before, after, frozen) if name.split(".")[0] not in frozen
                ],
                "with a tolerance": lambda before, after, frozen: _audited(
                    before, after, frozen, lambda a, b: torch.allclose(a, b, equal_nan=True)
                ),
                "by their sums": lambda before, after, frozen: _audited(
                    before, after, frozen, lambda a, b: bool(torch.isclose(a.nansum(), b.nansum()))
                ),
                "NaN is not NaN": lambda before, after, frozen: _audited(before, after, frozen, torch.equal),
                "by the beginning of the name": audit_by_prefix,
                "no buffers": lambda before, after, frozen: [
                    name for name in audit_by_bytes(before, after, frozen) if "running" not in name
                ],
                "weights only": lambda before, after, frozen: [
                    name for name in audit_by_bytes(before, after, frozen) if name.endswith("weight")
                ],
                "all that moved": lambda before, after, frozen: [
                    name for name in before if _moved(before, after, name)
                ],
                "all that did not move": lambda before, after, frozen: [
                    name for name in before if not _moved(before, after, name)
                ],
                "nothing": lambda before, after, frozen: [],
                "layers instead of tensors": lambda before, after, frozen: sorted(
                    {name.split(".")[0] for name in audit_by_bytes(before, after, frozen)}
                ),
                "0.0 is -0.0": lambda before, after, frozen: _audited(
                    before, after, frozen, lambda a, b: np.array_equal(a.numpy(), b.numpy(), equal_nan=True)
                ),
                "as float32": lambda before, after, frozen: _audited(
                    before, after, frozen, lambda a, b: a.float().numpy().tobytes() == b.float().numpy().tobytes()
                ),
                "all elements have to move": audit_strictly,
                "moved if all elements did": lambda before, after, frozen: _audited(
                    before, after, frozen, lambda a, b: not bool((a != b).all())
                ),
                "elements in any order": lambda before, after, frozen: _audited(
                    before, after, frozen, lambda a, b: sorted(a.numpy().tobytes()) == sorted(b.numpy().tobytes())
                ),
                "no counts": lambda before, after, frozen: [
                    name for name in audit_by_bytes(before, after, frozen) if before[name].is_floating_point()
                ],
                "layer1 within layer10": lambda before, after, frozen: audit_by_bytes(
                    before, after, [one for one in {name.split(".")[0] for name in before} if one in ",".join(frozen)]
                ),
                "without fault, nothing": lambda before, after, frozen: audit_by_bytes(before, after, frozen) or None,
                "all that is right": lambda before, after, frozen: sorted(
                    {*before} - {*audit_by_bytes(before, after, frozen)}
                ),
                "the first fault": lambda before, after, frozen: audit_by_bytes(before, after, frozen)[:1],
            },
        ),
        "find_bug": Planted(
            right=(bug_by_state, bug_by_parts),
            wrong={
                "always statistics": lambda network, step, n: "statistics",
                "always decay": lambda network, step, n: "decay",
                "always none": lambda network, step, n: "none",
                "the state is not copied": bug_without_copy,
                "parameters only": lambda network, step, n: _renamed(bug_by_state(network, step, n), "statistics"),
                "the gradient tells": lambda network, step, n: _renamed(bug_by_state(network, step, n), "decay"),
                "below the chop only": lambda network, step, n: _renamed(bug_by_state(network, step, n), "head"),
                "requires_grad tells": bug_by_flags,
                "no step is taken": lambda network, step, n: bug_by_state(network, lambda: None, n),
                "layer n counted as frozen": lambda network, step, n: bug_by_state(network, step, n + 1),
                "statistics anywhere": bug_anywhere,
                "with a tolerance": lambda network, step, n: bug_by_state(network, step, n, same=torch.allclose),
                "the first layer only": lambda network, step, n: bug_by_state(network, step, n, below=[0][:n]),
                "the last frozen layer only": lambda network, step, n: bug_by_state(
                    network, step, n, below=range(max(n - 1, 0), n)
                ),
                "by the first digit": bug_by_digit,
                "another word": lambda network, step, n: bug_by_state(network, step, n).upper(),
            },
        ),
    }


def _audited(before: State, after: State, frozen: list[str], same: Callable[[Tensor, Tensor], bool]) -> list[str]:
    return [name for name in before if same(before[name], after[name]) != (name.split(".")[0] in frozen)]


def audit_by_bytes(before: State, after: State, frozen: list[str]) -> list[str]:
    """Byte for byte."""
    return _audited(before, after, frozen, lambda a, b: a.numpy().tobytes() == b.numpy().tobytes())


def audit_by_sets(before: State, after: State, frozen: list[str]) -> list[str]:
    """The names that moved, compared with those that should have."""
    moved = {name for name in before if not torch.equal(_bits(before[name]), _bits(after[name]))}
    return sorted(moved ^ {name for name in before if not name.startswith(tuple(f"{one}." for one in frozen))})


def _bits(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1).view(torch.uint8)


def audit_strictly(before: State, after: State, frozen: list[str]) -> list[str]:
    """Wrong."""
    faults = [name for name in audit_by_bytes(before, after, frozen) if name.split(".")[0] in frozen]
    return faults + [n for n in before if n.split(".")[0] not in frozen and bool((before[n] == after[n]).any())]


def audit_by_prefix(before: State, after: State, frozen: list[str]) -> list[str]:
    """Wrong."""
    still = {name for name in before if name.startswith(tuple(frozen))}
    return [name for name in before if _moved(before, after, name) == (name in still)]


def _moved(before: State, after: State, name: str) -> bool:
    return before[name].numpy().tobytes() != after[name].numpy().tobytes()


def bug_by_state(
    network: nn.Sequential,
    step: Callable[[], None],
    n: int,
    same: Callable[[Tensor, Tensor], bool] = torch.equal,
    below: Iterable[int] | None = None,
) -> str:
    """From what moved in a step; wrong with another rule for what is the same, or if it looks at other layers."""
    before = deepcopy(network.state_dict())
    step()
    moved = {name for name, value in network.state_dict().items() if not same(value, before[name])}
    parameters, looked = {name for name, _ in network.named_parameters()}, set(range(n) if below is None else below)
    frozen = {name for name in before if int(name.split(".")[0]) in looked}
    if moved & frozen & parameters:
        return "decay"
    if moved & frozen:
        return "statistics"
    head = {name for name in parameters if name.split(".")[0] == str(len(network) - 1)}
    return "none" if head <= moved else "head"


def bug_by_digit(network: nn.Sequential, step: Callable[[], None], n: int) -> str:
    """Wrong."""
    return bug_by_state(network, step, n, below=[layer for layer in range(len(network)) if int(str(layer)[0]) < n])


def bug_by_parts(network: nn.Sequential, step: Callable[[], None], n: int) -> str:
    """Part by part of the network."""
    parts: dict[str, Callable[[], Iterator[Tensor]]] = {
        "statistics": network[:n].buffers,
        "decay": network[:n].parameters,
        "head": network[-1].parameters,
    }
    before = {name: [tensor.detach().clone() for tensor in part()] for name, part in parts.items()}
    step()
    same = {
        name: all(map(torch.equal, before[name], (tensor.detach() for tensor in part())))
        for name, part in parts.items()
    }
    return next((name for name in ("statistics", "decay") if not same[name]), "head" if same["head"] else "none")


def bug_without_copy(network: nn.Sequential, step: Callable[[], None], n: int) -> str:
    """Wrong."""
    before = network.state_dict()
    step()
    same = all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    return "head" if same else "decay"


def bug_by_flags(network: nn.Sequential, step: Callable[[], None], n: int) -> str:
    """Wrong."""
    step()
    if any(parameter.requires_grad for parameter in network[:n].parameters()):
        return "none"
    return "none" if all(parameter.requires_grad for parameter in network[n:].parameters()) else "head"


def bug_anywhere(network: nn.Sequential, step: Callable[[], None], n: int) -> str:
    """Wrong."""
    before = [buffer.clone() for buffer in network.buffers()]
    step()
    same = all(map(torch.equal, before, network.buffers()))
    return "none" if same else "statistics"


def _renamed(found: str, missed: str) -> str:
    return "none" if found == missed else found
