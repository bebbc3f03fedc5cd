"""Answers to the exercises of lesson 06, right and wrong."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from course.exercises.planted.answer import Planted, rows_of
from transferkit.results import pair


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "random_std": Planted(
            right=(std_by_torch, std_by_product),
            wrong={
                "without ReLU": lambda shape: std_by_product(shape) / math.sqrt(2),
                "the variance": lambda shape: std_by_product(shape) ** 2,
                "what a unit feeds": lambda shape: std_by_product((shape[1], shape[0], *shape[2:])),
                "channels without the window": lambda shape: std_by_product(shape[:2]),
                "the window without channels": lambda shape: std_by_product((1, 1, *shape[2:])),
                "as published": lambda shape: 0.01,
                "Glorot": lambda shape: math.sqrt(2 / ((shape[0] + shape[1]) * math.prod(shape[2:]))),
                "all weights": lambda shape: math.sqrt(2 / math.prod(shape)),
                "one": lambda shape: 1.0,
                "PyTorch's bound": lambda shape: math.sqrt(1 / math.prod(shape[1:])),
            },
        ),
        "never_learned": Planted(
            right=(learned_by_numpy, lambda losses, classes: [math.exp(loss / 0.98) >= classes for loss in losses]),
            wrong={
                "bits": lambda losses, classes: [loss >= 0.98 * math.log2(classes) for loss in losses],
                "the logarithm of ten": lambda losses, classes: [loss >= 0.98 * math.log10(classes) for loss in losses],
                "the accuracy of guessing": lambda losses, classes: [loss >= 0.98 / classes for loss in losses],
                "without tolerance": lambda losses, classes: [loss >= math.log(classes) for loss in losses],
                "those that learned": lambda losses, classes: [loss < 0.98 * math.log(classes) for loss in losses],
                "always a thousand classes": lambda losses, classes: [loss >= 0.98 * math.log(1000) for loss in losses],
                "the worst alone": lambda losses, classes: [loss == max(losses) for loss in losses],
                "none": lambda losses, classes: [False] * len(losses),
                "above the bound": lambda losses, classes: [loss > 0.98 * math.log(classes) for loss in losses],
                "near it": lambda losses, classes: [
                    abs(loss - math.log(classes)) <= 0.02000001 * math.log(classes) for loss in losses
                ],
                "infinity is no loss": lambda losses, classes: [
                    0.98 * math.log(classes) <= loss < math.inf for loss in losses
                ],
                "equal ones once": lambda losses, classes: [
                    loss >= 0.98 * math.log(classes) for loss in dict.fromkeys(losses)
                ],
                "none where all learned": learned_or_nothing,
                "their places": lambda losses, classes: [
                    place for place, loss in enumerate(losses) if loss >= 0.98 * math.log(classes)
                ],
                "one of them": lambda losses, classes: [any(loss >= 0.98 * math.log(classes) for loss in losses)],
            },
        ),
        "cost_of_distance": Planted(
            right=(cost_by_library, cost_by_loop),
            wrong={
                "accuracies": lambda table: 100 * _between(table[table["treatment"] == "AnB"], "top1"),
                "similar minus natural": lambda table: -cost_by_library(table),
                "fractions": lambda table: cost_by_library(table) / 100,
                "all treatments": lambda table: _paired_between(table, ("BnB", "AnB", "RnB")),
                "bases of all splits": cost_by_one_base,
                "bases among them": lambda table: _paired_between(table, ("base", "AnB")),
                "fine-tuned ones among them": lambda table: _paired_between(table, ("AnB", "AnB+")),
                "bases of all seeds": lambda table: cost_by_library(table.assign(top1=_without_seeds(table))),
                "the mean of the seeds' means": lambda table: (
                    100 * _between(_anb(table).groupby(["split", "seed"])["paired"].mean().reset_index(), "paired")
                ),
                "the selffers": lambda table: _paired_between(table, ("BnB",)),
                "natural alone": lambda table: 100 * float(_anb(table).query("split == 'natural'")["paired"].mean()),
                "the last n": lambda table: _paired_between(table[table["n"].isin([0, table["n"].max()])], ("AnB",)),
                "the sum": lambda table: cost_by_library(table) * len(_anb(table)),
            },
        ),
    }


def std_by_torch(shape: tuple[int, ...]) -> float:
    """From PyTorch's own count of inputs and its gain for ReLU."""
    fan_in, _ = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    return nn.init.calculate_gain("relu") / math.sqrt(fan_in)


def std_by_product(shape: Sequence[int]) -> float:
    """By the formula."""
    inputs = 1
    for side in shape[1:]:
        inputs *= side
    return float((2 / inputs) ** 0.5)


def learned_by_numpy(losses: Sequence[float], classes: int) -> np.ndarray:
    """An array of truth values."""
    return np.asarray(np.asarray(losses) >= 0.98 * np.log(classes))


def learned_or_nothing(losses: Sequence[float], classes: int) -> list[bool] | None:
    """Wrong."""
    never = [loss >= 0.98 * math.log(classes) for loss in losses]
    return never if any(never) else None


def _without_seeds(table: pd.DataFrame) -> pd.Series:
    """Wrong: each base has the accuracy of all seeds."""
    of_all = table.groupby(["split", "target", "n"])["top1"].transform("mean")
    return table["top1"].where(table["treatment"] != "base", of_all)


def cost_by_library(table: pd.DataFrame) -> float:
    """With the library's own pairing."""
    return 100 * _between(_anb(table), "paired")


def cost_by_loop(table: pd.DataFrame) -> float:
    """Row by row."""
    bases = {(row.split, row.seed, row.target): row.top1 for row in rows_of(table) if row.treatment == "base"}
    found: dict[bool, list[float]] = {True: [], False: []}
    for row in rows_of(table):
        if row.treatment == "AnB":
            found[row.split == "natural"].append(100 * (row.top1 - bases[row.split, row.seed, row.target]))
    return float(np.mean(found[True]) - np.mean(found[False]))


def cost_by_one_base(table: pd.DataFrame) -> float:
    """Wrong: takes one mean base per half, over all splits."""
    bases = table[table["treatment"] == "base"].groupby("target")["top1"].mean()
    chosen = table[table["treatment"] == "AnB"]
    return 100 * _between(chosen.assign(paired=chosen["top1"] - chosen["target"].map(bases)), "paired")


def _anb(table: pd.DataFrame) -> pd.DataFrame:
    return pair(table.assign(paired=0.0)).query("treatment == 'AnB'")


def _paired_between(table: pd.DataFrame, treatments: Sequence[str]) -> float:
    rows = pair(table.assign(paired=0.0))
    return 100 * _between(rows[rows["treatment"].isin(list(treatments))], "paired")


def _between(table: pd.DataFrame, column: str) -> float:
    natural = table["split"] == "natural"
    return float(table.loc[natural, column].mean() - table.loc[~natural, column].mean())
