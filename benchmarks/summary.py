"""The tables of benchmarks/README.md, from the files that the measurements wrote.

    python -m benchmarks.summary

rewrites the text between its markers; a test compares.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from course.book.markers import fill, within
from transferkit.disk import atomic
from transferkit.treatments import Run, Treatment, grid, parse_run

FOLDER = Path(__file__).parent
PEERS = {"plain loop": "the plain loop of PyTorch's transfer-learning tutorial", "Lightning": "Lightning"}
OURS, ALONE = "in the grid: ", "alone: "
PLAIN = "plain loop"
NAMES = {"grid": "the whole grid, 72 networks", "baseB": "one base network", "A4B": "one network, four layers frozen"}


def speed_table(rows: pd.DataFrame) -> str:
    """Seconds of ours and of each peer with their range, the ratio, and top-1 of both."""
    lines = [
        "| work | beside | n | ours, s | theirs, s | times ours | top-1, ours | theirs | ours minus theirs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for label, name in NAMES.items():
        ours = _our_seconds(rows, label)
        for peer in PEERS:
            theirs, top1 = _their_seconds(rows, label, peer), _top1(rows, label, peer)
            cells = (name, peer, f"{len(ours)}, {_count(rows, label, peer)}", _range(ours, 0), _span(*theirs, 0))
            lines.append(f"| {' | '.join(cells)} | {_span(*_times(theirs, ours), 1)} | {_accuracies(*top1)} |")
    return "\n".join(lines)


def headline(rows: pd.DataFrame) -> str:
    """How many times faster our whole grid is than each peer's, and how the accuracies differ."""
    ours, beaten = _our_seconds(rows, "grid"), []
    for peer, name in PEERS.items():
        middle, low, high = _times(_their_seconds(rows, "grid", peer), ours)
        difference = _differences(rows, peer)
        beaten.append(
            f"**{middle:.1f} times** ({low:.1f} to {high:.1f}) faster than {name} "
            f"(top-1 {difference.mean():+.1f} points, standard deviation {difference.std():.1f}, "
            f"{len(difference)} networks)"
        )
    what = f"The whole grid of {len(grid('random0', 0))} networks has learned after"
    return f"{what} {ours.median():.0f} s (n={len(ours)}), {' and '.join(beaten)}."


def accuracy_sentence(rows: pd.DataFrame) -> str:
    """How the peers' accuracies differ from ours, network by network, and how many networks took which recipe."""
    sentences = []
    for peer in PEERS:
        difference = _differences(rows, peer)
        sentences.append(
            f"ours minus {peer}: {difference.mean():+.2f} points on average, standard deviation "
            f"{difference.std():.2f}, {len(difference)} networks of the same first weights{_ways(rows, peer)}"
        )
    return "; ".join(sentences) + "."


def growth_table(rows: pd.DataFrame) -> str:
    """Images per second and share of peak for each value of what is varied."""
    lines = ["| varied | value | base, images/s | four frozen, images/s | share of peak |", "|---|---|---|---|---|"]
    for row in rows.itertuples():
        cells = [f"{value:,.0f}" if value == value else "" for value in (row[3], row[4])]
        lines.append(f"| {row[1]} | {row[2]} | {' | '.join(cells)} | {f'{row[5]:.0%}' if row[5] == row[5] else ''} |")
    return "\n".join(lines)


def precision_table(rows: pd.DataFrame) -> str:
    """Mean differences in points, with the standard deviation over networks."""
    lines = ["| bfloat16 minus | treatment | networks | top-1 | paired difference |", "|---|---|---|---|---|"]
    for row in rows.to_dict("records"):
        cells = (f"{row[what]:+.2f} (sd {row[f'{what}_sd']:.2f})" for what in ("top1", "paired"))
        lines.append(f"| {row['compared_with']} | {row['treatment']} | {row['networks']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ladder_table(rows: pd.DataFrame) -> str:
    """Images per second of each rung (median and range), also as multiples of the plain loop's."""
    lines = ["| rung | n | images/s | times the plain loop |", "|---|---|---|---|"]
    rates = rows.assign(rate=rows["images"] / rows["seconds"])
    plain = rates.loc[rates["rung"] == PLAIN, "rate"].median()
    for rung, chosen in rates.groupby("rung", sort=False):
        rate = chosen["rate"]
        lines.append(f"| {rung} | {len(rate)} | {_range(rate, 0)} | {_range(rate / plain, 1)} |")
    first = rows.iloc[0]
    where = f"{first['device']}, preset {first['preset']}, torch {first['torch']}, {first['date']}"
    return "\n".join([*lines, "", f"{where}; {rows['networks'].max()} networks a rung."])


def gpu_table(rows: pd.DataFrame) -> str:
    """All that `benchmarks/on_a_gpu.sh` measured: median and range of each, n, and the device."""
    lines = ["| step | what | unit | median | n |", "|---|---|---|---|---|"]
    for row in rows.to_dict("records"):
        digits = 0 if abs(row["value"]) >= 100 else 3
        found = _span(row["value"], row["low"], row["high"], digits)
        what = f"{row['what']}, {row['precision']}" if isinstance(row["precision"], str) else row["what"]
        lines.append(f"| {row['step']} | {what} | {row['unit']} | {found} | {row['n']} |")
    first = rows.iloc[0]
    return "\n".join([*lines, "", f"{first['device']}, {first['data']}, torch {first['torch']}, {first['date']}."])


def commits_sentence(rows: pd.DataFrame) -> str:
    """The seconds that one network took at each of several commits."""
    taken = [
        f"{_range(of_one['seconds'], 1)} s at commit {commit} (top-1 {100 * of_one['top1'].mean():.1f} %)"
        for commit, of_one in rows.groupby("commit", sort=False)
    ]
    return f"{rows['run'].iloc[0]}, alone on the machine, {rows['turn'].nunique()} turns each: {', '.join(taken)}."


def machine_line(rows: pd.DataFrame) -> str:
    """Device, versions and date."""
    values = rows.set_index("key")["value"]
    return ", ".join(
        [f"{values['cores']} cores of {values['device']}, {values['precision']}"]
        + [f"{key} {values[key]}" for key in ("python", "torch", "numpy", "lightning")]
        + [values["date"]]
    )


def convolutions_table(table: pd.DataFrame) -> str:
    """What each faster way to compute a convolution saves of a training step."""
    first = table.iloc[0]
    lines = [
        f"A training step of the small network on one core, float32; {first['device']}, torch {first['torch']}, "
        f"{first['date']}; medians of {first['blocks']} blocks of {first['steps']} steps, in turns.",
        "", "| convolutions | fastest block (ms) | median block (ms) |", "|---|---|---|",
        *(
            f"| {row['ways'].replace(' ', ' + ')} | {row['fastest_ms']:.1f} | {row['median_ms']:.1f} |"
            for row in table.to_dict("records")
        ),
    ]  # fmt: skip
    return "\n".join(lines)


def sections(results: Path) -> dict[str, str]:
    """The text between the markers, by the marker's name, for everything that has been measured.

    Each folder within `results` is another machine: its name follows the marker's, as in `speed-avx2`.
    """
    makers = {
        "machine": ("machine.csv", machine_line), "speed": ("speed.csv", speed_table),
        "accuracy": ("speed.csv", accuracy_sentence), "growth": ("growth.csv", growth_table),
        "precision": ("precision.csv", precision_table), "ladder": ("ladder.csv", ladder_table),
        "commits": ("commits.csv", commits_sentence), "all": ("gpu.csv", gpu_table),
        "convolutions": ("convolutions.csv", convolutions_table),
    }  # fmt: skip
    others = {f"-{folder.name}": folder for folder in sorted(results.iterdir()) if folder.is_dir()}
    return {
        name + machine: make(pd.read_csv(folder / file))
        for machine, folder in {"": results, **others}.items()
        for name, (file, make) in makers.items()
        if (folder / file).exists()
    }


def main() -> None:
    """Rewrite the README."""
    readme = FOLDER / "README.md"
    text = readme.read_text()
    atomic.write_bytes(readme, fill(text, within(text, sections(FOLDER / "results"))).encode())


def _our_seconds(rows: pd.DataFrame, label: str) -> pd.Series:
    work = label if label == "grid" else ALONE + label
    return rows[(rows["work"] == work) & (rows["contender"] == "transferkit")]["seconds"]


def _our_top1(rows: pd.DataFrame) -> pd.Series:
    """In the first grid, by network."""
    first = rows[(rows["repeat"] == 0) & rows["work"].str.startswith(OURS)]
    return first.set_index(first["work"].str.removeprefix(OURS))["top1"]


def _last_tries(rows: pd.DataFrame, peer: str) -> pd.DataFrame:
    """Those of a peer's rows that count: the last of each repeat of each network."""
    return rows[rows["contender"] == peer].drop_duplicates(["work", "repeat"], keep="last")


def _their_seconds(rows: pd.DataFrame, label: str, peer: str) -> tuple[float, float, float]:
    """Mean, least and most seconds of a peer for a network or, one network after the other, for the grid."""
    by_network = _last_tries(rows, peer).groupby("work")["seconds"]
    mean, least, most = (
        sum(_over_grid(of_kind)) if label == "grid" else float(of_kind[label])
        for of_kind in (by_network.mean(), by_network.min(), by_network.max())
    )
    return mean, least, most


def _top1(rows: pd.DataFrame, label: str, peer: str) -> tuple[float, float]:
    """Mean top-1 in percent of ours and of a peer, for a network or over the grid."""
    theirs = _last_tries(rows, peer).groupby("work")["top1"].mean()
    if label != "grid":
        return 100 * float(_our_top1(rows)[label]), 100 * float(theirs[label])
    ours = _our_top1(rows)[theirs.index]
    return 100 * float(np.mean(_over_grid(ours))), 100 * float(np.mean(_over_grid(theirs)))


def _over_grid(of_kind: pd.Series) -> list[float]:
    """The value for each of the 72 networks, from that of some, by label.

    That of a frozen network lies on lines through those of its treatment, n = 0 being the base, and stays level after
    the last. Fine-tuned ones have the mean of their treatment.
    """
    known: dict[Treatment, dict[int, float]] = {}
    for label, value in of_kind.items():
        run = _run(label)
        known.setdefault(run.treatment, {})[run.n] = value
    values = []
    for run in grid("random0", 0):
        points = known[run.treatment]
        if run.finetune:
            values.append(float(np.mean(list(points.values()))))
        else:
            line = sorted({**known["base"], **points}.items())
            values.append(float(np.interp(run.n, [n for n, _ in line], [value for _, value in line])))
    return values


def _differences(rows: pd.DataFrame, peer: str) -> pd.Series:
    """Top-1 of ours minus that of a peer, in points, by network."""
    tries = _last_tries(rows, peer)
    theirs = tries[tries["repeat"] == 0].set_index("work")["top1"]
    return 100 * (_our_top1(rows) - theirs).dropna()


def _ways(rows: pd.DataFrame, peer: str) -> str:
    """How many networks a peer brought to the goal with which recipe, and which it did not bring there at all."""
    tries = _last_tries(rows, peer)
    short = tries[tries["top1"] < tries["goal"]]
    ways = ", ".join(f"{len(of_one)} with {way}" for way, of_one in tries.groupby("way"))
    missed = f"; it did not reach {', '.join(short['work'])}" if len(short) else ""
    return f" ({ways}{missed})"


def _run(label: object) -> Run:
    return parse_run(str(label), "random0", 0)


def _count(rows: pd.DataFrame, label: str, peer: str) -> int:
    """How often a peer trained a network, or each that its grid is made of."""
    counts = _last_tries(rows, peer).groupby("work").size()
    return int(counts.min() if label == "grid" else counts[label])


def _times(theirs: tuple[float, float, float], ours: pd.Series) -> tuple[float, float, float]:
    """Theirs as a multiple of ours: from their mean and our median, and the least and the most from the extremes."""
    mean, least, most = theirs
    return mean / ours.median(), least / ours.max(), most / ours.min()


def _accuracies(ours: float, theirs: float) -> str:
    return f"{ours:.1f} % | {theirs:.1f} % | {ours - theirs:+.1f}"


def _range(values: pd.Series, digits: int) -> str:
    return _span(values.median(), values.min(), values.max(), digits)


def _span(middle: float, low: float, high: float, digits: int) -> str:
    spread = "" if low == high else f" ({low:,.{digits}f} to {high:,.{digits}f})"
    return f"{middle:,.{digits}f}{spread}"


if __name__ == "__main__":
    main()
