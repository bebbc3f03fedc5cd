"""Exercises of lesson 05: Figure 2."""

from collections.abc import Callable
from typing import Any

import numpy as np

from course.asking.lesson05 import ask_falls_at, ask_paired_differences, ask_treatment
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by
from course.exercises.tables import base_top1, draw_table, numbered, table_of, without
from transferkit.treatments import grid, parse_run

_KEYS = ("split", "seed", "target")


def _pose_treatment(_: np.random.Generator) -> tuple[Case, ...]:
    """Every label that there is, the telling ones first."""
    fixed = ["A3B+", "A5B", "B4A", "B2B", "A6A", "B7B+", "A1A+", "R3A", "baseA", "baseB"]
    labels = [run.label for run in grid("random0", 0)]
    return tuple(Case(f"the label {label}", {"label": label}) for label in dict.fromkeys([*fixed, *labels]))


def _treatment(case: Case) -> str:
    return str(parse_run(case.given["label"], "random0", 0).treatment)


def _literal(case: Case) -> str:
    """The answer if "BnB" meant that the source is half B."""
    run, label = parse_run(case.given["label"], "random0", 0), case.given["label"]
    return "base" if run.n == 0 else f"{label[0]}nB{'+' * run.finetune}"


def _always_transfer(case: Case) -> str:
    run = parse_run(case.given["label"], "random0", 0)
    return f"AnB{'+' * run.finetune}" if run.source in ("A", "B") else _treatment(case)


def _swapped(case: Case) -> str:
    right = _treatment(case)
    return {"A": "B", "B": "A"}.get(right[0], right[0]) + right[1:]


def _pose_paired(generator: np.random.Generator) -> tuple[Case, ...]:
    """Tables whose rows are numbered from 0 on, and others, filtered or shuffled, whose rows are not."""
    plans: tuple[tuple[str, list[str], list[int], str], ...] = (
        ("two splits and two seeds", ["random0", "random3"], [3, 5], ""),
        ("one split and two seeds", ["random1"], [0, 1], ""),
        ("three splits, shuffled", ["random0", "random2", "natural"], [0], "shuffled"),
        ("one split and one seed", ["random0"], [0], ""),
        ("two splits, filtered", ["random0", "natural"], [0, 2], "filtered"),
    )
    cases = []
    for name, splits, seeds, how in plans:
        columns = draw_table(generator, splits, seeds, ("BnB", "BnB+", "AnB", "AnB+", "RnB"), (1, 4, 7))
        if how == "filtered":
            columns = without(columns, lambda row: row["n"] == 4 or row["treatment"] == "RnB")
        cases.append(Case(f"a table of {name}", numbered(generator, columns, how)))
    return tuple(cases)


def _differences(*keys: str) -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        table = table_of(case)
        bases = base_top1(table, keys) if keys else table.loc[table["treatment"] == "base", "top1"].mean()
        return np.asarray(table["top1"] - bases, dtype=float)

    return made


_paired = _differences(*_KEYS)


def _from_source(case: Case) -> Plain:
    table = table_of(case)
    sources = table["source"].fillna(table["target"]).where(lambda column: column.isin(["A", "B"]), table["target"])
    bases = base_top1(table.assign(target=sources))  # a base's own source is itself
    return np.asarray(table["top1"] - bases, dtype=float)


def _aligned(case: Case) -> Plain:
    """The column if the bases of the rows, numbered from 0 on, are subtracted row number by row number."""
    table = table_of(case)
    bases = base_top1(table)
    return np.asarray(table.set_index(np.array(case.given["index"] or table.index))["top1"] - bases, dtype=float)


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
        cases.append(_intervals(name, range(1, 8), (steps - widths).tolist(), (steps + widths).tolist()))
    fixed: tuple[tuple[str, list[int], list[float], list[float]], ...] = (
        ("odd n only", [1, 3, 5, 7], [0.5, -1.0, -4.0, -9.7], [1.5, 0.2, -2.0, -8.3]),
        ("a curve that falls at n = 2 and recovers at n = 3", [1, 2, 3, 4, 5], [0.2, -1.5, -0.7, -4.0, -6.0],
         [1.0, -0.5, 0.3, -2.0, -4.0]),
        ("an interval whose upper end is 0, and one just below", [1, 2, 3], [-2.0, -2.0, -3.0], [0.0, -0.04, -1.0]),
        ("a curve that lies below from the first n on", [1, 2, 3], [-2.0, -3.0, -4.0], [-0.5, -1.0, -2.0]),
        ("a curve that falls at the last n only", [1, 2, 3], [-0.5, -1.0, -2.0], [0.5, 0.4, -0.6]),
        ("a single n", [4], [-2.0], [-1.0]),
        ("a curve that only touches 0", [2, 6], [-2.0, -1.0], [0.0, 0.0]),
    )  # fmt: skip
    cases += [_intervals(*one) for one in fixed]
    index = {"index": [12, 3, 40, 7, 1]}
    filtered = _intervals("rows that are numbered anyhow", [1, 2, 4, 5, 6], [0.1, -1, -3, -3, -4], [2, 1, -1, -2, -2])
    return (*cases, Case(filtered.name, {**filtered.given, **index}))


def _intervals(name: str, ns: Any, lows: list[float], highs: list[float]) -> Case:
    means = [round((low + high) / 2, 6) for low, high in zip(lows, highs, strict=True)]
    table = {"n": list(ns), "mean": means, "low": list(map(float, lows)), "high": list(map(float, highs))}
    return Case(name, {"table": table, "index": None})


def _below(column: str, place: int = 0, *, touching: bool = False, skip: int = 0) -> Callable[[Case], Plain]:
    """The first (or another) n at which a column is below zero, or touches it; 0 if there is none."""

    def made(case: Case) -> Plain:
        table = table_of(case)
        below = (table[column] <= 0) if touching else (table[column] < 0)
        found = table.loc[below, "n"].to_list()[skip:]
        return int(found[place]) if found else 0

    return made


_falls = _below("high")


def _row(case: Case, first: int = 0) -> Plain:
    below = np.flatnonzero(table_of(case)["high"] < 0)
    return int(below[0]) + first if below.size else 0


def _lowest(case: Case) -> Plain:
    table = table_of(case)
    return int(table["n"].iloc[int(table["mean"].argmin())])


EXERCISES = (
    Exercise(
        name="treatment",
        lesson="05",
        title="The treatment of a label",
        points=2,
        pose=_pose_treatment,
        ask=ask_treatment,
        form="a text such as 'AnB+'",
        judge=judge_by("your treatment", _treatment),
        right=_treatment,
        misconceptions={
            "literal": "in BnB, B stands for the target, whichever half that is: B3A is a transfer and A3A a selffer.",
            "no plus": "the + says that the copied layers are fine-tuned, which is a treatment of its own.",
            "all transfer": "if source and target are the same half, nothing is transferred: that is a selffer.",
            "swapped": "if source and target are the same half it is a selffer, BnB; if not, a transfer, AnB.",
            "random": "R does not stand for a half: these layers have learned nothing.",
            "which base": "both bases are of the one treatment, base.",
        },
        signatures={
            "literal": _literal,
            "no plus": lambda case: _treatment(case).removesuffix("+"),
            "all transfer": _always_transfer,
            "swapped": _swapped,
            "random": (
                lambda case: _treatment(case).replace("RnB", "AnB"),
                lambda case: _treatment(case).replace("RnB", "BnB"),
            ),
            "which base": lambda case: case.given["label"] if _treatment(case) == "base" else _treatment(case),
        },
    ),
    Exercise(
        name="paired_differences",
        lesson="05",
        title="Pair the differences",
        points=3,
        pose=_pose_paired,
        ask=ask_paired_differences,
        form="a column of numbers, one for each row",
        judge=judge_by("your column of differences", _paired),
        right=_paired,
        misconceptions={
            "unpaired": "you subtracted the mean of all bases, but halves are not equally hard, and that stays in.",
            "other splits": "half B of another split holds other classes: its base solves another task.",
            "of the seeds": "each seed has its own base, which saw its images in the same order as these networks.",
            "of both halves": "the target half decides how hard the task is: take the base of that half alone.",
            "source": "you took the base whose layers were copied, which solves another task.",
            "by row number": "pandas subtracts by the number of the row, and a merged table is numbered anew: take "
            ".to_numpy() of its column.",
        },
        signatures={
            "unpaired": _differences(),
            "other splits": (_differences("target"), _differences("seed", "target")),
            "of the seeds": _differences("split", "target"),
            "of both halves": (_differences("split", "seed"), _differences("split")),
            "source": _from_source,
            "by row number": _aligned,
        },
    ),
    Exercise(
        name="falls_at",
        lesson="05",
        title="Where does it fall?",
        points=2,
        pose=_pose_falls,
        ask=ask_falls_at,
        form="a whole number",
        judge=judge_by("your n", _falls),
        right=_falls,
        misconceptions={
            "mean": "a mean below zero may be chance: the whole interval must lie below zero.",
            "low": "an interval whose lower end is below zero may still hold zero: look at its upper end.",
            "touching": "an interval that ends at 0 does not lie below it.",
            "row": "that is the number of the row, not the n in that row.",
            "last": "that is the last such n; the first is asked for.",
            "lowest": "that is where the curve is lowest; the first n below zero is asked for.",
        },
        signatures={
            "mean": _below("mean"),
            "low": _below("low"),
            "touching": _below("high", touching=True),
            "row": (_row, lambda case: _row(case, 1)),
            "last": _below("high", -1),
            "lowest": _lowest,
        },
    ),
)  # fmt: skip
