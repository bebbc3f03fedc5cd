"""The rows of a table, one after the other, for answers that are written as loops."""

from collections.abc import Iterator
from typing import Any

import pandas as pd


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """Its rows with an attribute per column."""
    return iter(table.itertuples())
