"""Exercises of lesson 03: a base network, layer by layer."""

import math
from collections.abc import Callable

import numpy as np

from course.asking.lesson03 import ask_layer_cost, ask_output_size, ask_receptive_field
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by

Layers = list[list[int]]


def _pose_size(generator: np.random.Generator) -> tuple[Case, ...]:
    conv1, paper, conv2, one = (48, 9, 3, 0, True), (227, 11, 4, 0, True), (14, 5, 1, 2, False), (7, 3, 2, 1, False)
    kernels = generator.choice([1, 3, 5, 7], 2).tolist()
    drawn = [
        (int(generator.integers(30, 90)), kernel, 2, kernel // 2, pool)
        for kernel, pool in zip(kernels, (0, 1), strict=True)
    ]
    cases = []
    for size, kernel, stride, padding, pool in (paper, conv1, conv2, one, *drawn):
        pooled = ", pooled" if pool else ""
        name = f"size {size}, kernel {kernel}, stride {stride}, padding {padding}{pooled}"
        given = {"size": size, "kernel": kernel, "stride": stride, "padding": padding, "pool": bool(pool)}
        cases.append(Case(name, given))
    return tuple(cases)


def _size(case: Case, sides: int = 2, plus: int = 1, rounded: Callable[[float], int] = math.floor) -> int:
    size, kernel, stride, padding = (case.given[name] for name in ("size", "kernel", "stride", "padding"))
    outputs = rounded((size + sides * padding - kernel) / stride) + plus
    return rounded((outputs - 3) / 2) + plus if case.given["pool"] else outputs


def _unpooled(case: Case) -> int:
    return _size(Case(case.name, {**case.given, "pool": False}))


def _pose_cost(generator: np.random.Generator) -> tuple[Case, ...]:
    drawn = [[int(number) for number in generator.integers(2, 30, 3)] for _ in range(2)]
    listed = [(256, 96, 5, 27, 2), (32, 3, 9, 14, 1), *((4 * a, 4 * b, 3, c, 4) for a, b, c in drawn), (10, 6, 1, 1, 1)]
    names = ("filters", "inputs", "kernel", "size", "groups")
    return tuple(
        Case(
            f"{filters} filters of {kernel} x {kernel} over {inputs} channels in {groups} groups, {size} x {size} out",
            dict(zip(names, (filters, inputs, kernel, size, groups), strict=True)),
        )
        for filters, inputs, kernel, size, groups in listed
    )


def _cost(case: Case, biases: bool = True, places: bool = True, grouped: bool = True, power: int = 2) -> Plain:
    filters, inputs, kernel, size, groups = case.given.values()
    weights = filters * (inputs // groups if grouped else inputs) * kernel**power
    return [weights + filters * biases, weights * (size**2 if places else 1)]


def _pose_field(generator: np.random.Generator) -> tuple[Case, ...]:
    fixed: list[Layers] = [[[9, 3], [3, 2], [3, 1], [3, 2]], [[3, 1], [3, 1], [3, 1]], [[5, 2]], []]
    drawn = [[[int(generator.choice([1, 3, 5])), int(generator.integers(1, 4))] for _ in range(4)] for _ in range(2)]
    return tuple(Case(f"kernels and strides {layers}", {"layers": layers}) for layers in (*fixed, *drawn))


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
        judge=judge_by(
            "the size",
            _size,
            {
                "fence posts": lambda case: _size(case, plus=0),
                "one side": lambda case: _size(case, sides=1),
                "rounded up": lambda case: _size(case, rounded=math.ceil),
                "no pooling": _unpooled,
            },
        ),
        misconceptions={
            "fence posts": "you counted the steps between the places; there is one more place than steps.",
            "one side": "padding is added on both sides.",
            "rounded up": "a window that hangs over the edge does not count: round down.",
            "no pooling": "pooling takes 3 x 3 windows in steps of 2, which makes the picture smaller once more.",
        },
    ),
    Exercise(
        name="layer_cost",
        lesson="03",
        title="Weights and work",
        points=2,
        pose=_pose_cost,
        ask=ask_layer_cost,
        judge=judge_by(
            "parameters and multiplications",
            _cost,
            {
                "no biases": lambda case: _cost(case, biases=False),
                "one place": lambda case: _cost(case, places=False),
                "all groups": lambda case: _cost(case, grouped=False),
                "one row": lambda case: _cost(case, power=1),
            },
        ),
        misconceptions={
            "no biases": "every filter has a bias, which is a parameter too.",
            "one place": "a filter is applied at every place of the output: each weight is used size x size times.",
            "all groups": "with groups, a filter sees only the input channels of its own group.",
            "one row": "a filter has kernel x kernel weights for each channel that it sees.",
        },
    ),
    Exercise(
        name="receptive_field",
        lesson="03",
        title="What one unit sees",
        points=2,
        pose=_pose_field,
        ask=ask_receptive_field,
        judge=judge_by(
            "the side",
            _field,
            {
                "no strides": lambda case: _field(case, strides=False),
                "own stride": lambda case: _field(case, own_stride=True),
                "whole kernels": lambda case: _field(case, less=0),
            },
        ),
        misconceptions={
            "no strides": "after a stride of 2, neighbouring units lie two pixels apart: later kernels reach further.",
            "own stride": "a layer's stride spreads its own outputs, not the units that it reads.",
            "whole kernels": "a kernel of 3 adds two neighbours to what one unit already saw.",
        },
    ),
)
