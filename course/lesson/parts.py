"""How much two halves have in common."""

from collections import Counter
from collections.abc import Sequence

from transferkit.errors import UsageError
from transferkit.splits import ClassSplit


def shared_parts(split: ClassSplit, parts: Sequence[Sequence[str]]) -> float:
    """The overlap of the two halves' histograms of parts, 0..1.

    `parts` lists the parts of every class. A part counts with the smaller of its shares among all parts of either half.
    Raises UsageError when the classes of a half have no parts.
    """
    halves = (split.half_a, split.half_b)
    of_a, of_b = (Counter(part for index in half for part in parts[index]) for half in halves)
    if not of_a or not of_b:
        raise UsageError(f"split {split.name}: classes of a half have no known parts; shapeworld's have.")
    return sum(min(of_a[part] / of_a.total(), of_b[part] / of_b.total()) for part in of_a)
