"""Runs, their labels and treatments, and the plan of a grid (Figure 1 of Yosinski et al. 2014).

A run is one concrete network. Its label is the paper's: `baseB`, `B3B` (selffer), `A3B+` (transfer, fine-tuned) or
`R3B` (random filters), made of source, number of copied layers, target, and "+" if fine-tuned. `P3B` copies weights
that were given. Target T stands for all classes, undivided: `baseT`, `T3T` (selffer), `P3T+`. Five more sources are not
networks: `G1B` to `W1B+` exchange the shapes of conv1's filters for others (MADE).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from transferkit.errors import UsageError, whole
from transferkit.splits import WHOLE

Half = Literal["A", "B", "T"]  # T: all classes, the only half of the split "whole"
Made = Literal["F", "I", "G", "S", "W"]
Source = Literal[Half, "R", "P", Made]  # R: untrained, random filters; P: weights that were given
Treatment = Literal[
    "base", "BnB", "BnB+", "AnB", "AnB+", "PnB", "PnB+", "RnB",
    "FnB", "FnB+", "InB", "InB+", "GnB", "GnB+", "SnB", "SnB+", "WnB", "WnB+",
]  # fmt: skip

HALVES: tuple[Half, ...] = ("A", "B")
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")  # of the paper's net
CHOP_POINTS = range(1, len(LAYERS))  # 1..7
MOST_COPIED = 99  # layers, since labels have at most two digits

MADE: Mapping[Source, str] = {  # what the shapes of conv1's filters are exchanged for
    "F": "the Gabors fitted to them",
    "I": "independent components of patches",
    "G": "Gabors and blobs made by rule",
    "S": "noise of their spectrum",
    "W": "white noise",
}

_LABEL = re.compile(
    r"base(?P<base>[ABT])|(?P<source>[ABTRPFIGSW])(?P<n>[0-9]|[1-9][0-9])(?P<target>[ABT])(?P<plus>\+?)"
)


@dataclass(frozen=True)
class Appearance:
    """What a treatment is called and how figures show it: a marker of `shape` with a `sign` in it, on a line.

    The sign of the shape "letter" is the letter itself. `fill`, `edge` and `dash` are matplotlib's; `offset` moves its
    networks from n, in chop points, so that treatments stand side by side.
    """

    meaning: str
    shape: Literal["circle", "diamond", "square", "letter"]
    sign: str  # "", "+" or "x", or a letter
    fill: str
    edge: str
    dash: str
    offset: float


_OF_FIGURE_2: dict[Treatment, Appearance] = {  # told apart in grey and without colour
    "base": Appearance("trained from scratch", "circle", "", "#ffffff", "#1a1a1a", "none", 0.0),
    "BnB": Appearance("selffer, frozen", "circle", "", "#0072b2", "#00527f", "-", -0.25),
    "BnB+": Appearance("selffer, fine-tuned", "circle", "+", "#b5d9f0", "#00527f", "--", -0.09),
    "AnB": Appearance("transfer, frozen", "diamond", "", "#d55e00", "#a34700", "-", 0.09),
    "AnB+": Appearance("transfer, fine-tuned", "diamond", "+", "#fbd0ae", "#a34700", "--", 0.27),
    "PnB": Appearance("given, frozen", "square", "", "#009e73", "#00664b", "-", 0.18),
    "PnB+": Appearance("given, fine-tuned", "square", "+", "#bfe7db", "#00664b", "--", 0.36),
    "RnB": Appearance("random filters, frozen", "square", "x", "#d9d9d9", "#6b6b6b", "-.", 0.43),
}
APPEARANCES: Mapping[Treatment, Appearance] = _OF_FIGURE_2 | {
    cast(Treatment, f"{letter}nB{plus}"): Appearance(
        f"conv1 of {meaning}, {fate}", "letter", letter, fill, "#1a1a1a", "none", -0.42
    )
    for letter, meaning in MADE.items()
    for plus, fate, fill in (("", "frozen", "#1a1a1a"), ("+", "fine-tuned", "#ffffff"))
}
TREATMENTS: tuple[Treatment, ...] = tuple(APPEARANCES)


@dataclass(frozen=True)
class Run:
    """One network: the half it is trained on, the layers it copies, and whether the copy is fine-tuned.

    `source` is None and `n` is 0 for a base network. `plan` and the network decide how many layers can be copied.
    Raises UsageError for a combination that has no label.

    >>> tk.Run("random0", seed=0, target="B", source="A", n=3, finetune=True).label
    'A3B+'
    """

    split: str
    seed: int
    target: Half
    source: Source | None = None
    n: int = 0
    finetune: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", whole("seed", self.seed, 0))
        object.__setattr__(self, "n", whole("n", self.n))
        if not 0 <= self.n <= MOST_COPIED:
            raise UsageError(f"n={self.n} layers cannot be copied: n is 1 to {MOST_COPIED}, or 0 for a base.")
        if (self.source is None) != (self.n == 0):
            raise UsageError(f"n={self.n} with source {self.source}: a base copies nothing (n=0, no source).")
        if self.finetune and self.source in (None, "R"):
            raise UsageError("only layers copied from a base or from given weights can be fine-tuned: drop the '+'.")
        if {self.target, self.source} & {*HALVES, "T"} - {*halves_of(self.split)}:
            raise UsageError(
                f"{self.label} does not go with split {self.split}: A and B are the halves of the other splits, T is "
                f"all classes, of split {WHOLE}."
            )
        if self.source in MADE and self.n != 1:
            raise UsageError(f"source {self.source} makes filters for conv1 alone: n is 1, not {self.n}.")

    @property
    def label(self) -> str:
        """The paper's name for this network, for instance `A3B+`."""
        if self.source is None:
            return f"base{self.target}"
        return f"{self.source}{self.n}{self.target}{'+' if self.finetune else ''}"

    @property
    def treatment(self) -> Treatment:
        """The pool this network belongs to; that of `A3A+` and `T3T+` is `BnB+`: their source is their target."""
        if self.source is None:
            return "base"
        if self.source == "R":
            return "RnB"
        if self.source in ("P", *MADE):
            return f"{self.source}nB{'+' if self.finetune else ''}"  # type: ignore[return-value]
        if self.source == self.target:
            return "BnB+" if self.finetune else "BnB"
        return "AnB+" if self.finetune else "AnB"

    @property
    def source_base(self) -> "Run | None":
        """The base whose layers are copied, or whose filters change shape; None if there is none."""
        if self.source in (None, "R", "P"):
            return None
        return Run(self.split, self.seed, self.target if self.source in MADE else self.source)  # type: ignore[arg-type]

    @property
    def target_base(self) -> "Run":
        """The base network of the same split, seed and target half, with which this network is paired."""
        return Run(self.split, self.seed, self.target)


def parse_run(label: str, split: str, seed: int) -> Run:
    """The run that `label` names, so that `parse_run(run.label, run.split, run.seed) == run`.

    Raises UsageError when the label is not like one of `baseB`, `B3B`, `B3B+`, `A3B`, `A3B+` or `R3B`.

    >>> tk.parse_run("B3B", "random0", seed=0).treatment
    'BnB'
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        raise UsageError(
            f"'{label}' is no network: write baseA or baseB, or source (A, B, R for random, P for given weights, or F, "
            "I, G, S, W for a made conv1), n (the number of copied layers), target (A or B) and '+' if fine-tuned, as "
            f"in A3B+; with split {WHOLE}, T in place of A and B."
        )
    if match["base"]:
        return Run(split, seed, match["base"])  # type: ignore[arg-type]
    source: Source = match["source"]  # type: ignore[assignment]
    target: Half = match["target"]  # type: ignore[assignment]
    if match["n"] == "0":
        raise UsageError(f"'{label}' copies no layer: that network is base{target}; n is 1 or more.")
    return Run(split, seed, target, source, int(match["n"]), match["plus"] == "+")


def halves_of(split: str) -> tuple[Half, ...]:
    """The halves of a split: A and B; of the split "whole", T alone."""
    return ("T",) if split == WHOLE else HALVES


def grid(split: str, seed: int, layers: Sequence[str] = LAYERS, *, given: bool = False) -> tuple[Run, ...]:
    """The balanced grid of one split and seed: for eight layers, 2 bases, 56 chopped networks and 14 random ones.

    The split "whole" has half as many bases and random ones, and selffers alone. `given` adds the source P.
    """
    points, halves = range(1, len(layers)), halves_of(split)
    sources: tuple[Source, ...] = (*halves, "P") if given else halves
    bases = [Run(split, seed, target) for target in halves]
    chopped = [
        Run(split, seed, target, source, n, finetune)
        for n in points for target in halves for source in sources for finetune in (False, True)
    ]  # fmt: skip
    untrained = [Run(split, seed, target, "R", n) for n in points for target in halves]
    return (*bases, *chopped, *untrained)


def plan(
    split: str, seeds: Iterable[int], labels: Iterable[str] = (), layers: Sequence[str] = LAYERS, *, given: bool = False
) -> tuple[Run, ...]:
    """All networks to train, each after the base it copies from: the whole grid, or those that `labels` name.

    The bases that the named networks copy from and are paired with are added. `given` as in `grid`. Raises UsageError
    for a label that leaves no layer to train.

    >>> len(tk.plan("random0", seeds=[0]))
    72
    >>> [run.label for run in tk.plan("random0", seeds=[0], labels=["A3B"])]
    ['baseA', 'baseB', 'A3B']
    """
    wanted = tuple(labels)
    runs: dict[Run, None] = {}
    for seed in seeds:
        chosen = [parse_run(label, split, seed) for label in wanted] or list(grid(split, seed, layers, given=given))
        for run in chosen:
            refuse_too_deep(run, layers)
        needed = [base for run in chosen for base in (run.source_base, run.target_base) if base]
        runs.update(dict.fromkeys(sorted(needed, key=lambda run: run.target) + chosen))
    return tuple(runs)


def groups_of(runs: Sequence[Run]) -> tuple[tuple[Run, ...], ...]:
    """Group the runs that share work, in the order of their first members.

    Networks that are trained on one half, with frozen layers from one source, read the features of a single pass over
    the images. Every other run is a group of its own. The grouping does not change any result.
    """
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        shares = run.n > 0 and not run.finetune
        key = (run.split, run.seed, run.target, run.source) if shares else (run,)
        groups.setdefault(key, []).append(run)
    return tuple(tuple(group) for group in groups.values())


def refuse_too_deep(run: Run, layers: Sequence[str]) -> Run:
    """The run itself. Raises UsageError when it leaves none of these layers to train."""
    if run.n >= len(layers):
        raise UsageError(
            f"{run.label} copies {run.n} layers, but this network has {len(layers)}, of which the last is always "
            f"trained: n is 1 to {len(layers) - 1}."
        )
    return run
