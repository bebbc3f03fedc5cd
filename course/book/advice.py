"""How good the advice of `transferkit curve` was, from the table of benchmarks/curve_advice.py."""

from collections.abc import Iterator

import pandas as pd
from scipy.special import stdtrit

from transferkit.results.estimate import mean_of_clusters

ALTERNATIVES = ("training from scratch", "freezing all layers", "fine-tuning all layers")
BEST = "below the best"


def rows(table: pd.DataFrame) -> str:
    """In Markdown, for each folder and given weights: how often it is at least as good, and the mean gain in points."""
    heads = [f"{name}: at least as good, gain" for name in ALTERNATIVES]
    lines = [f"| folder, pictures | given | advices | {' | '.join(heads)} | {BEST} |", "|---" * 7 + "|"]
    for (folder, given), one in table.groupby(["folder", "given"], sort=False):
        pictures = f"{folder}, {one['pictures'].iloc[0]}"
        lines.append(f"| {pictures} | {given} | {len(one)} | {' | '.join(_cells(one))} |")
    return "\n".join([*lines, f"| all | | {len(table)} | {' | '.join(_cells(table))} |", "", _kinds(table)])


def _cells(table: pd.DataFrame) -> Iterator[str]:
    for name in ALTERNATIVES:
        gain = table[name].dropna()
        yield f"{(gain >= 0).mean():.0%}, {_mean(table, name)}"
    short = table.assign(short=table["best"] - table["top1"])
    yield _mean(short, "short")


def _mean(table: pd.DataFrame, column: str) -> str:
    """The mean in points, with the half-width of its interval over curves: a folder, weights and a seed are one."""
    by_curve = table.groupby(["folder", "given", "seed"])[column].mean()
    mean, error, freedom = mean_of_clusters(by_curve.to_numpy())
    return f"{mean:+.1f}" + (f" ±{stdtrit(freedom, 0.975) * error:.1f}" if freedom > 0 else "")


def _kinds(table: pd.DataFrame) -> str:
    """What was advised, how often."""
    counts = table["kind"].value_counts()
    words = {"head": "a head on frozen features", "fine-tuned": "fine-tuning", "scratch": "training from scratch"}
    told = ", ".join(f"{words[str(kind)]} {count} times" for kind, count in counts.items())
    return f"Of {len(table)} advices, it was {told}. Gains are means in points ± their 95 % interval."
