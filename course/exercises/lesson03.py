"""Exercises of lesson 03: a base network, layer by layer."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from course.asking.lesson03 import ask_layer_cost, ask_output_size, ask_receptive_field
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by

Layers = list[list[int]]


def _pose_size(generator: np.random.Generator) -> tuple[Case, ...]:
    """Among those that are posed on every draw: steps that do not come out even, by a little and by more than half."""
    fixed = ((227, 11, 4, 0, True), (48, 9, 3, 0, True), (14, 5, 1, 2, False), (7, 3, 2, 1, False),
             (11, 3, 3, 0, False), (10, 3, 3, 0, False), (12, 5, 4, 0, False), (8, 3, 1, 0, True), (9, 4, 1, 1, True),
             (5, 5, 1, 0, False), (6, 2, 3, 0, False), (13, 1, 1, 0, True), (3, 3, 2, 3, True), (30, 7, 5, 3, True),
             (12, 2, 5, 2, False))  # fmt: skip
    kernels = generator.choice([1, 3, 5, 7], 2).tolist()
    drawn = [
        (int(generator.integers(30, 90)), kernel, 2, kernel // 2, pool)
        for kernel, pool in zip(kernels, (0, 1), strict=True)
    ]
    cases = []
    for size, kernel, stride, padding, pool in (*fixed, *drawn):
        pooled = ", pooled" if pool else ""
        name = f"size {size}, kernel {kernel}, stride {stride}, padding {padding}{pooled}"
        given = {"size": size, "kernel": kernel, "stride": stride, "padding": padding, "pool": bool(pool)}
        cases.append(Case(name, given))
    return tuple(cases)


def _size(
    case: Case, sides: int = 2, plus: int = 1, rounded: Callable[[float], int] = math.floor, *,
    pool_plus: int = 1, pool_rounded: Callable[[float], int] = math.floor,
) -> int:  # fmt: skip
    size, kernel, stride, padding = (case.given[name] for name in ("size", "kernel", "stride", "padding"))
    outputs = rounded((size + sides * padding - kernel) / stride) + plus
    return pool_rounded((outputs - 3) / 2) + pool_plus if case.given["pool"] else outputs


def _changed(**changes: Any) -> Callable[[Case], int]:
    """The size with some of the arguments changed."""
    return lambda case: _size(Case(case.name, {**case.given, **changes}))


def _apart(case: Case) -> int:
    """The size if size and kernel were divided by the stride one by one."""
    size, kernel, stride, padding = (case.given[name] for name in ("size", "kernel", "stride", "padding"))
    outputs = int((size + 2 * padding) // stride - kernel // stride + 1)
    return (outputs - 3) // 2 + 1 if case.given["pool"] else outputs


def _pose_cost(generator: np.random.Generator) -> tuple[Case, ...]:
    drawn = [[int(number) for number in generator.integers(2, 30, 3)] for _ in range(2)]
    listed = [(256, 96, 5, 27, 2), (32, 3, 9, 14, 1), *((4 * a, 4 * b, 3, c, 4) for a, b, c in drawn), (10, 6, 1, 1, 1),
              (512, 512, 3, 56, 1), (4096, 4096, 3, 224, 2), (6, 6, 3, 5, 6), (12, 8, 2, 7, 4),
              (1, 1, 1, 1, 1)]  # fmt: skip
    names = ("filters", "inputs", "kernel", "size", "groups")
    return tuple(
        Case(
            f"{_counted(filters, 'filter')} of {kernel} x {kernel} over {_counted(inputs, 'channel')} in "
            f"{_counted(groups, 'group')}, {size} x {size} out",
            dict(zip(names, (filters, inputs, kernel, size, groups), strict=True)),
        )
        for filters, inputs, kernel, size, groups in listed
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _cost(case: Case, biases: bool = True, places: bool = True, grouped: bool = True, power: int = 2) -> list[Any]:
    filters, inputs, kernel, size, groups = case.given.values()
    weights = filters * (inputs // groups if grouped else inputs) * kernel**power
    return [weights + filters * biases, weights * (size**2 if places else 1)]


def _one_bias(case: Case) -> Plain:
    weights, multiplications = _cost(case, biases=False)
    return [weights + 1, multiplications]


def _biases_multiplied(case: Case) -> Plain:
    parameters, _ = _cost(case)
    return [parameters, parameters * case.given["size"] ** 2]


def _in_32_bits(case: Case) -> Plain:
    return [(number + 2**31) % 2**32 - 2**31 for number in _cost(case)]


def _pose_field(generator: np.random.Generator) -> tuple[Case, ...]:
    fixed: list[Layers] = [[[9, 3], [3, 2], [3, 1], [3, 2]], [[3, 1], [3, 1], [3, 1]], [[5, 2]], [], [[4, 2], [2, 2]],
                           [[2, 1], [4, 3], [3, 1]], [[1, 2], [3, 1]], [[3, 1], [1, 4], [2, 1]],
                           [[11, 4], [3, 2], [5, 1], [3, 2], [3, 1], [3, 1], [3, 1], [3, 2]]]  # fmt: skip
    drawn = [[[int(generator.choice([1, 3, 5])), int(generator.integers(1, 4))] for _ in range(4)] for _ in range(2)]
    return tuple(
        Case(f"kernels and strides {layers}" if layers else "no layers", {"layers": layers})
        for layers in (*fixed, *drawn)
    )


def _layers(case: Case) -> Layers:
    found: Layers = case.given["layers"]
    return found


def _with_layers(case: Case, layers: Layers) -> Case:
    return Case(case.name, {"layers": layers})


def _field(case: Case, *, own_stride: bool = False, strides: bool = True, less: int = 1) -> int:
    field, step = 1, 1
    for kernel, stride in case.given["layers"]:
        step *= stride if own_stride else 1
        field += (kernel - less) * (step if strides else 1)
        step *= 1 if own_stride else stride
    return field


EXERCISES = (
    Exercise(
        name="output_size",
        lesson="03",
        title="The size of what comes out",
        points=1,
        pose=_pose_size,
        ask=ask_output_size,
        form="a whole number",
        judge=judge_by("the size", _size),
        right=_size,
        misconceptions={
            "fence posts": "you counted the steps between the places; there is one more place than steps.",
            "one side": "padding is added on both sides.",
            "rounded up": "a window that hangs over the edge does not count: round down.",
            "apart": "subtract first and divide then: two numbers rounded down give another difference.",
            "no pooling": "pooling takes 3 x 3 windows in steps of 2, which makes the picture smaller once more.",
            "always pooled": "pooling follows only where `pool` is true.",
        },
        signatures={
            "fence posts": tuple(
                lambda case, pair=pair: _size(case, plus=pair[0], pool_plus=pair[1])  # type: ignore[misc]
                for pair in ((0, 0), (0, 1), (1, 0))
            ),
            "one side": lambda case: _size(case, sides=1),
            "rounded up": tuple(
                lambda case, pair=pair: _size(case, rounded=pair[0], pool_rounded=pair[1])  # type: ignore[misc]
                for pair in product((math.ceil, round, math.floor), repeat=2)
            ),
            "apart": _apart,
            "no pooling": _changed(pool=False),
            "always pooled": _changed(pool=True),
        },
    ),
    Exercise(
        name="layer_cost",
        lesson="03",
        title="Weights and work",
        points=2,
        pose=_pose_cost,
        ask=ask_layer_cost,
        form="two whole numbers, the parameters and the multiplications",
        judge=judge_by("parameters and multiplications", _cost),
        right=_cost,
        misconceptions={
            "no biases": "every filter has a bias, which is a parameter too.",
            "one bias": "every filter has a bias of its own.",
            "biases multiplied": "adding a bias is no multiplication: count with weights only.",
            "one place": "a filter is applied at every place of the output: each weight is used size x size times.",
            "all groups": "with groups, a filter sees only the input channels of its own group.",
            "one row": "a filter has kernel x kernel weights for each channel that it sees.",
            "32 bits": "the number does not fit into 32 bits and has wrapped around: Python's own int has no limit.",
        },
        signatures={
            "no biases": lambda case: _cost(case, biases=False),
            "one bias": _one_bias,
            "biases multiplied": _biases_multiplied,
            "one place": lambda case: _cost(case, places=False),
            "all groups": lambda case: _cost(case, grouped=False),
            "one row": lambda case: _cost(case, power=1),
            "32 bits": _in_32_bits,
        },
    ),
    Exercise(
        name="receptive_field",
        lesson="03",
        title="What one unit sees",
        points=2,
        pose=_pose_field,
        ask=ask_receptive_field,
        form="a whole number",
        judge=judge_by("the side", _field),
        right=_field,
        misconceptions={
            "no strides": "after a stride of 2, neighbouring units lie two pixels apart: later kernels reach further.",
            "own stride": "a layer's stride spreads its own outputs, not the units that it reads.",
            "whole kernels": "a kernel of 3 adds two neighbours to what one unit already saw.",
            "odd kernels": "a kernel of 4 adds three neighbours: kernels need not be odd.",
            "from the top": "the first layer comes first: only strides below a layer spread what it reads.",
        },
        signatures={
            "no strides": lambda case: _field(case, strides=False),
            "own stride": lambda case: _field(case, own_stride=True),
            "whole kernels": lambda case: _field(case, less=0),
            "odd kernels": lambda case: _field(_with_layers(case, [[k // 2 * 2 + 1, s] for k, s in _layers(case)])),
            "from the top": lambda case: _field(_with_layers(case, _layers(case)[::-1])),
        },
    ),
)
