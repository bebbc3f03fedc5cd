"""Exercises of lesson 06: Figure 3."""

import math
from collections.abc import Callable

import numpy as np

from course.asking.lesson06 import ask_cost_of_distance, ask_never_learned, ask_random_std
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by
from course.exercises.tables import base_top1, draw_table, numbered, table_of, without

NEAR = 0.98
EXACT = (61, 110, 489)  # numbers of classes for which every usual way of computing meets 98 % of ln K exactly


def _pose_filters(generator: np.random.Generator) -> tuple[Case, ...]:
    fixed = ((32, 3, 9, 9), (48, 64, 3, 3), (128, 432), (10, 7), (5, 1, 3, 3), (7, 4, 1, 1))
    channels = [tuple(int(side) for side in generator.integers(2, 90, 2)) for _ in range(2)]
    drawn = [(*pair, *([int(generator.choice([1, 5, 7]))] * 2)) for pair in channels]
    return tuple(Case(f"weights of shape {shape}", {"shape": list(shape)}) for shape in (*fixed, *drawn))


def _std(case: Case) -> float:
    return math.sqrt(2 / math.prod(case.given["shape"][1:]))


def _fan_out(case: Case) -> float:
    outputs, _, *kernel = case.given["shape"]
    return math.sqrt(2 / (outputs * math.prod(kernel)))


def _averaged(case: Case) -> float:
    """After Glorot: the mean of what goes in and what goes out."""
    outputs, inputs, *kernel = case.given["shape"]
    return math.sqrt(2 / ((inputs + outputs) * math.prod(kernel)))


def _pose_losses(generator: np.random.Generator) -> tuple[Case, ...]:
    """Also losses at the bound and next to it, far above it and infinite, the same several times; and all learned."""
    cases = []
    for classes in (40, 1000, 2, 28):
        ratios = np.concatenate([[0.1, 0.6, 0.999, 0.985, 0.96, 1.01, 1.4, 1.4], generator.uniform(0, 0.95, 3)])
        losses = generator.permutation(ratios) * math.log(classes)
        cases.append(_losses(f"{len(losses)} networks of {classes} classes", losses, classes))
    for classes in EXACT:
        bound = NEAR * math.log(classes)
        losses = np.array([bound, bound * (1 - 1e-6), bound * (1 + 1e-6), 0.2, bound, math.inf, 50.0])
        cases.append(_losses(f"losses at and beside 98 % of ln {classes}", losses, classes))
    cases.append(_losses("3 networks of 40 classes that all learned", np.array([0.1, 0.2, 0.1]), 40))
    cases.append(_losses("1 network of 10 classes that never learned", np.array([2.3]), 10))
    return tuple(cases)


def _losses(name: str, losses: np.ndarray, classes: int) -> Case:
    return Case(name, {"losses": losses, "classes": classes})


def _above(level: Callable[[int], float], *, strictly: bool = False) -> Callable[[Case], list[Plain]]:
    def made(case: Case) -> list[Plain]:
        bound = NEAR * level(case.given["classes"])
        return [bool(loss > bound if strictly else loss >= bound) for loss in case.given["losses"]]

    return made


_never = _above(math.log)


def _within(case: Case) -> Plain:
    level = math.log(case.given["classes"])
    return [bool(abs(loss - level) <= (1 - NEAR) * level * (1 + 1e-9)) for loss in case.given["losses"]]


def _places(case: Case) -> Plain:
    return [bool(place) if place < 2 else place for place, never in enumerate(_never(case)) if never]


def _pose_distance(generator: np.random.Generator) -> tuple[Case, ...]:
    """Networks are missing, so that no two ways to average agree; there are other treatments, and other row numbers."""
    plans = (
        ("one random split", ["random0", "natural"], (1, 4, 7), (0,), ""),
        ("three seeds", ["random2", "natural"], (2, 6), (0, 1, 4), ""),
        ("all n", ["natural", "random1"], tuple(range(1, 8)), (4,), "shuffled"),
        ("two seeds, filtered", ["random3", "natural"], (1, 3, 5), (0, 1), "filtered"),
    )
    cases = []
    for name, splits, ns, seeds, how in plans:
        columns = draw_table(generator, splits, seeds, ("BnB", "AnB", "AnB+", "RnB"), ns)
        kept = without(columns, lambda row, ns=ns, seeds=seeds: _is_lacking(row, ns, seeds))  # type: ignore[misc]
        cases.append(Case(f"a table of {name}", numbered(generator, kept, how)))
    return tuple(cases)


def _is_lacking(row: dict[str, Plain], ns: tuple[int, ...], seeds: tuple[int, ...]) -> bool:
    """Of the natural split, target A at the first n; of a second seed, AnB at the last n for target B."""
    if row["split"] == "natural" and row["target"] == "A" and row["n"] == ns[0]:
        return True
    later = len(seeds) > 1 and row["seed"] != seeds[0]
    return later and row["treatment"] == "AnB" and row["target"] == "B" and row["n"] == ns[-1]


def _cost(
    *keys: str, treatments: tuple[str, ...] = ("AnB",), scale: float = 100.0, over: tuple[str, ...] = ()
) -> Callable[[Case], Plain]:
    """Natural minus similar in points; from each network the mean base that shares these keys is subtracted first.

    `over` names columns for whose values means are taken before those of the splits.
    """

    def made(case: Case) -> Plain:
        table = table_of(case)
        values = table["top1"] - (base_top1(table, keys) if keys else 0.0)
        chosen = table.assign(value=values)[table["treatment"].isin(treatments)]
        if over:
            chosen = chosen.groupby(["split", *over])["value"].mean().reset_index()
        natural = chosen["split"] == "natural"
        return scale * float(chosen.loc[natural, "value"].mean() - chosen.loc[~natural, "value"].mean())

    return made


_OWN = ("split", "seed", "target")
_distance = _cost(*_OWN)

EXERCISES = (
    Exercise(
        name="random_std",
        lesson="06",
        title="Random filters that let a signal through",
        points=2,
        pose=_pose_filters,
        ask=ask_random_std,
        form="one number",
        judge=judge_by("your standard deviation", _std),
        right=_std,
        misconceptions={
            "no relu": "that keeps the variance through a linear layer; ReLU throws half of the signal's power away.",
            "variance": "that is the variance; its root is asked for.",
            "fan-out": "you counted the units that each unit feeds; its variance comes from the inputs that it sums.",
            "averaged": "that is the mean of inputs and outputs, after Glorot; the signal alone asks for the inputs.",
            "channels": "a filter sums over its whole window, not only over channels.",
            "published": "that is the authors' number for every layer, with which the signal dies out on its way.",
        },
        signatures={
            "no relu": lambda case: _std(case) / math.sqrt(2),
            "variance": lambda case: _std(case) ** 2,
            "fan-out": _fan_out,
            "averaged": (_averaged, lambda case: _averaged(case) * math.sqrt(2)),
            "channels": lambda case: math.sqrt(2 / case.given["shape"][1]),
            "published": lambda case: 0.01,
        },
    ),
    Exercise(
        name="never_learned",
        lesson="06",
        title="Which networks never learned?",
        points=2,
        pose=_pose_losses,
        ask=ask_never_learned,
        form="a list of True or False, one for each network",
        judge=judge_by("your list of networks that never learned", _never),
        right=_never,
        misconceptions={
            "log2": "these losses use the natural logarithm (nats), not base 2 (bits).",
            "log10": "cross-entropy uses the natural logarithm.",
            "chance": "1 / K is the accuracy of guessing; its loss is the logarithm of K.",
            "exactly": "no loss stays exactly at ln K: the bound is 98 % of it.",
            "above": "at least 98 % includes 98 % itself.",
            "within": "a loss far above that of guessing has not learned either: at least 98 % has no upper end.",
            "places": "those are the places of the networks that never learned; True or False is asked for each.",
        },
        signatures={
            "log2": _above(math.log2),
            "log10": _above(math.log10),
            "chance": _above(lambda classes: 1 / classes),
            "exactly": _above(lambda classes: math.log(classes) / NEAR),
            "above": _above(math.log, strictly=True),
            "within": _within,
            "places": _places,
        },
    ),
    Exercise(
        name="cost_of_distance",
        lesson="06",
        title="What does distance cost?",
        points=3,
        pose=_pose_distance,
        ask=ask_cost_of_distance,
        form="one number",
        judge=judge_by("your difference", _distance),
        right=_distance,
        misconceptions={
            "raw": "you compared accuracies, but the halves of the two splits are not equally hard: pair first.",
            "sign": "subtract similar from natural: if distance costs accuracy, the number is negative.",
            "fractions": "points are hundredths: multiply by 100.",
            "controls too": "only AnB transfers and stays frozen: the other treatments answer other questions.",
            "fine-tuned too": "AnB+ is a treatment of its own: take AnB alone.",
            "one base": "a base belongs to one split: take the base of the same split, seed and target.",
            "of the seeds": "each seed has its own base: take the base of the same split, seed and target.",
            "bases too": "a base differs from itself by 0, which only dilutes the mean: take AnB alone.",
            "means of means": "the mean over all AnB networks counts each once; means of means count some for more.",
        },
        signatures={
            "raw": _cost(),
            "sign": _cost(*_OWN, scale=-100.0),
            "fractions": _cost(*_OWN, scale=1.0),
            "controls too": (
                _cost(*_OWN, treatments=("BnB", "AnB", "RnB")), _cost(*_OWN, treatments=("BnB", "AnB", "AnB+", "RnB")),
                _cost(*_OWN, treatments=("base", "BnB", "AnB", "AnB+", "RnB")),
            ),
            "fine-tuned too": _cost(*_OWN, treatments=("AnB", "AnB+")),
            "one base": (_cost("target"), _cost("seed", "target")),
            "of the seeds": _cost("split", "target"),
            "bases too": _cost(*_OWN, treatments=("base", "AnB")),
            "means of means": tuple(_cost(*_OWN, over=over) for over in (("seed",), ("target",), ("n",))),
        },
    ),
)  # fmt: skip
