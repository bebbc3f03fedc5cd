"""Exercises of lesson 04: chop and transfer."""

from itertools import pairwise
from typing import Any

import numpy as np

from course.asking.lesson04 import ask_chop
from course.asking.plain import Plain
from course.exercises.difference import difference
from course.exercises.exercise import Case, Exercise, Finding


def _pose_chop(generator: np.random.Generator) -> tuple[Case, ...]:
    """Stacks of full layers of random widths; n is 0, all layers, or between."""
    cases = []
    for depth, n in ((3, 1), (4, 3), (5, 2), (3, 0), (4, 4)):
        widths = generator.integers(2, 7, depth + 1).tolist()
        base, fresh = ([_layer(generator, *pair) for pair in pairwise(widths)] for _ in range(2))
        cases.append(Case(f"n={n} of {depth} layers of the widths {widths}", {"base": base, "fresh": fresh, "n": n}))
    return tuple(cases)


def _layer(generator: np.random.Generator, inputs: int, outputs: int) -> dict[str, Plain]:
    shapes = {"weight": (outputs, inputs), "bias": (outputs,)}
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def _judge_chop(case: Case, value: Any) -> Finding | None:
    layers, (base, fresh, n) = value["layers"], (case.given[name] for name in ("base", "fresh", "n"))
    if len(layers) != len(base):
        return Finding(f"the new network has {len(layers)} layers instead of {len(base)}.")
    of_base = [not difference(right, layer) for right, layer in zip(base, layers, strict=True)]
    if of_base != [index < n for index in range(len(base))]:
        listed = ", ".join(str(index) for index, copied in enumerate(of_base, 1) if copied) or "none"
        seen = f"these layers equal the base's: {listed}; the first {n} should, and no others."
        weights = [not difference(right["weight"], layer["weight"]) for right, layer in zip(base, layers, strict=True)]
        return Finding(seen, "weights only" if sum(weights) > sum(of_base) else _why(of_base, n))
    if found := difference(fresh[n:], layers[n:]):
        return Finding(f"above the chop, {found}.", "not fresh")
    for name, key, given in (("base", "shared", base), ("fresh", "shared fresh", fresh)):
        if value[key] != []:
            return Finding(f"training the new network would change `{name}`: both hold {value[key][0]}.", key)
        if found := difference(given, value[name]):
            return Finding(f"`{name}` itself was changed: {found}.")
    return None


def _why(of_base: list[bool], n: int) -> str:
    count, depth = sum(of_base), len(of_base)
    if of_base == [index < count for index in range(depth)] and abs(count - n) == 1:
        return "off by one"
    if of_base == [index >= depth - n for index in range(depth)]:
        return "from the end"
    return "all copied" if count == depth else ""


EXERCISES = (
    Exercise(
        name="chop",
        lesson="04",
        title="Chop a network",
        points=3,
        pose=_pose_chop,
        ask=ask_chop,
        judge=_judge_chop,
        misconceptions={
            "from the end": "the last n layers were copied; transfer keeps the layers next to the image.",
            "off by one": "n counts layers from 1, Python's indices from 0.",
            "weights only": "a layer is its weights and its biases: copy both.",
            "all copied": "the layers above n must be re-initialised, or there is nothing left to learn.",
            "not fresh": "above the chop come the new random layers, just as they are in `fresh`.",
            "shared": "the copy is the very same tensor: fine-tuning would ruin the base for the next network.",
            "shared fresh": "the layers above are the tensors of `fresh`: the next network cannot start from them.",
        },
    ),
)
