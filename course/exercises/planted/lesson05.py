"""Answers to the exercises of lesson 05, right and wrong."""

import numpy as np
import pandas as pd

from course.exercises.planted.answer import Planted, rows_of
from transferkit.results import pair
from transferkit.treatments import parse_run


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "treatment": Planted(
            right=(treatment_by_parts, lambda label: parse_run(label, "random0", 0).treatment),
            wrong={
                "A is always transferred": treatment_by_letters,
                "the + is dropped": lambda label: treatment_by_parts(label).removesuffix("+"),
                "all are transfers": lambda label: treatment_by_parts(label).replace("BnB", "AnB"),
                "random filters are transferred": lambda label: treatment_by_parts(label).replace("RnB", "AnB"),
                "transfer and selffer swapped": treatment_swapped,
                "the label itself": lambda label: label,
                "base with its half": lambda label: label if "base" in label else treatment_by_parts(label),
                "n instead of the letter n": lambda label: treatment_by_parts(label).replace("n", label[1]),
                "all are fine-tuned": lambda label: treatment_by_parts(label).removesuffix("+") + "+",
            },
        ),
        "paired_differences": Planted(
            right=(pair_by_loop, lambda table: pair(table.assign(paired=0.0))["paired"]),
            wrong={
                "the mean of all bases": lambda table: table["top1"] - _bases(table)["top1"].mean(),
                "bases of all splits": lambda table: pair_by(table, ["target"]),
                "bases of all seeds": lambda table: pair_by(table, ["split", "target"]),
                "bases of both halves": lambda table: pair_by(table, ["split", "seed"]),
                "the source's base": pair_with_source,
                "the other half's base": lambda table: pair_by(table, ["split", "seed", "target"], other=True),
                "base minus network": lambda table: -pair_by_loop(table),
                "in points": lambda table: 100 * pair_by_loop(table),
                "bases left out": lambda table: pair_by_loop(table)[table["treatment"] != "base"],
                "sorted": lambda table: pair_by_loop(table.sort_values(["split", "seed", "target", "n"])),
                "the accuracy": lambda table: table["top1"],
                "by the number of the row": pair_by_number,
                "relative": lambda table: pair_by_loop(table) / table["top1"],
            },
        ),
        "falls_at": Planted(
            right=(
                falls_by_loop,
                lambda table: int(table.query("high < 0")["n"].min()) if any(table["high"] < 0) else 0,
            ),
            wrong={
                "the mean is below": lambda table: _first(table, "mean"),
                "the lower end is below": lambda table: _first(table, "low"),
                "the row instead of n": falls_at_row,
                "the last": lambda table: int(max(table.loc[table["high"] < 0, "n"], default=0)),
                "1 where there is none": lambda table: falls_by_loop(table) or 1,
                "the n before": lambda table: max(falls_by_loop(table) - 1, 0),
                "where it is lowest": lambda table: int(table.loc[table["mean"].idxmin(), "n"]),
                "0 is below": lambda table: int(min(table.loc[table["high"] <= 0, "n"], default=0)),
                "rounded": lambda table: falls_by_loop(table.round(1)),
                "never at the first": lambda table: falls_by_loop(table.iloc[1:]),
                "never at the last": lambda table: falls_by_loop(table.iloc[:-1]),
                "above": lambda table: int(min(table.loc[table["low"] > 0, "n"], default=0)),
            },
        ),
    }


def treatment_by_parts(label: str) -> str:
    """Character by character."""
    if label in ("baseA", "baseB"):
        return "base"
    source, _, target, *plus = list(label)
    pool = {True: "BnB", False: "AnB"}[source == target]
    return ("RnB" if source == "R" else pool) + "".join(plus)


def treatment_by_letters(label: str) -> str:
    """Wrong: takes the letter of the source for that of the treatment."""
    return "base" if label.startswith("base") else f"{label[0]}nB{label[3:]}"


def treatment_swapped(label: str) -> str:
    """Wrong."""
    right = treatment_by_parts(label)
    return {"A": "B", "B": "A"}.get(right[0], right[0]) + right[1:]


def pair_by_loop(table: pd.DataFrame) -> pd.Series:
    """Row by row."""
    bases = {(row.split, row.seed, row.target): row.top1 for row in rows_of(_bases(table))}
    return pd.Series([row.top1 - bases[row.split, row.seed, row.target] for row in rows_of(table)], table.index)


def pair_by(table: pd.DataFrame, keys: list[str], *, other: bool = False) -> pd.Series:
    """Wrong unless the keys are split, seed and target, and always for the other half."""
    wanted = table.replace({"target": {"A": "B", "B": "A"}}) if other else table
    means = _bases(table).groupby(keys)["top1"].mean().reset_index(name="base")
    bases = wanted[keys].merge(means, on=keys, how="left")["base"]
    return table["top1"].sub(bases.to_numpy())


def pair_by_number(table: pd.DataFrame) -> pd.Series:
    """Wrong."""
    keys = ["split", "seed", "target"]
    bases: pd.Series = table[keys].merge(_bases(table)[[*keys, "top1"]], on=keys, how="left")["top1"]
    return table["top1"].sub(bases)


def pair_with_source(table: pd.DataFrame) -> pd.Series:
    """Wrong."""
    bases = {(row.split, row.seed, row.target): row.top1 for row in rows_of(_bases(table))}
    rows = rows_of(table.assign(copied=table["source"].where(table["source"].isin(["A", "B"]), table["target"])))
    return pd.Series([row.top1 - bases[row.split, row.seed, row.copied] for row in rows], table.index)


def falls_by_loop(table: pd.DataFrame) -> int:
    """Row by row."""
    return next((int(n) for n, high in zip(table["n"], table["high"], strict=True) if high < 0), 0)


def falls_at_row(table: pd.DataFrame) -> int:
    """Wrong."""
    rows = np.flatnonzero(table["high"] < 0)
    return int(rows[0]) if len(rows) else 0


def _first(table: pd.DataFrame, column: str) -> int:
    return int(min(table.loc[table[column] < 0, "n"], default=0))


def _bases(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["treatment"] == "base"]
