"""The verdicts on measures as the book shows them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from course.measures.names import BEST, MEASURES, N

ERROR = "error"
NAMES = {N: "n itself; for the errors, the mean at each n", **MEASURES}
IN_WORDS = {
    "over n": "tau over n",
    "at fixed n, photos": "tau at a fixed n, photos",
    "at fixed n, shapeworld": "tau at a fixed n, shapeworld",
    f"{ERROR}, random": "error on random splits",
    f"{ERROR}, apart": "on apart",
    f"{ERROR}, natural": "on natural",
    f"{ERROR}, overlap": "on shapeworld",
}


def sections(judged: pd.DataFrame) -> dict[str, str]:
    """The text between the markers of evidence.md, by the marker's name, from measures-judged.csv."""
    return {
        "measures": verdict_rows(judged),
        "measures-straight": straight_sentence(judged),
        "measures-inside": inside_sentence(judged),
        "measures-tuned": tuned_sentence(judged),
        "measures-lengths": length_rows(judged),
    }


def verdict_rows(judged: pd.DataFrame, truth: str = "AnB") -> str:
    """The page's table: a row for each measure alone and less its selffer, a column for each question."""
    chosen = judged[judged["truth"] == truth]
    questions = [question for question in IN_WORDS if question in set(chosen["question"])]
    lines = [f"| measure | {' | '.join(IN_WORDS[question] for question in questions)} |"]
    lines.append("|---" * (1 + len(questions)) + "|")
    for (measure, selffer), rows in chosen.groupby(["measure", "selffer"], sort=False):
        if measure == "cka" and selffer:  # that of a layer with itself is 1
            continue
        words = NAMES[str(measure)] + ", less its selffer" * bool(selffer)
        found = rows.set_index("question").to_dict("index")
        cells = [_cell(found[question], is_error=ERROR in question) for question in questions]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def length_rows(judged: pd.DataFrame) -> str:
    """How far expected curves are off for bases trained for other lengths, a column for each; empty without any."""
    found = judged[judged["question"].str.endswith("epochs")].set_index("question").to_dict("index")
    lengths = [question.removeprefix(f"{ERROR}, ") for question in map(str, found) if question.startswith(ERROR)]
    if not lengths:
        return ""
    lines = [
        "For bases that were trained for other lengths, on none of which it was fitted, it is off by more, and most "
        "where training was stopped early:",
        "",
    ]
    lines += [f"| bases trained for | {' | '.join(lengths)} |", "|---" * (1 + len(lengths)) + "|"]
    for words, name in ((f"{ERROR}, root mean square", ERROR), ("AnB lies above what was expected by", "bias")):
        cells = [_cell(found[f"{name}, {length}"], is_error=True) for length in lengths]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def straight_sentence(judged: pd.DataFrame) -> str:
    """How straight the lines are with AnB - BnB for a truth, which the pilot of this study looked at."""
    chosen = judged[(judged["truth"] == "AnB - BnB") & judged["selffer"].astype(bool)]
    found = chosen[chosen["question"] == "r on random splits"].set_index("measure").to_dict("index")
    told = [f"{NAMES[name]} r = {_cell(found[name], is_error=False)}" for name in (BEST, "logme")]
    return (
        f"With AnB - BnB for a truth, over all n of random splits ({found[BEST]['cells']} cells), less the selffer: "
        f"{'; '.join(told)}."
    )


def inside_sentence(judged: pd.DataFrame) -> str:
    """How often the interval of the expected curve holds."""
    parts = [
        f"{round(row['value'] * row['cells'])} of {row['cells']} on {row['question'].removeprefix('inside, ')} "
        f"({row['splits']} splits)"
        for row in judged[judged["question"].str.startswith("inside, ")].to_dict("records")
    ]
    return (
        f"Means of a split at one n that lie in the 95 % interval of a rule that has not seen that split: "
        f"{', '.join(parts)}."
    )


def tuned_sentence(judged: pd.DataFrame) -> str:
    """What the best measure tells of AnB+."""
    chosen = judged[(judged["truth"] == "AnB+") & (judged["measure"] == BEST) & judged["selffer"].astype(bool)]
    found = chosen.set_index("question").to_dict("index")
    over, fixed = (_cell(found[question], is_error=False) for question in ("over n", "at fixed n, photos"))
    cells = found["over n"]["cells"]
    return (
        f"It tells nothing of AnB+: tau {over} over n and {fixed} at a fixed n, {cells} cells. So there is no expected "
        "curve of AnB+."
    )


def _cell(row: Mapping[Any, float], *, is_error: bool) -> str:
    if np.isnan(row["value"]):
        return "none"
    value, low, high = (f"{row[name]:.1f}" if is_error else f"{row[name]:+.2f}" for name in ("value", "low", "high"))
    return value if np.isnan(row["low"]) else f"{value} ({low} to {high})"
