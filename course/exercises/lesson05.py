"""Exercises of lesson 05: Figure 2."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course.asking.frame import frame
from course.asking.lesson05 import ask_falls_at, ask_paired_differences, ask_treatment
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by
from course.exercises.tables import base_top1, draw_table
from transferkit.treatments import grid, parse_run


def _pose_treatment(generator: np.random.Generator) -> tuple[Case, ...]:
    """Both bases, and labels of every treatment with either half and different n."""
    labels = [run.label for run in grid("random0", 0)]
    drawn = generator.choice(labels[2:], 12, replace=False).tolist()
    fixed = ["A3B+", "A5B", "B4A", "B2B", "A6A", "B7B+", "A1A+", "R3A", "baseA", "baseB"]
    return tuple(Case(f"the label {label}", {"label": label}) for label in dict.fromkeys([*fixed, *drawn]))


def _treatment(case: Case) -> str:
    return str(parse_run(case.given["label"], "random0", 0).treatment)


def _literal(case: Case) -> str:
    """The answer if "BnB" meant that the source is half B."""
    run, label = parse_run(case.given["label"], "random0", 0), case.given["label"]
    return label if run.n == 0 else f"{label[0]}nB{'+' * run.finetune}"


def _no_plus(case: Case) -> str:
    return _treatment(case).removesuffix("+")


def _always_transfer(case: Case) -> str:
    run = parse_run(case.given["label"], "random0", 0)
    return f"AnB{'+' * run.finetune}" if run.source in ("A", "B") else _treatment(case)


def _random_is_transfer(case: Case) -> str:
    return "AnB" if case.given["label"].startswith("R") else _treatment(case)


def _pose_paired(generator: np.random.Generator) -> tuple[Case, ...]:
    plans: tuple[tuple[str, list[str], list[int]], ...] = (
        ("two splits and two seeds", ["random0", "random3"], [3, 5]),
        ("one split and two seeds", ["random1"], [0, 1]),
        ("three splits", ["random0", "random2", "natural"], [0]),
        ("one split and one seed", ["random0"], [0]),
    )
    return tuple(
        Case(name, {"table": draw_table(generator, splits, seeds, ("BnB", "AnB", "AnB+"), (1, 4, 7))})
        for name, splits, seeds in plans
    )


def _differences(*keys: str) -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        table = frame(case.given["table"])
        bases = base_top1(table, keys) if keys else table.loc[table["treatment"] == "base", "top1"].mean()
        return np.asarray(table["top1"] - bases, dtype=float)

    return made


def _from_source(case: Case) -> Plain:
    table = frame(case.given["table"])
    sources = table["source"].fillna(table["target"])
    bases = base_top1(table.assign(target=sources))  # a base's own source is itself
    return np.asarray(table["top1"] - bases, dtype=float)


def _pose_falls(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for name, first in (
        ("a curve that falls late", 6),
        ("a curve that falls early", 2),
        ("a curve that never falls", 0),
    ):
        steps = np.where(np.arange(1, 8) >= (first or 8), -4.0, 2.0) + generator.uniform(-0.4, 0.4, 7)
        widths = generator.uniform(0.5, 1.2, 7)
        if first > 4:  # two intervals that hold zero: one mean above it, one below
            steps[2:4], widths[2:4] = (0.5, -0.5), 1.5
        if first == 0:
            steps[4:], widths[4:] = -0.7, 1.6
        cases.append(Case(name, _intervals(np.arange(1, 8), steps, widths)))
    ns = np.array([1, 3, 5, 7])
    cases.append(Case("odd n only", _intervals(ns, np.array([1.0, -0.4, -3.0, -9.0]), np.array([0.5, 0.6, 1.0, 0.7]))))
    shape = (np.array([0.6, -1.0, -0.2, -3.0, -5.0]), np.array([0.4, 0.5, 0.5, 1.0, 1.0]))
    cases.append(Case("a curve that falls at n = 2 and recovers at n = 3", _intervals(np.arange(1, 6), *shape)))
    return tuple(cases)


def _intervals(ns: Any, means: Any, widths: Any) -> dict[str, Plain]:
    columns = {"n": ns, "mean": means, "low": means - widths, "high": means + widths}
    return {"table": {name: np.asarray(values).tolist() for name, values in columns.items()}}


def _first(column: str) -> Callable[[Case], Plain]:
    """The first n at which a column is below zero; 0 if there is none."""
    return lambda case: _some_n(frame(case.given["table"]), column, 0)


def _some_n(table: pd.DataFrame, column: str, place: int) -> int:
    below = table.loc[table[column] < 0, "n"].to_list()
    return int(below[place]) if below else 0


def _index(case: Case) -> Plain:
    table = frame(case.given["table"])
    below = np.flatnonzero(table["high"] < 0)
    return int(below[0]) if below.size else 0


EXERCISES = (
    Exercise(
        name="treatment",
        lesson="05",
        title="The treatment of a label",
        points=2,
        pose=_pose_treatment,
        ask=ask_treatment,
        judge=judge_by(
            "your treatment", _treatment,
            {"literal": _literal, "no plus": _no_plus, "all transfer": _always_transfer, "random": _random_is_transfer},
        ),
        misconceptions={
            "literal": "in BnB, B stands for the target, whichever half that is: B3A is a transfer and A3A a selffer.",
            "no plus": "the + says that the copied layers are fine-tuned, which is a treatment of its own.",
            "all transfer": "if source and target are the same half, nothing is transferred: that is a selffer.",
            "random": "R does not stand for a half: these layers have learned nothing.",
        },
    ),
    Exercise(
        name="paired_differences",
        lesson="05",
        title="Pair the differences",
        points=3,
        pose=_pose_paired,
        ask=ask_paired_differences,
        judge=judge_by(
            "your column of differences", _differences("split", "seed", "target"),
            {
                "unpaired": _differences(), "other splits": _differences("target"),
                "of the seeds": _differences("split", "target"), "of both halves": _differences("split", "seed"),
                "source": _from_source,
            },
        ),
        misconceptions={
            "unpaired": "you subtracted the mean of all bases, but halves are not equally hard, and that stays in.",
            "other splits": "half B of another split holds other classes: its base solves another task.",
            "of the seeds": "each seed has its own base, which saw its images in the same order as these networks.",
            "of both halves": "the target half decides how hard the task is: take the base of that half alone.",
            "source": "you took the base whose layers were copied, which solves another task.",
        },
    ),
    Exercise(
        name="falls_at",
        lesson="05",
        title="Where does it fall?",
        points=2,
        pose=_pose_falls,
        ask=ask_falls_at,
        judge=judge_by(
            "your n", _first("high"),
            {
                "mean": _first("mean"), "low": _first("low"), "index": _index,
                "last": lambda case: _some_n(frame(case.given["table"]), "high", -1),
            },
        ),
        misconceptions={
            "mean": "a mean below zero may be chance: the whole interval must lie below zero.",
            "low": "an interval whose lower end is below zero may still hold zero: look at its upper end.",
            "index": "that is the number of the row, counted from 0, not the n in that row.",
            "last": "that is the last such n; the first is asked for.",
        },
    ),
)  # fmt: skip
