"""What can be done with given weights, the controls beside it, and which pictures each names rightly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from course.practice.pictures import Numbers

Kind = Literal["head", "fine-tuned", "scratch", "control"]
CHEAPEST_FIRST: tuple[Kind, ...] = ("head", "fine-tuned", "scratch")  # a head takes seconds, scratch the most epochs


@dataclass(frozen=True)
class Option:
    """An option or a control: the first `n` layers of `origin`, up to `layer`, and what is trained with them.

    `label` is `P3 head` for a linear head on frozen features, and the run's label for a network, as `P3T+` or `baseT`.
    """

    label: str
    kind: Kind
    origin: str
    n: int
    layer: str

    @property
    def words(self) -> str:
        """What to do, for a sentence."""
        layers = f"the first {self.n} layers (up to {self.layer})" if self.n > 1 else f"the first layer ({self.layer})"
        if self.kind == "scratch":
            return "train a network of your own from scratch"
        if self.kind == "fine-tuned":
            return f"copy {layers}, draw the others anew, and train them all"
        return f"freeze {layers} and train a linear head on the features there"


@dataclass(frozen=True)
class Answers:
    """Which pictures each option names rightly: `correct` is float, options x pictures, NaN where it was not asked.

    With several seeds, a number is the share of the seeds. `copies`, int64 per picture, is the same for copies of a
    picture. `layers` is how many the network has, `folds` how many divisions there are, `compared_folds` how many of
    these asked every option.
    """

    options: tuple[Option, ...]
    correct: NDArray[np.float64]
    copies: Numbers
    layers: int
    folds: int
    compared_folds: int

    @property
    def compared(self) -> "Answers":
        """Only the pictures about which every option was asked, so that all are compared on the same ones."""
        return self.of(np.flatnonzero(np.isfinite(self.correct).all(0)))

    @property
    def inflation(self) -> float:
        """What multiplies the error of a mean over pictures because networks of several folds share training pictures.

        Nadeau and Bengio 2003: the variance of a mean over folds is 1/k + test/train times that of one fold, not 1/k.
        """
        return float(np.sqrt(1 + self.compared_folds / (self.folds - 1)))

    def of(self, rows: Numbers) -> "Answers":
        """The answers about some of the pictures."""
        return replace(self, correct=self.correct[:, rows], copies=self.copies[rows])

    def find(self, kind: Kind, n: int | None = None) -> int | None:
        """The position of the option of this kind, with n layers; None where there is none."""
        found = [i for i, it in enumerate(self.options) if it.kind == kind and (n is None or it.n == n)]
        return found[0] if found else None

    def positions(self, *kinds: Kind) -> list[int]:
        """The positions of the options of these kinds."""
        return [i for i, option in enumerate(self.options) if option.kind in kinds]


def heads_of(origin: str, layers: Sequence[str]) -> tuple[Option, ...]:
    """The heads at every chop point: options for the given weights, controls for any other origin."""
    kind: Kind = "head" if origin == "P" else "control"
    return tuple(Option(f"{origin}{n} head", kind, origin, n, name) for n, name in enumerate(layers[:-1], 1))
