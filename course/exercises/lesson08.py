"""Exercises of lesson 08: reading the evidence."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import stdtrit  # in every sandbox, scipy.stats would take a second to import

from course.asking.frame import frame
from course.asking.lesson08 import ask_further_splits, ask_no_difference, ask_split_interval
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, Finding, judge_by

MOST = 1000  # splits; nobody trains more


def _pose_interval(generator: np.random.Generator) -> tuple[Case, ...]:
    plans = (
        ("four splits", (2, 2, 2, 2)),
        ("splits of unequal numbers of networks", (6, 2, 2, 4)),
        ("three splits", (2, 3, 5)),
    )
    return tuple(Case(name, {"table": _networks(generator, counts)}) for name, counts in plans)


def _networks(generator: np.random.Generator, counts: tuple[int, ...]) -> dict[str, Plain]:
    rows = [
        (f"random{split}", network // 2, "AB"[network % 2], float(center + generator.normal(0, 0.004)))
        for split, (count, center) in enumerate(zip(counts, generator.normal(-0.04, 0.02, len(counts)), strict=True))
        for network in range(count)
    ]
    order = generator.permutation(len(rows))
    names = ("split", "seed", "target", "paired")
    return {name: [rows[index][place] for index in order] for place, name in enumerate(names)}


def _interval(
    *, over: str = "split", factor: float | None = None, root: bool = True, ddof: int = 1, scale: float = 100
) -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        table = frame(case.given["table"])
        means = table["paired"].to_numpy() if over == "network" else table.groupby(over)["paired"].mean().to_numpy()
        error = means.std(ddof=ddof) / (np.sqrt(len(means)) if root else 1)
        half = error * (factor or stdtrit(len(means) - 1, 0.975))
        return [scale * float(means.mean() - half), scale * float(means.mean() + half)]

    return made


def _pose_verdict(generator: np.random.Generator) -> tuple[Case, ...]:
    fixed = [(-0.4, 0.6, 1.0), (0.2, 0.8, 1.0), (-3.0, 4.0, 1.0), (0.5, 1.6, 1.0), (1.4, 3.0, 1.0), (-2.5, -1.2, 1.0),
             (-1.9, 0.3, 2.0), (-2.9, -0.6, 0.5), (-0.3, 2.5, 2.0)]  # fmt: skip
    middles, halves = generator.normal(0, 1.5, 8), generator.uniform(0.1, 2, 8)
    drawn = [(low, high, 1.0) for low, high in zip(middles - halves, middles + halves, strict=True)]
    intervals = [[float(number) for number in one] for one in (*fixed, *drawn)]
    return (Case(f"{len(intervals)} intervals", {"intervals": intervals}),)


def _judge_verdict(case: Case, value: Any) -> Finding | None:
    """Judge all intervals together: one alone would not tell the misconceptions apart."""
    rules = {"absence": _absence, "any effect": _any_effect, "estimate": _estimate_only, "forced": _never_undecided}
    judge = judge_by("your verdicts", _of(_verdict), {name: _of(rule) for name, rule in rules.items()})
    if (found := judge(case, value)) is None:
        return None
    wrong = [(one, said) for one, said in zip(case.given["intervals"], value, strict=True) if said != _verdict(*one)]
    (low, high, margin), said = wrong[0]
    right = _verdict(low, high, margin)
    return replace(
        found, seen=f"for {low:+.2f} to {high:+.2f} with a margin of {margin:g} you say {said}; right is {right}."
    )


def _verdict(low: float, high: float, margin: float) -> str:
    if -margin < low and high < margin:
        return "holds"
    return "fails" if low > margin or high < -margin else "undecided"


def _absence(low: float, high: float, margin: float) -> str:
    return "holds" if low < 0 < high else "fails"


def _any_effect(low: float, high: float, margin: float) -> str:
    return _verdict(low, high, margin) if low < 0 < high else "fails"


def _estimate_only(low: float, high: float, margin: float) -> str:
    return "holds" if abs(low + high) / 2 < margin else "fails"


def _never_undecided(low: float, high: float, margin: float) -> str:
    return "holds" if _verdict(low, high, margin) == "holds" else "fails"


def _of(rule: Callable[..., str]) -> Callable[[Case], Plain]:
    return lambda case: [rule(*interval) for interval in case.given["intervals"]]


def _pose_further(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for count, share in ((4, 0.5), (3, 0.3), (5, 0.9), (4, 2.0), (6, 0.4)):
        differences = generator.normal(-2, 1.5, count)
        differences += 1.5 * (differences - differences.mean()) / differences.std(ddof=1)  # so they are never all alike
        half = float(stdtrit(count - 1, 0.975) * differences.std(ddof=1) / np.sqrt(count))
        given = {"differences": differences.tolist(), "half_width": share * half}
        cases.append(Case(f"{count} splits and {share:g} times today's half-width", given))
    return tuple(cases)


def _further(
    *, factor: float | None = None, further: bool = True, spread: Callable[[Any], float] | None = None
) -> Callable[[Case], Plain]:
    def made(case: Case) -> Plain:
        values, wanted = np.array(case.given["differences"]), case.given["half_width"]
        scatter = values.std(ddof=1) if spread is None else spread(values)
        counts = np.arange(2, MOST)
        halves = (factor or stdtrit(counts - 1, 0.975)) * scatter / np.sqrt(counts)
        needed = int(counts[halves <= wanted][0])
        return max(needed - len(values), 0) if further else needed

    return made


def _proportional(case: Case) -> Plain:
    """The answer if half the width took twice as many splits."""
    values = np.array(case.given["differences"])
    half = stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values))
    return max(int(np.ceil(len(values) * half / case.given["half_width"])) - len(values), 0)


EXERCISES = (
    Exercise(
        name="split_interval",
        lesson="08",
        title="An interval over splits",
        points=3,
        pose=_pose_interval,
        ask=ask_split_interval,
        judge=judge_by(
            "your interval", _interval(),
            {
                "networks": _interval(over="network"), "normal": _interval(factor=1.96),
                "deviation": _interval(root=False), "population": _interval(ddof=0), "fractions": _interval(scale=1),
                "one-sided": lambda case: _interval(factor=float(stdtrit(_splits(case) - 1, 0.95)))(case),
            },
            tolerance=1e-3,
        ),
        misconceptions={
            "networks": "networks of one split share classes, images and bases: average within each split first.",
            "normal": "1.96 is for many splits: with few, the scatter is itself uncertain, and Student's t is wider.",
            "deviation": "that is how splits scatter; divide it by the root of their number for the error of the mean.",
            "population": "the scatter about their own mean is too small: divide by their number minus 1 (ddof=1).",
            "fractions": "points are hundredths: multiply by 100.",
            "one-sided": "a 95 % interval leaves 2.5 % on either side.",
        },
    ),
    Exercise(
        name="no_difference",
        lesson="08",
        title="Is there no difference?",
        points=2,
        pose=_pose_verdict,
        ask=ask_no_difference,
        judge=_judge_verdict,
        misconceptions={
            "absence": "an interval that holds zero may be wide and hold large differences too: it proves nothing.",
            "any effect": "a difference may be certain and yet too small to matter: the margin decides.",
            "estimate": "the estimate alone ignores how uncertain it is: the whole interval decides.",
            "forced": "an interval that reaches over the margin refutes nothing: the answer is undecided.",
        },
    ),
    Exercise(
        name="further_splits",
        lesson="08",
        title="How many more splits?",
        points=2,
        pose=_pose_further,
        ask=ask_further_splits,
        judge=judge_by(
            "your number of further splits", _further(),
            {
                "all": _further(further=False), "normal": _further(factor=1.96),
                "error": _further(spread=lambda values: values.std(ddof=1) / np.sqrt(len(values))),
                "proportional": _proportional,
            },
        ),
        misconceptions={
            "all": "that is how many splits there must be in all: subtract those that are there.",
            "normal": "Student's t also shrinks with every split: take it for the number that you try.",
            "error": "you took the error of today's mean for the scatter of splits, so you divided by the root twice.",
            "proportional": "the interval shrinks with the root of the number, not with the number.",
        },
    ),
)  # fmt: skip


def _splits(case: Case) -> int:
    return len(set(case.given["table"]["split"]))
