"""What the planted answers of all lessons are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Planted:
    """Answers to one exercise: the `right` ones must pass, as the lesson's own solution must; the `wrong` must not.

    Each wrong answer is named after what is wrong with it.
    """

    right: tuple[object, ...]
    wrong: Mapping[str, object]


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, each with an attribute for every column, for answers written as loops."""
    return iter(table.itertuples())
