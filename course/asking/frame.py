"""The table that a learner gets, made of plain columns."""

from collections.abc import Mapping

import pandas as pd

from course.asking.plain import Plain

Columns = Mapping[str, list[Plain]]


def frame(columns: Columns) -> pd.DataFrame:
    """The table in the form that a learner gets."""
    return pd.DataFrame({name: list(values) for name, values in columns.items()})
