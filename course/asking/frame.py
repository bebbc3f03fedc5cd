"""The table that a learner gets, made of plain columns."""

from collections.abc import Mapping, Sequence

import pandas as pd

from course.asking.plain import Plain

Columns = Mapping[str, list[Plain]]


def frame(columns: Columns, index: Sequence[int] | None = None) -> pd.DataFrame:
    """The table in the form that a learner gets; `index` numbers its rows, as those of a filtered or shuffled table."""
    rows = None if index is None else pd.Index(list(index))
    return pd.DataFrame({name: list(values) for name, values in columns.items()}, index=rows)
