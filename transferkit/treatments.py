"""Runs, their labels and treatments, and the plan of a grid (Figure 1 of Yosinski et al. 2014).

A run is one concrete network. Its label is the paper's: `baseB`, `B3B` (selffer), `A3B+` (transfer,
fine-tuned), `R3B` (random filters): source, number of copied layers, target, "+" if fine-tuned.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from transferkit.errors import UsageError

Half = Literal["A", "B"]
Source = Literal["A", "B", "R"]  # R: untrained, random filters
Treatment = Literal["base", "BnB", "BnB+", "AnB", "AnB+", "RnB"]

HALVES: tuple[Half, ...] = ("A", "B")
TREATMENTS: tuple[Treatment, ...] = ("base", "BnB", "BnB+", "AnB", "AnB+", "RnB")
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")  # of the paper's net
CHOP_POINTS = range(1, len(LAYERS))  # 1..7
MOST_COPIED = 99  # layers: labels have at most two digits

_LABEL = re.compile(r"base(?P<base>[AB])|(?P<source>[ABR])(?P<n>[0-9]|[1-9][0-9])(?P<target>[AB])(?P<plus>\+?)")


@dataclass(frozen=True)
class Run:
    """One network: which half it is trained on, what it copies, and whether the copy is fine-tuned.

    `source` is None and `n` 0 for a base network. How many layers there are to copy is for `plan` and the network to
    say. Raises UsageError for a combination that has no label.
    """

    split: str
    seed: int
    target: Half
    source: Source | None = None
    n: int = 0
    finetune: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.n <= MOST_COPIED:
            raise UsageError(f"n={self.n} layers cannot be copied: n is 1 to {MOST_COPIED}, or 0 for a base.")
        if (self.source is None) != (self.n == 0):
            raise UsageError(f"n={self.n} with source {self.source}: a base copies nothing (n=0, no source).")
        if self.finetune and self.source in (None, "R"):
            raise UsageError("only layers copied from base A or B can be fine-tuned: drop the '+'.")

    @property
    def label(self) -> str:
        """The paper's name for this network, for instance `A3B+`."""
        if self.source is None:
            return f"base{self.target}"
        return f"{self.source}{self.n}{self.target}{'+' if self.finetune else ''}"

    @property
    def treatment(self) -> Treatment:
        """The pool this network belongs to; `A3A+` is of the pool `BnB+`, as source and target are one."""
        if self.source is None:
            return "base"
        if self.source == "R":
            return "RnB"
        if self.source == self.target:
            return "BnB+" if self.finetune else "BnB"
        return "AnB+" if self.finetune else "AnB"

    @property
    def source_base(self) -> "Run | None":
        """The base network whose layers are copied; None for a base and for random filters."""
        if self.source is None or self.source == "R":
            return None
        return Run(self.split, self.seed, self.source)

    @property
    def target_base(self) -> "Run":
        """The base network of the same split, seed and target half: what this network is paired with."""
        return Run(self.split, self.seed, self.target)


def parse_run(label: str, split: str, seed: int) -> Run:
    """The run that `label` names, so that `parse_run(run.label, run.split, run.seed) == run`.

    Raises UsageError when the label is not one of `baseB`, `B3B`, `B3B+`, `A3B`, `A3B+`, `R3B` and their like.
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        raise UsageError(
            f"'{label}' is no network: write baseA or baseB, or source (A, B or R for random), n (the number of "
            "copied layers), target (A or B) and '+' if fine-tuned, as in A3B+."
        )
    if match["base"]:
        return Run(split, seed, "A" if match["base"] == "A" else "B")
    source: Source = "A" if match["source"] == "A" else "B" if match["source"] == "B" else "R"
    target: Half = "A" if match["target"] == "A" else "B"
    if match["n"] == "0":
        raise UsageError(f"'{label}' copies no layer: that network is base{target}; n is 1 or more.")
    return Run(split, seed, target, source, int(match["n"]), match["plus"] == "+")


def grid(split: str, seed: int, layers: Sequence[str] = LAYERS) -> tuple[Run, ...]:
    """The balanced grid of one split and seed: 2 bases, and with eight layers 56 chopped ones, 14 random."""
    points = range(1, len(layers))
    bases = [Run(split, seed, target) for target in HALVES]
    chopped = [
        Run(split, seed, target, source, n, finetune)
        for n in points
        for target in HALVES
        for source in HALVES
        for finetune in (False, True)
    ]
    untrained = [Run(split, seed, target, "R", n) for n in points for target in HALVES]
    return (*bases, *chopped, *untrained)


def plan(
    split: str, seeds: Iterable[int], labels: Iterable[str] = (), layers: Sequence[str] = LAYERS
) -> tuple[Run, ...]:
    """Every network to train, each after the base it copies from; all of the grid, or those of `labels`.

    The bases that the labelled networks copy from and are paired with are added. Raises UsageError for a label that
    copies as many layers as there are, or more.
    """
    wanted = tuple(labels)
    runs: dict[Run, None] = {}
    for seed in seeds:
        chosen = [parse_run(label, split, seed) for label in wanted] or list(grid(split, seed, layers))
        for run in chosen:
            refuse_too_deep(run, layers)
        needed = [base for run in chosen for base in (run.source_base, run.target_base) if base]
        runs.update(dict.fromkeys(sorted(needed, key=lambda run: run.target) + chosen))
    return tuple(runs)


def groups_of(runs: Sequence[Run]) -> tuple[tuple[Run, ...], ...]:
    """The runs in groups that share work, in the order of their first members: the only place that decides this.

    Networks whose frozen layers come from one source, and are trained on one half, read the features of one
    pass of that source over the images. All others are alone. What comes out does not depend on the grouping.
    """
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        shares = run.n > 0 and not run.finetune
        key = (run.split, run.seed, run.target, run.source) if shares else (run,)
        groups.setdefault(key, []).append(run)
    return tuple(tuple(group) for group in groups.values())


def same_depth(points: Iterable[int], layers: Sequence[str]) -> tuple[int, ...]:
    """The chop points of these layers that lie as deep as `points` do in the paper's eight, by rounding."""
    last, wanted = len(layers) - 1, set(points)
    scale = (len(LAYERS) - 2) / max(1, last - 1)
    return tuple(n for n in range(1, last + 1) if round(1 + (n - 1) * scale) in wanted)


def nearest_depth(n: int, layers: Sequence[str]) -> int:
    """The chop point of these layers that is nearest to the depth of n in the paper's eight."""
    return round(1 + (n - 1) * (len(layers) - 2) / (len(LAYERS) - 2))


def refuse_too_deep(run: Run, layers: Sequence[str]) -> Run:
    """The run itself. Raises UsageError when a network of these layers has none left to train above n."""
    if run.n >= len(layers):
        raise UsageError(
            f"{run.label} copies {run.n} layers, but this network has {len(layers)}, of which the last is always "
            f"trained: n is 1 to {len(layers) - 1}."
        )
    return run
