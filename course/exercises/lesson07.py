"""Exercises of lesson 07: freeze or fine-tune."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course.asking.lesson07 import ask_choose_network, ask_gain_of_task, ask_images_to_reach
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by
from course.exercises.tables import base_top1, draw_table, numbered, table_of, without

CANDIDATES = (("AnB", 3), ("AnB", 5), ("AnB", 7), ("AnB+", 3), ("AnB+", 5), ("AnB+", 7))
# For each candidate, the validation and test accuracies of its seeds: on each of these tables another rule goes wrong.
Candidates = Sequence[tuple[str, int, Sequence[tuple[float, float]]]]
PLANS: Mapping[str, Candidates] = {
    "another candidate has the best of its worst seeds, the best median, or the best of another column": (
        ("AnB", 1, ((0.80, 0.50), (0.80, 0.50), (0.50, 0.50))),
        ("AnB", 5, ((0.71, 0.70), (0.72, 0.70), (0.74, 0.70))),
        ("AnB+", 1, ((0.60, 0.60), (0.61, 0.60), (0.99, 0.60))),
        ("AnB+", 5, ((0.30, 0.95), (0.30, 0.95), (0.30, 0.95))),
    ),
    "candidates of unequal numbers of seeds": (
        ("AnB", 1, ((0.80, 0.50), (0.81, 0.52))), ("AnB+", 5, ((0.70, 0.60), (0.71, 0.60), (0.72, 0.61))),
        ("AnB+", 1, ((0.60, 0.40),)),
    ),
    "the test accuracy of the best is higher than its validation accuracy": (
        ("AnB", 1, ((0.70, 0.80), (0.72, 0.82))), ("AnB+", 5, ((0.60, 0.60), (0.60, 0.62))),
    ),
    "the best n of all treatments and the best treatment of all n are of other candidates": (
        ("AnB", 1, ((0.90, 0.80), (0.91, 0.78))), ("AnB", 5, ((0.10, 0.60), (0.12, 0.60))),
        ("AnB+", 1, ((0.20, 0.70), (0.22, 0.70))), ("AnB+", 5, ((0.85, 0.60), (0.85, 0.61))),
    ),
    "the best scatters more than another": (
        ("AnB", 3, ((0.66, 0.64), (0.90, 0.88), (0.72, 0.70))), ("AnB+", 7, ((0.72, 0.71), (0.73, 0.71), (0.74, 0.72))),
    ),
}  # fmt: skip


def _pose_choice(generator: np.random.Generator) -> tuple[Case, ...]:
    """Candidates: one is best in validation, others in training, in test, and by one lucky seed.

    The best is frozen or fine-tuned in turn, each time with another n, so that no rule of thumb is always right.
    """
    cases = []
    for seeds, best, tuned in zip((3, 2, 4), generator.permutation(3), (0, 1, 0), strict=True):
        best += 3 * tuned
        others = [one for one in range(len(CANDIDATES)) if one != best]
        lucky, tested, trained = generator.permutation(others)[:3].tolist()
        valid = generator.uniform(0.60, 0.70, (len(CANDIDATES), seeds))
        valid[best] = generator.uniform(0.76, 0.80, seeds)
        valid[lucky, -1] = 0.84
        test = valid - generator.uniform(0.02, 0.04, valid.shape)
        test[tested] = generator.uniform(0.80, 0.85, seeds)
        train = valid + generator.uniform(0.05, 0.10, valid.shape)
        train[trained] = 0.99
        rows = [
            (*CANDIDATES[one], seed, train[one, seed], valid[one, seed], test[one, seed])
            for one in range(len(CANDIDATES)) for seed in range(seeds)
        ]  # fmt: skip
        name = f"{len(CANDIDATES)} candidates of {seeds} seeds each"
        cases.append(_candidates(name, rows, generator, "shuffled" if seeds == 4 else ""))
    for name, plan in PLANS.items():
        rows = [
            (treatment, n, seed, 0.99 - 0.01 * place, valid, test)
            for place, (treatment, n, measured) in enumerate(plan) for seed, (valid, test) in enumerate(measured)
        ]  # fmt: skip
        cases.append(_candidates(name, rows, generator))
    return tuple(cases)


def _candidates(name: str, rows: Sequence[Sequence[Any]], generator: np.random.Generator, how: str = "") -> Case:
    columns = ("treatment", "n", "seed", "train_top1", "valid_top1", "test_top1")
    shuffled = [rows[index] for index in generator.permutation(len(rows))]
    table: dict[str, list[Plain]] = {
        column: [round(float(row[place]), 4) if place > 2 else row[place] for row in shuffled]
        for place, column in enumerate(columns)
    }
    return Case(name, numbered(generator, table, how))


def _chosen(by: str, promised: str = "test_top1", how: str = "mean") -> Callable[[Case], list[Any]]:
    """The candidate that is best by a column, summed up over its seeds in some way, and the mean of another column."""

    def made(case: Case) -> list[Any]:
        groups = table_of(case).groupby(["treatment", "n"])[["train_top1", "valid_top1", "test_top1"]]
        return _promise(groups.mean(), groups.agg(how)[by], promised)

    return made


def _promise(means: pd.DataFrame, scores: pd.Series, promised: str = "test_top1") -> list[Any]:
    best: Any = scores.idxmax()
    return [str(best[0]), int(best[1]), float(means[promised][best])]


_choice = _chosen("valid_top1")


def _careful(case: Case) -> Plain:
    groups = table_of(case).groupby(["treatment", "n"])[["train_top1", "valid_top1", "test_top1"]]
    return _promise(groups.mean(), (groups.mean() - groups.std())["valid_top1"])


def _of_columns(*columns: str) -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        means = table_of(case).groupby(["treatment", "n"])[["train_top1", "valid_top1", "test_top1"]].mean()
        return _promise(means, means[list(columns)].sum(axis=1))

    return made


def _apart(case: Case) -> Plain:
    """The best treatment over all n and the best n over all treatments."""
    table = table_of(case)
    best: Any = tuple(table.groupby(key)["valid_top1"].mean().idxmax() for key in ("treatment", "n"))
    means = table.groupby(["treatment", "n"])["test_top1"].mean()
    return [str(best[0]), int(best[1]), float(means[best])]


def _luckiest(promised: str = "") -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        table = table_of(case)
        row = table.iloc[int(table["valid_top1"].argmax())]
        means = table.groupby(["treatment", "n"])["test_top1"].mean()
        test = row[promised] if promised else means[row["treatment"], row["n"]]
        return [str(row["treatment"]), int(row["n"]), float(test)]

    return made


def _pose_curve(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for name, images in (("four sizes", [5, 20, 80, 320]), ("three sizes", [10, 40, 160])):
        top1 = np.sort(generator.uniform(0.2, 0.8, len(images))) + 0.02 * np.arange(len(images))
        low, high = float(top1[1]), float(top1[2])
        cases.append(_curve(f"{name}, a level between two of them", images, top1, low + 0.6 * (high - low)))
        cases.append(_curve(f"{name}, a level that one of them meets exactly", images, top1, low))
        cases.append(_curve(f"{name}, a level that the smallest meets exactly", images, top1, float(top1[0])))
        cases.append(_curve(f"{name}, a level that the largest meets exactly", images, top1, float(top1[-1])))
        cases.append(_curve(f"{name}, a level that none reaches", images, top1, float(top1[-1]) + 0.05))
        cases.append(_curve(f"{name}, a level just above the largest", images, top1, float(top1[-1]) + 1e-3))
        cases.append(_curve(f"{name}, a level below the smallest", images, top1, float(top1[0]) - 0.05))
        cases.append(_curve(f"{name}, a level before the second", images, top1, 0.7 * top1[0] + 0.3 * low))
        cases.append(_curve(f"{name}, a level before the last", images, top1, 0.1 * top1[-2] + 0.9 * top1[-1]))
    for level, place in ((0.2, "below"), (0.3, "met exactly by"), (0.4, "above")):
        cases.append(_curve(f"one size, a level {place} its accuracy", [5], [0.3], level))
    return tuple(cases)


def _curve(name: str, images: list[int], top1: Any, level: float) -> Case:
    return Case(name, {"images": list(images), "top1": [float(one) for one in top1], "level": float(level)})


def _images(
    scale: Callable[[Any], Any] = np.log, back: Callable[[float], float] = np.exp, never: float = np.inf,
    met: float | None = None,
) -> Callable[[Case], Plain]:  # fmt: skip
    """The answer, interpolated on another scale; `never` where no size reaches the level; `met` where the last does."""

    def made(case: Case) -> Plain:
        images, top1, level = (case.given[name] for name in ("images", "top1", "level"))
        if level == top1[-1] and met is not None:
            return met
        return never if level > top1[-1] else float(back(np.interp(level, top1, scale(np.array(images)))))

    return made


_reached = _images()


def _clamped(case: Case) -> Plain:
    return float(case.given["images"][-1]) if case.given["level"] > case.given["top1"][-1] else _reached(case)


def _next_measured(case: Case) -> Plain:
    pairs = zip(case.given["images"], case.given["top1"], strict=True)
    return float(next((images for images, top1 in pairs if top1 >= case.given["level"]), np.inf))


def _pose_gain(generator: np.random.Generator) -> tuple[Case, ...]:
    """Balanced, and with networks missing in several ways, so that no two ways to average agree."""
    plans = (
        ("a balanced grid", ["random0"], [0], "", lambda row: False),
        ("networks missing by chance", ["random0", "random1"], [0, 1], "",
         lambda row: row["treatment"] == "AnB+" and generator.uniform() < 0.3),
        ("selffers of a target missing", ["random2", "natural"], [0], "shuffled",
         lambda row: row["treatment"] == "BnB+" and row["split"] == "random2" and row["target"] == "A"),
        ("selffers of the last n missing for one seed, and transfers of the first", ["random3", "natural"], [0, 1], "",
         lambda row: (row["seed"] == 0 and (row["treatment"], row["n"]) in (("BnB+", 7), ("AnB+", 1)))
         or (row["treatment"], row["target"], row["n"], row["seed"]) == ("BnB+", "B", 3, 1)),
        ("two seeds, filtered", ["random1"], [2, 3], "filtered",
         lambda row: row["seed"] == 2 and row["n"] > 3 and row["treatment"] != "AnB"),
    )  # fmt: skip
    cases = []
    for name, splits, seeds, how, gone in plans:
        columns = draw_table(generator, splits, seeds, ("AnB", "AnB+", "BnB", "BnB+"), (1, 3, 5, 7))
        cases.append(Case(name, numbered(generator, without(columns, gone), how)))
    return tuple(cases)


_PLACE = ["split", "seed", "target", "n"]


def _gains(
    *, matched: bool = True, against: str = "top1", bases: tuple[str, ...] = ("split", "seed", "target"),
    scale: float = 100, over: str = "", plus: str = "+",
) -> Callable[[Case], list[Any]]:  # fmt: skip
    """The answer to a case: the gain from training twice, and the gain from the other task.

    If not `matched`, the second is a difference of two means, of what `against` names. `bases` are the columns that a
    network shares with the bases that are subtracted; `over` names a column for whose values means are taken first.
    """

    def made(case: Case) -> list[Any]:
        table = table_of(case)
        table["paired"] = table["top1"] - (
            base_top1(table, bases) if bases else table.query("treatment == 'base'").top1.mean()
        )
        twice, tuned = (table[table["treatment"] == name + plus] for name in ("BnB", "AnB"))
        both = tuned.merge(twice, on=_PLACE, suffixes=("", "_twice"))
        both["paired"] = both["top1"] - both["top1_twice"]
        apart = tuned[against].mean() - twice[against].mean() if not matched else 0.0
        other = tuned["paired"].mean() if against == "base" else _mean(both, over) if matched else apart
        return [scale * _mean(twice, over), scale * float(other)]

    return made


def _mean(table: pd.DataFrame, over: str) -> float:
    return float((table.groupby(over)["paired"].mean() if over else table["paired"]).mean())


_gain = _gains()


def _matched_first(case: Case) -> Plain:
    """The gains if the first too is taken only over the networks that have a partner."""
    table = table_of(case)
    table["paired"] = table["top1"] - base_top1(table)
    twice, tuned = (table[table["treatment"] == name] for name in ("BnB+", "AnB+"))
    return [100 * float(twice.merge(tuned[_PLACE], on=_PLACE)["paired"].mean()), _gain(case)[1]]


EXERCISES = (
    Exercise(
        name="choose_network",
        lesson="07",
        title="Choose n, and freeze or fine-tune, for a new task",
        points=3,
        pose=_pose_choice,
        ask=ask_choose_network,
        form="the treatment (a text), n and an accuracy",
        judge=judge_by("your choice", _choice),
        right=_choice,
        misconceptions={
            "test": "you chose by the test images, which then no longer give an honest estimate.",
            "train": "the best on its own training images may only have learned them by heart.",
            "several columns": "you chose by several columns: training images are known by heart, and test images "
            "are needed for the promise.",
            "optimistic": "the winner won by its validation accuracy, so that is too high: report the test accuracy.",
            "learned by heart": "the training accuracy says nothing about new images: report the test accuracy.",
            "lucky": "one seed may be lucky: choose by the mean over seeds.",
            "other summary": "the mean over seeds is asked for, not their median, sum, least or most.",
            "apart": "treatment and n belong together: compare candidates, each with both.",
        },
        signatures={
            "test": _chosen("test_top1"),
            "train": (_chosen("train_top1"), _chosen("train_top1", "train_top1")),
            "several columns": (
                _of_columns("valid_top1", "test_top1"), _of_columns("train_top1", "valid_top1"),
                _of_columns("train_top1", "valid_top1", "test_top1"),
            ),
            "optimistic": _chosen("valid_top1", "valid_top1"),
            "learned by heart": _chosen("valid_top1", "train_top1"),
            "lucky": (_luckiest(), _luckiest("test_top1"), _chosen("valid_top1", how="max")),
            "other summary": (*(_chosen("valid_top1", how=how) for how in ("median", "sum", "min")), _careful),
            "apart": _apart,
        },
    ),
    Exercise(
        name="images_to_reach",
        lesson="07",
        title="How many images to reach a level?",
        points=2,
        pose=_pose_curve,
        ask=ask_images_to_reach,
        form="one number (infinity is `math.inf`)",
        judge=judge_by("your number of images", _reached, tolerance=1e-4),
        right=_reached,
        tolerance=1e-4,
        misconceptions={
            "linear": "learning curves are nearly straight on a logarithmic axis of images, not on a linear one.",
            "measured": "that is the next size that was measured; interpolate between the sizes around the level.",
            "never": "no measured size reaches the level, so nobody knows how many images do: answer infinity.",
            "met": "a size whose accuracy is the level itself reaches it.",
            "logarithm": "that is the logarithm of the number of images: take np.exp of it.",
        },
        signatures={
            "linear": _images(np.asarray, float),
            "measured": _next_measured,
            "never": (_clamped, lambda case: _images(never=-1.0)(case), lambda case: _images(never=0.0)(case)),
            "met": _images(met=np.inf),
            "logarithm": _images(back=float),
        },
    ),
    Exercise(
        name="gain_of_task",
        lesson="07",
        title="The task, or the second training?",
        points=3,
        pose=_pose_gain,
        ask=ask_gain_of_task,
        form="two numbers, the two gains",
        judge=judge_by("your two gains", _gain),
        right=_gain,
        misconceptions={
            "no control": "AnB+ minus its base is both gains at once, since AnB+ was trained twice too: subtract BnB+.",
            "unmatched": "if networks are missing, the two means are over different targets: match them first.",
            "first matched too": "the first number is the mean over all BnB+, also those without a partner.",
            "unpaired": "compare BnB+ with the base of its own split, seed and target.",
            "frozen": "AnB and BnB are the frozen ones: the + belongs to the treatment.",
            "means of means": "the mean over networks counts each once; means of means count some for more.",
            "fractions": "points are hundredths: multiply by 100.",
        },
        signatures={
            "no control": _gains(against="base"),
            "unmatched": (_gains(matched=False), _gains(matched=False, against="paired")),
            "first matched too": _matched_first,
            "unpaired": (_gains(bases=()), _gains(bases=("split", "target")), _gains(bases=("target",)),
                         _gains(bases=("seed", "target")), _gains(bases=("split", "seed"))),
            "frozen": _gains(plus=""),
            "means of means": tuple(_gains(over=over) for over in ("n", "split", "seed", "target")),
            "fractions": _gains(scale=1),
        },
    ),
)  # fmt: skip
