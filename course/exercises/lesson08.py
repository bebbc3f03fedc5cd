"""Exercises of lesson 08: reading the evidence."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.special import stdtrit  # in every sandbox, scipy.stats would take a second to import

from course.asking.lesson08 import ask_further_splits, ask_no_difference, ask_split_interval
from course.asking.plain import Plain
from course.exercises.exercise import Case, Exercise, judge_by
from course.exercises.tables import numbered, table_of

MOST = 20_000  # splits; for a right answer a thousand are enough, for some wrong ones not


def _pose_interval(generator: np.random.Generator) -> tuple[Case, ...]:
    plans = (
        ("four splits", (2, 2, 2, 2), ""),
        ("splits of unequal numbers of networks", (6, 2, 2, 4), ""),
        ("three splits, shuffled", (2, 3, 5), "shuffled"),
        ("two splits", (4, 2), ""),
        ("six splits, one of a single network, filtered", (1, 2, 4, 2, 6, 2), "filtered"),
    )
    return tuple(Case(name, numbered(generator, _networks(generator, counts), how)) for name, counts, how in plans)


def _networks(generator: np.random.Generator, counts: tuple[int, ...]) -> dict[str, list[Plain]]:
    """Networks of splits whose centres lie apart, so that an interval is never narrow by chance."""
    centres = -0.04 + 0.02 * np.linspace(-1, 1, len(counts)) + generator.normal(0, 0.005, len(counts))
    rows = [
        (f"random{split}" if split else "natural", network // 2, "AB"[network % 2], float(centre + noise))
        for split, (count, centre) in enumerate(zip(counts, centres, strict=True))
        for network, noise in enumerate(generator.normal(0, 0.004, count))
    ]
    order = generator.permutation(len(rows))
    names = ("split", "seed", "target", "paired")
    return {name: [rows[index][place] for index in order] for place, name in enumerate(names)}


def _interval(
    *, over: tuple[str, ...] = ("split",), factor: float | None = None, root: bool = True, ddof: int = 1,
    scale: float = 100, level: float = 0.975, more: int = 0, by_networks: bool = False,
) -> Callable[[Case], list[Any]]:  # fmt: skip
    """The interval over the means of what shares the columns `over` (over networks if there are none).

    `more` is added to the degrees of freedom, which are those of the networks if `by_networks`.
    """

    def made(case: Case) -> list[Any]:
        table = table_of(case)
        means = (table.groupby(list(over))["paired"].mean() if over else table["paired"]).to_numpy()
        error = means.std(ddof=ddof) / (np.sqrt(len(means)) if root else 1)
        freedom = (len(table) if by_networks else len(means)) - 1 + more
        half = error * (factor or stdtrit(freedom, level))
        return [scale * float(means.mean() - half), scale * float(means.mean() + half)]

    return made


_right_interval = _interval()


def _about_networks(case: Case) -> Plain:
    (low, high), table = _right_interval(case), table_of(case)
    moved = 100 * float(table["paired"].mean()) - (low + high) / 2
    return [low + moved, high + moved]


def _pose_verdict(generator: np.random.Generator) -> tuple[Case, ...]:
    """Intervals within, beyond and across the margin, on either side, and some that end at the margin itself.

    None lies wholly beyond the margin but for an end at it: whether that is large enough is a matter of taste.
    """
    fixed = [(-0.4, 0.6, 1.0), (0.2, 0.8, 1.0), (-3.0, 4.0, 1.0), (0.5, 1.6, 1.0), (1.4, 3.0, 1.0), (-2.5, -1.2, 1.0),
             (-1.9, 0.3, 2.0), (-2.9, -0.6, 0.5), (-0.3, 2.5, 2.0), (-2.0, -0.5, 1.0), (-0.5, 1.0, 1.0),
             (-1.0, 0.5, 1.0), (-1.0, 1.0, 1.0), (-0.9, -0.1, 1.0), (-5.0, 0.2, 1.0), (0.1, 5.0, 0.25),
             (-0.01, 0.02, 0.03), (20.0, 30.0, 10.0), (-1.5, 1.2, 1.0), (-0.2, 0.9, 0.5)]  # fmt: skip
    middles, halves = generator.normal(0, 1.5, 8), generator.uniform(0.1, 2, 8)
    drawn = [(low, high, 1.0) for low, high in zip(middles - halves, middles + halves, strict=True)]
    return tuple(
        Case(
            f"an interval from {low:+.2f} to {high:+.2f} and a margin of {margin:g}",
            {"low": float(low), "high": float(high), "margin": float(margin)},
        )
        for low, high, margin in (*fixed, *drawn)
    )


def _verdict(low: float, high: float, margin: float) -> str:
    if -margin < low and high < margin:
        return "holds"
    return "fails" if low >= margin or high <= -margin else "undecided"


def _absence(low: float, high: float, margin: float) -> str:
    return "holds" if low < 0 < high else "fails"


def _any_effect(low: float, high: float, margin: float) -> str:
    return _verdict(low, high, margin) if low < 0 < high else "fails"


def _estimate_only(low: float, high: float, margin: float) -> str:
    return "holds" if abs(low + high) / 2 < margin else "fails"


def _never_undecided(low: float, high: float, margin: float) -> str:
    return "holds" if _verdict(low, high, margin) == "holds" else "fails"


def _never_fails(low: float, high: float, margin: float) -> str:
    return "holds" if _verdict(low, high, margin) == "holds" else "undecided"


def _touching(low: float, high: float, margin: float) -> str:
    return "holds" if -margin <= low and high <= margin else _verdict(low, high, margin)


def _both_ends(low: float, high: float, margin: float) -> str:
    """If both ends beyond the margin were enough, though the values between them are not."""
    return "fails" if min(abs(low), abs(high)) > margin else _verdict(low, high, margin)


def _upper_end(low: float, high: float, margin: float) -> str:
    return "holds" if high < margin else "fails" if low > margin else "undecided"


def _margin_of_one(low: float, high: float, margin: float) -> str:
    return _verdict(low, high, 1.0)


def _of(rule: Callable[[float, float, float], str], case: Case) -> str:
    return rule(case.given["low"], case.given["high"], case.given["margin"])


def _pose_further(generator: np.random.Generator) -> tuple[Case, ...]:
    """Few and many more; none; and half-widths just above and just below that of a number of splits."""
    cases = []
    shares = (
        (4, 0.51), (3, 0.32), (5, 0.9), (4, 2.0), (6, 0.41), (4, 0.12), (3, 0.052), (10, 0.089), (2, 0.21), (2, 1.5),
    )  # fmt: skip
    for count, share in shares:
        differences = generator.normal(-2, 1.5, count)
        differences += 1.5 * (differences - differences.mean()) / differences.std(ddof=1)  # so they are never all alike
        half = float(stdtrit(count - 1, 0.975) * differences.std(ddof=1) / np.sqrt(count))
        cases.append(_further_case(f"{count} splits and {share:g} times today's half-width", differences, share * half))
    fixed = np.array([0.0, 1.0, 3.0])
    cases += [_further_case(f"the splits 0, 1, 3 and a half-width of {one}", fixed, one) for one in (0.3, 0.4, 0.1)]
    for number in (3, 4, 5, 7, 30):
        half = float(_halves(fixed.std(ddof=1), np.array([number]))[0])
        name = f"the splits 0, 1, 3 and a half-width just {{}} that of {number} splits in all"
        cases.append(_further_case(name.format("above"), fixed, half * 1.001))
        cases.append(_further_case(name.format("below"), fixed, half * 0.999))
    return tuple(cases)


def _further_case(name: str, differences: np.ndarray, half_width: float) -> Case:
    return Case(name, {"differences": differences.tolist(), "half_width": half_width})


def _halves(scatter: float, counts: np.ndarray, factor: float | None = None, more: int = 0) -> np.ndarray:
    """The half-width with each number of splits in all."""
    quantiles = factor or _quantiles()[counts - 1 + more]
    halves: np.ndarray = quantiles * scatter / np.sqrt(counts)
    return halves


@cache
def _quantiles() -> np.ndarray:
    """Student's t that leaves 2.5 % on either side, by degrees of freedom."""
    return np.asarray(stdtrit(np.arange(MOST + 1), 0.975))


def _further(
    *, factor: float | None = None, further: bool = True, error: bool = False, ddof: int = 1, more: int = 0,
    todays: bool = False, at_least: int | None = 0, level: float = 1.0,
) -> Callable[[Case], int]:  # fmt: skip
    def made(case: Case) -> int:
        values, wanted = np.array(case.given["differences"]), level * case.given["half_width"]
        scatter = float(values.std(ddof=ddof)) / (np.sqrt(len(values)) if error else 1)
        counts = np.arange(2, MOST)
        own = float(stdtrit(len(values) - 1, 0.975)) if todays else factor
        needed = int(counts[_halves(scatter, counts, own, more) <= wanted][0])
        left = needed - len(values) if further else needed
        return left if at_least is None else max(left, at_least)

    return made


_right_further = _further()


def _proportional(case: Case) -> Plain:
    """The answer if half the width took twice as many splits."""
    values = np.array(case.given["differences"])
    half = float(_halves(values.std(ddof=1), np.array([len(values)]))[0])
    return max(int(np.ceil(len(values) * half / case.given["half_width"])) - len(values), 0)


def _all_of_them(case: Case) -> int:
    return _right_further(case) + len(case.given["differences"])


EXERCISES = (
    Exercise(
        name="split_interval",
        lesson="08",
        title="An interval over splits",
        points=3,
        pose=_pose_interval,
        ask=ask_split_interval,
        form="two numbers, the lower and the upper end",
        judge=judge_by("your interval", _right_interval, tolerance=1e-3),
        right=_right_interval,
        tolerance=1e-3,
        misconceptions={
            "networks": "networks of one split share classes, images and bases: average within each split first.",
            "other units": "the split is the unit: average all that belongs to a split.",
            "normal": "1.96 is for many splits: with few, the scatter is itself uncertain, and Student's t is wider.",
            "freedom": "Student's t has one degree of freedom less than there are means, those of the splits.",
            "deviation": "that is how splits scatter; divide it by the root of their number for the error of the mean.",
            "population": "the scatter about their own mean is too small: divide by their number minus 1 (ddof=1).",
            "fractions": "points are hundredths: multiply by 100.",
            "one-sided": "a 95 % interval leaves 2.5 % on either side.",
            "about networks": "the middle is the mean of the splits' means, so that each split counts the same.",
        },
        signatures={
            "networks": _interval(over=()),
            "other units": (_interval(over=("target",)), _interval(over=("split", "target")),
                            _interval(over=("split", "seed")), _interval(over=("seed",))),
            "normal": (_interval(factor=1.96), _interval(factor=1.959964)),
            "freedom": (_interval(by_networks=True), _interval(more=1), _interval(by_networks=True, more=1)),
            "deviation": _interval(root=False),
            "population": _interval(ddof=0),
            "fractions": _interval(scale=1),
            "one-sided": _interval(level=0.95),
            "about networks": _about_networks,
        },
    ),
    Exercise(
        name="no_difference",
        lesson="08",
        title="Is there no difference?",
        points=2,
        pose=_pose_verdict,
        ask=ask_no_difference,
        form="one of the words holds, fails, undecided",
        judge=judge_by("your verdict", partial(_of, _verdict)),
        right=partial(_of, _verdict),
        misconceptions={
            "absence": "an interval that holds zero may be wide and hold large differences too: it proves nothing.",
            "any effect": "a difference may be certain and yet too small to matter: the margin decides.",
            "estimate": "the estimate alone ignores how uncertain it is: the whole interval decides.",
            "forced": "an interval that reaches over the margin refutes nothing: the answer is undecided.",
            "never fails": "if all values are large enough to matter, and on one side, the claim fails.",
            "touching": "a difference as large as the margin is not below it: if the interval ends there, undecided.",
            "both ends": "between two ends beyond the margin, on either side of it, lie values that are too small.",
            "one end": "the interval has two ends, and differences may be below zero.",
            "margin of 1": "the margin is an argument: it is not always 1.",
        },
        signatures={
            "absence": partial(_of, _absence),
            "any effect": partial(_of, _any_effect),
            "estimate": partial(_of, _estimate_only),
            "forced": partial(_of, _never_undecided),
            "never fails": partial(_of, _never_fails),
            "touching": partial(_of, _touching),
            "both ends": partial(_of, _both_ends),
            "one end": partial(_of, _upper_end),
            "margin of 1": partial(_of, _margin_of_one),
        },
    ),
    Exercise(
        name="further_splits",
        lesson="08",
        title="How many more splits?",
        points=2,
        pose=_pose_further,
        ask=ask_further_splits,
        form="a whole number",
        judge=judge_by("your number of further splits", _right_further),
        right=_right_further,
        misconceptions={
            "all": "that is how many splits there must be in all: subtract those that are there.",
            "normal": "1.96 is for many splits: take Student's t for the number that you try.",
            "today's t": "Student's t also shrinks with every split: take it for the number that you try.",
            "freedom": "Student's t for G splits has G - 1 degrees of freedom.",
            "error": "you took the error of today's mean for the scatter of splits, so you divided by the root twice.",
            "population": "the scatter about their own mean is too small: divide by their number minus 1 (ddof=1).",
            "whole width": "`half_width` is how far the interval reaches to either side, which is half of its width.",
            "below zero": "where there are already enough, 0 more are needed.",
            "proportional": "the interval shrinks with the root of the number, not with the number.",
        },
        signatures={
            "all": (_further(further=False), _all_of_them),
            "normal": _further(factor=1.96),
            "today's t": _further(todays=True),
            "freedom": _further(more=1),
            "error": _further(error=True),
            "population": _further(ddof=0),
            "whole width": (_further(level=0.5), _further(level=2)),
            "below zero": _further(at_least=None),
            "proportional": _proportional,
        },
    ),
)  # fmt: skip
