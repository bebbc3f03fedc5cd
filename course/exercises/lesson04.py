"""Exercises of lesson 04: chop and transfer."""

from functools import cache
from typing import Any

import numpy as np

from course.asking.lesson04 import ask_chop
from course.asking.networks import build, children_of, flags_of, state_of
from course.asking.plain import Plain
from course.exercises.difference import difference
from course.exercises.exercise import Case, Exercise, Finding

Layer = dict[str, Plain]


def _pose_chop(generator: np.random.Generator) -> tuple[Case, ...]:
    """Rows of full layers, and of blocks with batch normalisation; n is 0, all layers, or between; also 12 layers."""
    cases = []
    plans = (("layers", 5, 2), ("layers", 4, 3), ("blocks", 5, 2), ("layers", 3, 1), ("layers", 3, 0), ("layers", 4, 4),
             ("blocks", 4, 3), ("blocks", 12, 2), ("layers", 12, 11))  # fmt: skip
    for kind, depth, n in plans:
        widths = generator.integers(2, 7, depth + 1).tolist()
        base, fresh = (int(seed) for seed in generator.choice(1000, 2, replace=False))
        what = "full layers" if kind == "layers" else "blocks with normalisation under a head"
        name = f"n={n} of {depth} layers ({what}, of the widths {widths})"
        cases.append(Case(name, {"kind": kind, "widths": widths, "base": base, "fresh": fresh, "n": n}))
    return tuple(cases)


def _network(case: Case, name: str) -> tuple[list[Layer], dict[str, Plain]]:
    """The layers and the flags of the base or of the fresh network, as they were given."""
    kind = case.given["kind"]
    return _built(kind, tuple(case.given["widths"]), case.given[name], name == "fresh" or kind == "layers")


@cache
def _built(kind: str, widths: tuple[int, ...], seed: int, training: bool) -> tuple[list[Layer], dict[str, Plain]]:
    network = build(kind, list(widths), seed).train(training)
    layers: list[Layer] = [
        {key: tensor.detach().numpy() for key, tensor in state_of(one).items()} for one in children_of(network)
    ]
    return layers, flags_of(network)


def _judge_chop(case: Case, value: Any) -> Finding | None:
    layers, n = value["layers"], case.given["n"]
    (base, _), (fresh, _) = (_network(case, name) for name in ("base", "fresh"))
    if len(layers) != len(base):
        count = "1 layer" if len(layers) == 1 else f"{len(layers)} layers"
        return Finding(f"the new network has {count} instead of {len(base)}.")
    of_base, of_fresh = (
        [not difference(right, layer, 0) for right, layer in zip(network, layers, strict=True)]
        for network in (base, fresh)
    )
    if of_base != [index < n for index in range(len(base))]:
        return _wrong_layers(case, base, layers, (of_base, of_fresh))
    if found := difference([*fresh[n:]], layers[n:], 0):
        return Finding(f"above the chop, {found}.", "not fresh")
    return _changed(case, value)


def _wrong_layers(case: Case, base: list[Layer], layers: list[Any], same: tuple[list[bool], list[bool]]) -> Finding:
    n, (of_base, of_fresh) = case.given["n"], same
    listed = ", ".join(str(index) for index, copied in enumerate(of_base, 1) if copied) or "none"
    wanted = {0: "none should", 1: "the first should, and no other"}.get(n, f"the first {n} should, and no others")
    seen = f"these layers equal the base's: {listed}; {wanted}."
    if part := _copied_in_part(base[:n], layers[:n]):
        return Finding(f"{seen} Of layer {part[0]}, {part[1]} is not the base's.", part[2])
    return Finding(seen, _why(of_base, of_fresh, n))


def _copied_in_part(base: list[Layer], layers: list[Any]) -> tuple[int, str, str] | None:
    """The first layer, counted from 1, of which some tensors were copied and others not; one of these; and why."""
    for number, (right, layer) in enumerate(zip(base, layers, strict=True), 1):
        if set(right) != set(layer):
            continue
        alike = {name: not difference(right[name], layer[name], 0) for name in right}
        if any(alike.values()) and not all(alike.values()):
            lacking = [name for name, same in alike.items() if not same]
            statistics = all(name.split(".")[-1] in _STATISTICS for name in lacking)
            weights = all(same == name.endswith("weight") for name, same in alike.items())
            return number, lacking[0], "no statistics" if statistics else "weights only" if weights else "in part"
    return None


_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def _why(of_base: list[bool], of_fresh: list[bool], n: int) -> str:
    """What is wrong if each layer is whole, from one network or the other."""
    count, depth = sum(of_base), len(of_base)
    if any(one == other for one, other in zip(of_base, of_fresh, strict=True)):
        return ""
    if count == depth:
        return "all copied"
    if of_base == [index >= depth - n for index in range(depth)] and n:
        return "from the end"
    if of_base == [index < count for index in range(depth)] and abs(count - n) == 1 and (count or n > 1):
        return "off by one"
    return "swapped" if of_base == [index >= n for index in range(depth)] else ""


def _changed(case: Case, value: Any) -> Finding | None:
    """What the answer, or a training of the new network, would change of the two that were given."""
    for name, key in (("base", "shared"), ("fresh", "shared fresh")):
        layers, flags = _network(case, name)
        if value[key] != []:
            return Finding(f"training the new network would change `{name}`: both hold {value[key][0]}.", key)
        if found := difference([*layers], value[name], 0):
            return Finding(f"`{name}` itself was changed: {found}.", "changed")
        for kind, before in flags.items():
            if value[f"flags of {name}"][kind] != before:
                return Finding(f"`{name}` itself was changed: other parts than before {_FLAGS[kind]}.", "changed")
    return None


_FLAGS = {"needs gradient": "need a gradient", "in training": "are in training mode", "hooked": "have a hook"}

EXERCISES = (
    Exercise(
        name="chop",
        lesson="04",
        title="Chop a network",
        points=3,
        pose=_pose_chop,
        ask=ask_chop,
        form="an nn.Sequential of all layers, one beside the other",
        judge=_judge_chop,
        misconceptions={
            "from the end": "the last n layers were copied; transfer keeps the layers next to the image.",
            "off by one": "n counts layers from 1, Python's indices from 0.",
            "swapped": "the first n layers come from `base`, those above from `fresh`.",
            "weights only": "a layer is its weights and its biases: copy both.",
            "no statistics": "running statistics are no parameters, but they belong to the layer: copy them too.",
            "in part": "a layer is all of its parameters and statistics: copy it whole.",
            "all copied": "the layers above n must be re-initialised, or there is nothing left to learn.",
            "not fresh": "above the chop come the new random layers, just as they are in `fresh`.",
            "shared": "the copy is the very same tensor: training would ruin the base for the next network.",
            "shared fresh": "the layers above are the tensors of `fresh`: the next network cannot start from them.",
            "changed": "neither of the two may change: copy first, and set only the copy.",
        },
    ),
)
