"""Tables as a curve has them."""

import pandas as pd

from course.practice.options import Answers


def table_for(answers: Answers, half_length_gain: float = 0.0) -> pd.DataFrame:
    """One row per option and fold; from scratch also one of half the epochs, lower by so many points."""
    rows = [
        (option.label, option.kind, option.origin, option.n, option.layer, 8 if option.kind == "scratch" else 4, 0,
         fold, 20, answers.correct[i].mean(), float("nan"))
        for i, option in enumerate(answers.options) for fold in (1, 2)
    ]  # fmt: skip
    columns = ["option", "kind", "origin", "n", "layer", "epochs", "seed", "fold", "pictures", "accuracy", "strength"]
    table = pd.DataFrame(rows, columns=columns)
    half = table[table["kind"] == "scratch"].assign(epochs=4)
    return pd.concat([table, half.assign(accuracy=half["accuracy"] - half_length_gain / 100)], ignore_index=True)
