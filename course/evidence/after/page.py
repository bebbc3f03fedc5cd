"""The tables of after.csv in the book, as Markdown between the markers of evidence.md."""

from collections.abc import Mapping

import pandas as pd

from course.evidence.after.measures import at_better_rate, gain_by_length, of_size, usual
from course.evidence.after.variants import BLOCKS, OF_IMAGES, TUNED_N, How
from transferkit.results import Estimate, estimate

COPIED: Mapping[How, str] = {
    "scratch": "nothing is copied",
    "frozen": "copied layers frozen",
    "fine-tuned": "all layers trained",
    "small rate": "copied layers at a tenth of the rate",
    "probed first": "half of the epochs frozen, then all trained",
    "scale alone": "mean and variance alone copied, all trained",
}
SHIFTS = {"cast": "colour cast", "blur": "blur", "noise": "noise", "labels": "labels changed"}


def after_sections(table: pd.DataFrame) -> dict[str, str]:
    """The text between the markers, by the marker's name."""
    return {"after-copied": copied_rows(table), "after-blocks": block_rows(table), "after-lengths": length_rows(table)}


def copied_rows(table: pd.DataFrame) -> str:
    """Top-1 of each way to use copied layers, at the recipe's rate, on images as trained and on shifted ones."""
    sizes = [int(size) for size in sorted(table["images_per_class"].unique(), reverse=True)]
    heads = [f"{size} images per class{where}" for size in sizes for where in ("", ", shifted")]
    lines = [f"| | n | {' | '.join(heads)} |", "|---" * (2 + len(heads)) + "|"]
    for how, words in COPIED.items():
        for n in (0,) if how == "scratch" else TUNED_N:
            cells = []
            for few in (False, True):
                rows = usual(of_size(table, few=few), how)
                rows = rows[rows["n"] == n]
                cells += [_percent(rows["top1"]), _percent(rows[list(OF_IMAGES)].mean(axis=1))]
            if any(cells):
                lines.append(f"| {words} | {n or ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def block_rows(table: pd.DataFrame) -> str:
    """Top-1 on shifted data of the target's own base: as it is, and with one block or all of it tuned."""
    lines = [f"| | {' | '.join(SHIFTS.values())} |", "|---" * (1 + len(SHIFTS)) + "|"]
    bases = usual(of_size(table, few=False), "scratch")
    lines.append(f"| as it is | {' | '.join(_percent(bases[name]) for name in OF_IMAGES)} | |")
    for how, layers in BLOCKS.items():
        cells = []
        for shift in SHIFTS:
            tuned = at_better_rate(table[table["shift"] == shift], how)
            cells.append(_points(estimate(tuned.rename("paired").reset_index()), "%"))
        lines.append(f"| {how.replace('blocks', 'layers')} ({layers[0]} to {layers[-1]}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def length_rows(table: pd.DataFrame) -> str:
    """What A5B+ gains over training from scratch for as long, by epochs of either, in points."""
    gains = {epochs: estimate(gain.rename("paired").reset_index()) for epochs, gain in gain_by_length(table).items()}
    lines = [f"| | {' | '.join(f'{epochs} epochs' for epochs in gains)} |", "|---" * (1 + len(gains)) + "|"]
    return "\n".join([*lines, f"| A5B+ minus a base | {' | '.join(_points(gain, '') for gain in gains.values())} |"])


def _percent(values: pd.Series) -> str:
    return f"{100 * values.mean():.1f} %" if len(values.dropna()) else ""


def _points(found: Estimate | None, unit: str) -> str:
    if found is None:
        return ""
    low, high = found.interval()
    sign = "" if unit else "+"
    return f"{100 * found.value:{sign}.1f}{f' {unit}' if unit else ''} ±{50 * (high - low):.1f}"
