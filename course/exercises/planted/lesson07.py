"""Answers to the exercises of lesson 07, right and wrong."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from course.exercises.planted.answer import Planted, rows_of
from transferkit.results import pair


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "choose_network": Planted(
            right=(choose_by_loop, lambda table: choose_by(table, "valid_top1", "test_top1")),
            wrong={
                "by the test images": lambda table: choose_by(table, "test_top1", "test_top1"),
                "by the training images": lambda table: choose_by(table, "train_top1", "test_top1"),
                "promises the validation accuracy": lambda table: choose_by(table, "valid_top1", "valid_top1"),
                "by the luckiest seed": choose_luckiest,
                "the worst": lambda table: choose_by(
                    table.assign(valid_top1=-table["valid_top1"]), "valid_top1", "test_top1"
                ),
                "promises one seed": choose_first_seed,
                "always fine-tuned": lambda table: choose_by(
                    table[table["treatment"] == "AnB+"], "valid_top1", "test_top1"
                ),
                "the deepest n": lambda table: choose_by(table[table["n"] == 7], "valid_top1", "test_top1"),
                "promises the training accuracy": lambda table: choose_by(table, "valid_top1", "train_top1"),
                "by the median": lambda table: choose_of(table, "median"),
                "by the sum": lambda table: choose_of(table, "sum"),
                "by the worst seed": lambda table: choose_of(table, "min"),
                "n and treatment apart": choose_apart,
                "by validation and test": lambda table: choose_by(
                    table.assign(train_top1=table["valid_top1"] + table["test_top1"]), "train_top1", "test_top1"
                ),
                "in percent": lambda table: (*choose_by_loop(table)[:2], 100 * choose_by_loop(table)[2]),
            },
        ),
        "images_to_reach": Planted(
            right=(reach_by_segments, reach_in_decades),
            wrong={
                "linear in images": lambda images, top1, level: (
                    math.inf if level > top1[-1] else float(np.interp(level, top1, images))
                ),
                "the next measured": lambda images, top1, level: float(
                    next((size for size, one in zip(images, top1, strict=True) if one >= level), math.inf)
                ),
                "the last where none reaches it": lambda images, top1, level: float(
                    np.exp(np.interp(level, top1, np.log(images)))
                ),
                "extrapolated": reach_beyond,
                "the last measured below": lambda images, top1, level: float(
                    max((size for size, one in zip(images, top1, strict=True) if one <= level), default=images[0])
                ),
                "its logarithm": lambda images, top1, level: math.log(reach_by_segments(images, top1, level)),
                "accuracy at the level": lambda images, top1, level: float(np.interp(level, images, top1)),
                "not reached by the last": lambda images, top1, level: (
                    math.inf if level >= top1[-1] else reach_by_segments(images, top1, level)
                ),
                "infinity as a text": lambda images, top1, level: (
                    "inf" if level > top1[-1] else reach_by_segments(images, top1, level)
                ),
                "nothing for one size": lambda images, top1, level: (
                    reach_by_segments(images, top1, level) if len(images) > 1 else None
                ),
                "nothing below the smallest": lambda images, top1, level: (
                    0.0 if level < top1[0] else reach_by_segments(images, top1, level)
                ),
            },
        ),
        "gain_of_task": Planted(
            right=(gain_by_loop, gain_by_index),
            wrong={
                "against the base": lambda table: (gain_by_loop(table)[0], _mean_paired(table, "AnB+")),
                "unmatched": lambda table: (
                    gain_by_loop(table)[0],
                    _mean_top1(table, "AnB+") - _mean_top1(table, "BnB+"),
                ),
                "unpaired": lambda table: (
                    _mean_top1(table, "BnB+") - _mean_top1(table, "base"),
                    gain_by_loop(table)[1],
                ),
                "fractions": lambda table: tuple(gain / 100 for gain in gain_by_loop(table)),
                "swapped": lambda table: gain_by_loop(table)[::-1],
                "the other sign": lambda table: (gain_by_loop(table)[0], -gain_by_loop(table)[1]),
                "frozen ones": lambda table: gain_by_loop(
                    table.replace({"treatment": {"AnB": "AnB+", "AnB+": "AnB", "BnB": "BnB+", "BnB+": "BnB"}})
                ),
                "both matched": gain_matched,
                "bases of any seed": lambda table: (
                    _mean_top1(table, "BnB+") - _mean_top1(_of_any_seed(table), "BnB+"),
                    gain_by_loop(table)[1],
                ),
                "the mean of the means of n": gain_by_n,
                "means of means": lambda table: (
                    _mean_paired(table, "BnB+"),
                    _mean_paired(table, "AnB+") - _mean_paired(table, "BnB+"),
                ),
                "the sum": lambda table: (gain_by_loop(table)[0], sum(gain_by_loop(table))),
            },
        ),
    }


def choose_by_loop(table: pd.DataFrame) -> tuple[str, int, float]:
    """Candidate by candidate."""
    best, chosen = -1.0, ("", 0, 0.0)
    for _, rows in table.groupby(["treatment", "n"]):
        if rows["valid_top1"].mean() > best:
            best = float(rows["valid_top1"].mean())
            chosen = (str(rows["treatment"].iloc[0]), int(rows["n"].iloc[0]), float(rows["test_top1"].mean()))
    return chosen


def choose_by(table: pd.DataFrame, by: str, promised: str) -> tuple[str, int, float]:
    """Wrong unless it chooses by validation and promises test."""
    means = table.groupby(["treatment", "n"])[["train_top1", "valid_top1", "test_top1"]].mean().reset_index()
    best = means.sort_values(by).iloc[-1]
    return best["treatment"], int(best["n"]), float(best[promised])


def choose_of(table: pd.DataFrame, how: str) -> tuple[str, int, float]:
    """Wrong unless it is the mean."""
    groups = table.groupby(["treatment", "n"])
    best: Any = groups["valid_top1"].agg(how).idxmax()
    return *best, groups["test_top1"].mean()[best]


def choose_apart(table: pd.DataFrame) -> tuple[str, int, float]:
    """Wrong."""
    treatment: Any = table.groupby("treatment")["valid_top1"].mean().idxmax()
    n: Any = table.groupby("n")["valid_top1"].mean().idxmax()
    return treatment, n, table[(table["treatment"] == treatment) & (table["n"] == n)]["test_top1"].mean()


def choose_luckiest(table: pd.DataFrame) -> tuple[str, int, float]:
    """Wrong."""
    best = table.sort_values("valid_top1").iloc[-1]
    return best["treatment"], int(best["n"]), float(best["test_top1"])


def choose_first_seed(table: pd.DataFrame) -> tuple[str, int, float]:
    """Wrong."""
    treatment, n, _ = choose_by_loop(table)
    rows = table[(table["treatment"] == treatment) & (table["n"] == n)]
    return treatment, n, float(rows["test_top1"].iloc[0])


def reach_by_segments(images: Sequence[float], top1: Sequence[float], level: float) -> float:
    """Segment by segment, with powers."""
    if level <= top1[0]:
        return float(images[0])
    for left in range(len(images) - 1):
        if top1[left + 1] >= level:
            share = (level - top1[left]) / (top1[left + 1] - top1[left])
            return float(images[left] * (images[left + 1] / images[left]) ** share)
    return math.inf


def reach_in_decades(images: Sequence[float], top1: Sequence[float], level: float) -> float:
    """With logarithms of base 10."""
    return float(10 ** np.interp(level, top1, np.log10(images), right=math.inf))


def reach_beyond(images: Sequence[float], top1: Sequence[float], level: float) -> float:
    """Wrong: extends the last slope."""
    if level <= top1[-1]:
        return reach_by_segments(images, top1, level)
    share = (level - top1[-2]) / (top1[-1] - top1[-2])
    return float(images[-2] * (images[-1] / images[-2]) ** share)


def gain_by_loop(table: pd.DataFrame) -> tuple[float, float]:
    """Row by row."""
    found = {(row.treatment, row.split, row.seed, row.target, row.n): row.top1 for row in rows_of(table)}
    second, other = [], []
    for (treatment, *place, n), top1 in found.items():
        if treatment == "BnB+":
            second.append(100 * (top1 - found["base", *place, 0]))
        if treatment == "AnB+" and ("BnB+", *place, n) in found:
            other.append(100 * (top1 - found["BnB+", *place, n]))
    return float(np.mean(second)), float(np.mean(other))


def gain_matched(table: pd.DataFrame) -> tuple[float, float]:
    """Wrong: takes the first mean over the networks that have a partner."""
    kept = {(row.split, row.seed, row.target, row.n) for row in rows_of(table) if row.treatment == "AnB+"}
    has = [row.treatment != "BnB+" or (row.split, row.seed, row.target, row.n) in kept for row in rows_of(table)]
    return gain_by_loop(table[has])[0], gain_by_loop(table)[1]


def _of_any_seed(table: pd.DataFrame) -> pd.DataFrame:
    """Each network with the mean of its bases over all seeds in the place of its own accuracy."""
    bases = table[table["treatment"] == "base"].groupby(["split", "target"])["top1"].mean()
    own = [bases[row.split, row.target] for row in rows_of(table)]
    return table.assign(top1=own)


def gain_by_n(table: pd.DataFrame) -> tuple[float, float]:
    """Wrong."""
    every = [gain_by_loop(table[table["n"].isin([0, n])]) for n in sorted({*table["n"]} - {0})]
    return float(np.mean([first for first, _ in every])), float(np.nanmean([second for _, second in every]))


def gain_by_index(table: pd.DataFrame) -> np.ndarray:
    """By a wide table."""
    wide = table.pivot_table(index=["split", "seed", "target", "n"], columns="treatment", values="top1")
    return 100 * np.array([_mean_paired(table, "BnB+") / 100, (wide["AnB+"] - wide["BnB+"]).mean()])


def _mean_paired(table: pd.DataFrame, treatment: str) -> float:
    rows = pair(table.assign(paired=0.0))
    return 100 * float(rows.loc[rows["treatment"] == treatment, "paired"].mean())


def _mean_top1(table: pd.DataFrame, treatment: str) -> float:
    return 100 * float(table.loc[table["treatment"] == treatment, "top1"].mean())
