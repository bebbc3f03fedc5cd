"""Exercises of lesson 06: Figure 3."""

import math
from collections.abc import Callable

import numpy as np

from course.asking.frame import frame
from course.asking.lesson06 import ask_cost_of_distance, ask_never_learned, ask_random_std
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by
from course.exercises.tables import base_top1, draw_table

NEAR = 0.98


def _pose_filters(generator: np.random.Generator) -> tuple[Case, ...]:
    fixed = ((32, 3, 9, 9), (48, 64, 3, 3), (128, 432), (10, 7))
    channels = [tuple(int(side) for side in generator.integers(2, 90, 2)) for _ in range(2)]
    drawn = [(*pair, *([int(generator.choice([1, 5, 7]))] * 2)) for pair in channels]
    return tuple(Case(f"weights of shape {shape}", {"shape": list(shape)}) for shape in (*fixed, *drawn))


def _std(case: Case) -> float:
    return math.sqrt(2 / math.prod(case.given["shape"][1:]))


def _fan_out(case: Case) -> float:
    outputs, _, *kernel = case.given["shape"]
    return math.sqrt(2 / (outputs * math.prod(kernel)))


def _channels_only(case: Case) -> float:
    return math.sqrt(2 / case.given["shape"][1])


def _pose_losses(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for classes in (40, 1000, 2, 28):
        ratios = np.concatenate([[0.1, 0.6, 0.999, 0.985, 0.96, 1.01], generator.uniform(0, 0.95, 3)])
        losses = generator.permutation(ratios) * math.log(classes)
        cases.append(Case(f"{len(losses)} networks of {classes} classes", {"losses": losses, "classes": classes}))
    return tuple(cases)


def _above(level: Callable[[int], float]) -> Callable[[Case], Plain]:
    return lambda case: [bool(loss >= NEAR * level(case.given["classes"])) for loss in case.given["losses"]]


def _pose_distance(generator: np.random.Generator) -> tuple[Case, ...]:
    plans = (
        ("one random split", ["random0", "natural"], (1, 4, 7), (0,)),
        ("two seeds", ["random2", "natural"], (2, 6), (0, 1)),
        ("all n", ["natural", "random1"], tuple(range(1, 8)), (4,)),
    )
    cases = []
    for name, splits, ns, seeds in plans:
        columns = draw_table(generator, splits, seeds, ("BnB", "AnB", "RnB"), ns)
        table = frame(columns)
        lacking = (table["split"] == "natural") & (table["target"] == "A") & (table["n"] == ns[0])  # not balanced
        cases.append(Case(name, {"table": table[~lacking].to_dict("list")}))
    return tuple(cases)


def _cost(*keys: str, treatments: tuple[str, ...] = ("AnB",), scale: float = 100.0) -> Callable[[Case], Plain]:
    """Natural minus similar in points; from each network the mean base that shares these keys is subtracted first."""

    def made(case: Case) -> Plain:
        table = frame(case.given["table"])
        values = table["top1"] - (base_top1(table, keys) if keys else 0.0)
        chosen, natural = table["treatment"].isin(treatments), table["split"] == "natural"
        return scale * float(values[chosen & natural].mean() - values[chosen & ~natural].mean())

    return made


_OWN = ("split", "seed", "target")

EXERCISES = (
    Exercise(
        name="random_std",
        lesson="06",
        title="Random filters that let a signal through",
        points=2,
        pose=_pose_filters,
        ask=ask_random_std,
        judge=judge_by(
            "your standard deviation", _std,
            {
                "no relu": lambda case: _std(case) / math.sqrt(2), "variance": lambda case: _std(case) ** 2,
                "fan-out": _fan_out, "channels": _channels_only, "published": lambda case: 0.01,
            },
        ),
        misconceptions={
            "no relu": "that keeps the variance through a linear layer; ReLU throws half of the signal's power away.",
            "variance": "that is the variance; its root is asked for.",
            "fan-out": "you counted the units that each unit feeds; its variance comes from the inputs that it sums.",
            "channels": "a filter sums over its whole window, not only over channels.",
            "published": "that is the authors' number for every layer, with which the signal dies out on its way.",
        },
    ),
    Exercise(
        name="never_learned",
        lesson="06",
        title="Which networks never learned?",
        points=2,
        pose=_pose_losses,
        ask=ask_never_learned,
        judge=judge_by(
            "your list of networks that never learned", _above(math.log),
            {
                "log2": _above(math.log2), "log10": _above(math.log10), "chance": _above(lambda classes: 1 / classes),
                "exactly": _above(lambda classes: math.log(classes) / NEAR),
                "inverted": lambda case: [not one for one in _above(math.log)(case)],  # type: ignore[union-attr]
            },
        ),
        misconceptions={
            "log2": "these losses use the natural logarithm (nats), not base 2 (bits).",
            "log10": "cross-entropy uses the natural logarithm.",
            "chance": "1 / K is the accuracy of guessing; its loss is the logarithm of K.",
            "exactly": "no loss stays exactly at ln K: the bound is 98 % of it.",
            "inverted": "a high loss means that nothing was learned: True belongs there.",
        },
    ),
    Exercise(
        name="cost_of_distance",
        lesson="06",
        title="What does distance cost?",
        points=3,
        pose=_pose_distance,
        ask=ask_cost_of_distance,
        judge=judge_by(
            "your difference", _cost(*_OWN),
            {
                "raw": _cost(), "sign": _cost(*_OWN, scale=-100.0), "fractions": _cost(*_OWN, scale=1.0),
                "controls too": _cost(*_OWN, treatments=("BnB", "AnB", "RnB")),
                "one base": _cost("target"), "bases too": _cost(*_OWN, treatments=("base", "AnB")),
            },
        ),
        misconceptions={
            "raw": "you compared accuracies, but the halves of the two splits are not equally hard: pair first.",
            "sign": "subtract similar from natural: if distance costs accuracy, the number is negative.",
            "fractions": "points are hundredths: multiply by 100.",
            "controls too": "only AnB transfers: BnB and RnB answer other questions.",
            "one base": "a base belongs to one split: take the base of the same split, seed and target.",
            "bases too": "a base differs from itself by 0, which only dilutes the mean: take AnB alone.",
        },
    ),
)  # fmt: skip
