"""What to do with given weights, by which pictures each option names rightly; and what that gains, measured elsewhere.

The best of many noisy options looks better than it is: the winner's curse. So choices and gains are measured apart: the
choice is made on one half of the pictures, its gain measured on the other, then the other way round, many times over.
Every picture was answered by networks of a fold that did not train on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from course.practice.options import CHEAPEST_FIRST, Answers
from course.practice.pictures import Numbers

ROUNDING = 1e-9  # by which a difference of exactly one standard error may seem more
DIVISIONS = 25  # of the pictures into a half to choose on and a half to measure on

SCRATCH, UNTRAINED = "training from scratch", "a head on untrained features"

Chosen = Callable[[Answers], int]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """What a choice gains over an alternative, as fractions: `value` on pictures that took no part, with its interval.

    `flattered` is the same on the very pictures that it was chosen on. `pictures` is how many were measured.
    """

    over: str
    value: float
    low: float
    high: float
    flattered: float
    pictures: int

    @property
    def told(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    @property
    def needed(self) -> float:
        """About how many pictures would tell a difference of this size from none."""
        if self.value == 0:
            return float("inf")
        return float(self.pictures * ((self.high - self.low) / 2 / self.value) ** 2)


@dataclass(frozen=True)
class Advice:
    """The choice, the option with the best mean, and those that cannot be told from that, as positions of the answers.

    `gains` are over the alternatives that were measured, of the choice, each choice made anew without the pictures that
    measure it.
    """

    choice: int
    best: int
    as_good: tuple[int, ...]
    gains: tuple[Gain, ...]


def choose(answers: Answers) -> tuple[int, int, tuple[int, ...]]:
    """The cheapest option within one standard error of the best, the best, and all that cannot be told from it at 95 %.

    Heads are cheapest, then fine-tuning, then training from scratch; of one kind, that with the best mean is taken. One
    standard error (Breiman et al. 1984) and not 95 %: few pictures cannot tell even poor options from the best, and to
    take the cheapest of these cost nine points on a small folder (benchmarks/curve_advice.py).
    """
    rows = answers.positions(*CHEAPEST_FIRST)
    means = answers.correct[rows].mean(1)
    best = rows[int(np.argmax(means))]
    below = {row: _mean(answers.correct[row] - answers.correct[best], answers.copies) for row in rows}
    as_good = tuple(row for row in rows if below[row].value + below[row].half_width(answers.inflation) >= 0)
    near = [row for row in rows if below[row].value + below[row].error >= -ROUNDING]
    cheapest = next(kind for kind in CHEAPEST_FIRST if kind in {answers.options[row].kind for row in near})
    of_kind = [row for row in near if answers.options[row].kind == cheapest]
    return max(of_kind, key=lambda row: float(answers.correct[row].mean())), best, as_good


def advise(answers: Answers, seed: int = 0) -> Advice:
    """What to do, by the pictures about which every option was asked, and what it gains over each alternative."""
    asked = answers.compared
    trials = [trial for half in divide_in_two(asked.copies, seed) for trial in _both_ways(asked, half)]
    choice, best, as_good = choose(asked)
    gains = tuple(_gain(asked, name, other, choice, trials) for name, other in alternatives(asked))
    return Advice(choice, best, as_good, gains)


def alternatives(answers: Answers) -> list[tuple[str, Chosen]]:
    """What people do without choosing, by name, and the best that untrained features give."""
    deepest = answers.layers - 1
    found: list[tuple[str, int | None]] = [
        (SCRATCH, answers.find("scratch")),
        ("freezing all layers", answers.find("head", deepest)),
        ("fine-tuning all layers", answers.find("fine-tuned", deepest)),
    ]
    fixed = [(name, _always(row)) for name, row in found if row is not None]
    untrained = [row for row in answers.positions("control") if answers.options[row].origin == "R"]
    return [*fixed, (UNTRAINED, _best_of(untrained))] if untrained else fixed


def divide_in_two(copies: Numbers, seed: int, times: int = DIVISIONS) -> list[Numbers]:
    """Divisions of the pictures into halves 0 and 1; copies of a picture are in the same half."""
    generator = np.random.default_rng(seed)
    names, group = np.unique(copies, return_inverse=True)
    halves = (generator.permutation(len(names)) % 2 for _ in range(times))
    return [half[group] for half in halves]


def dealt_anew(answers: Answers, seed: int) -> Answers:
    """A control: the options' answers about each picture exchanged at random, so that no option is better than another.

    What a choice then seems to gain is luck.
    """
    answers = answers.compared
    rows = answers.positions(*CHEAPEST_FIRST)
    correct = answers.correct.copy()
    correct[rows] = np.random.default_rng(seed).permuted(correct[rows], axis=0)
    return replace(answers, correct=correct)


@dataclass(frozen=True)
class _Trial:
    """A choice made on some pictures, which are measured on the rows of the others."""

    chosen_on: Answers
    choice: int
    measured_on: Numbers


def _both_ways(answers: Answers, half: Numbers) -> list[_Trial]:
    """The choices of either half, each to be measured on the other."""
    parts = [np.flatnonzero(half == number) for number in (0, 1)]
    chosen_on = [answers.of(rows) for rows in parts]
    return [_Trial(own, choose(own)[0], rows) for own, rows in zip(chosen_on, parts[::-1], strict=True)]


def _gain(answers: Answers, name: str, other: Chosen, choice: int, trials: list[_Trial]) -> Gain:
    """The gain of the choice over another, each chosen on one half and measured on the other half of the pictures."""
    gains = np.zeros(answers.correct.shape[1])
    for trial in trials:
        rows, theirs = trial.measured_on, other(trial.chosen_on)
        gains[rows] += answers.correct[trial.choice, rows] - answers.correct[theirs, rows]
    gains /= len(trials) / 2  # each picture is measured once in two trials
    checked = _mean(gains, answers.copies)
    value, half_width = checked.value, checked.half_width(answers.inflation)
    flattered = float((answers.correct[choice] - answers.correct[other(answers)]).mean())
    return Gain(name, value, value - half_width, value + half_width, flattered, len(gains))


@dataclass(frozen=True)
class _Mean:
    """A mean over pictures with its standard error; copies of a picture count as one."""

    value: float
    error: float
    freedom: int

    def half_width(self, inflation: float) -> float:
        """Half of its 95 % interval, Student's, widened by a factor."""
        return float(stdtrit(self.freedom, 0.975) * self.error * inflation) if self.freedom else float("inf")


def _mean(values: Floats, copies: Numbers) -> _Mean:
    mean = float(values.mean())
    sums = np.bincount(np.unique(copies, return_inverse=True)[1], values - mean)
    error = np.sqrt((sums**2).sum() * len(sums) / max(1, len(sums) - 1)) / len(values)
    return _Mean(mean, float(error), len(sums) - 1)


def _always(row: int) -> Chosen:
    return lambda _: row


def _best_of(rows: list[int]) -> Chosen:
    return lambda answers: rows[int(np.argmax(answers.correct[rows].mean(1)))]
