"""The tables of benchmarks/README.md, from the files that the measurements wrote.

    python -m benchmarks.summary

rewrites the text between its markers; a test compares.
"""

from pathlib import Path

import pandas as pd

from course.book.markers import fill
from transferkit.disk import atomic
from transferkit.treatments import grid

FOLDER = Path(__file__).parent
PEERS = {"plain loop": "the plain loop of PyTorch's transfer-learning tutorial", "Lightning": "Lightning"}
OURS, ALONE = "in the grid: ", "alone: "
PLAIN = "plain loop"
NAMES = {"baseB": "one base network", "A4B": "one network, four layers frozen", "grid": "the whole grid, 72 networks"}


def speed_table(rows: pd.DataFrame) -> str:
    """Seconds of each contender (median and range of its repeats), also as multiples of ours."""
    lines = ["| work | contender | n | seconds | times ours | top-1 |", "|---|---|---|---|---|---|"]
    for label, name in NAMES.items():
        ours = _seconds(rows, label if label == "grid" else ALONE + label, "transferkit")
        for contender in ("transferkit", *PEERS):
            if label == "grid" and contender != "transferkit":
                found, n, top1 = _peer_grid(rows, contender), "1 of each kind", float("nan")
            else:
                work = ALONE + label if contender == "transferkit" and label != "grid" else label
                found, n, top1 = _seconds(rows, work, contender), "", _top1(rows, work, contender)
            ratios = found / ours.median()
            lines.append(
                f"| {name} | {contender} | {n or len(found)} | {_range(found, 0)} | {_range(ratios, 1)} | "
                f"{'' if pd.isna(top1) else f'{100 * top1:.1f} %'} |"
            )
    return "\n".join(lines)


def headline(rows: pd.DataFrame) -> str:
    """How many times faster our whole grid is than each peer's, and how the accuracies differ."""
    ours = _seconds(rows, "grid", "transferkit")
    beaten = []
    for contender, name in PEERS.items():
        times = _peer_grid(rows, contender).median() / ours.median()
        difference = _differences(rows, contender)
        beaten.append(
            f"**{times:.1f} times** faster than {name} (top-1 {difference.mean():+.1f} points, standard deviation "
            f"{difference.std():.1f}, {len(difference)} networks)"
        )
    what = f"The whole grid of {len(grid('random0', 0))} networks: {ours.median():.0f} s (n={len(ours)})"
    return f"{what}, {' and '.join(beaten)}."


def accuracy_sentence(rows: pd.DataFrame) -> str:
    """How the peers' accuracies differ from ours, network by network."""
    sentences = []
    for contender in PEERS:
        difference = _differences(rows, contender)
        sentences.append(
            f"ours minus {contender}: {difference.mean():+.2f} points on average, standard deviation "
            f"{difference.std():.2f}, {len(difference)} networks of the same first weights"
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
        "commits": ("commits.csv", commits_sentence), "convolutions": ("convolutions.csv", convolutions_table),
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
    atomic.write_bytes(readme, fill(readme.read_text(), sections(FOLDER / "results")).encode())


def _seconds(rows: pd.DataFrame, work: str, contender: str) -> pd.Series:
    return rows[(rows["work"] == work) & (rows["contender"] == contender)]["seconds"]


def _differences(rows: pd.DataFrame, contender: str) -> pd.Series:
    """Top-1 of ours minus that of the contender, in points, by network."""
    first = rows[rows["repeat"] == 0]
    grids = first[first["work"].str.startswith(OURS)]
    ours = grids.set_index(grids["work"].str.removeprefix(OURS))["top1"]
    theirs = first[first["contender"] == contender].set_index("work")["top1"]
    return 100 * (ours - theirs).dropna()


def _top1(rows: pd.DataFrame, work: str, contender: str) -> float:
    return float(rows[(rows["work"] == work) & (rows["contender"] == contender)]["top1"].mean())


def _peer_grid(rows: pd.DataFrame, contender: str) -> pd.Series:
    """The seconds of the 72 networks one after the other, from the mean of each kind, as the only value."""
    of_kind = rows[rows["contender"] == contender].groupby("work")["seconds"].mean()
    tuned = of_kind[[kind for kind in of_kind.index if kind.endswith("+")]].mean()
    total = 0.0
    for run in grid("random0", 0):
        total += tuned if run.finetune else of_kind["baseB" if run.n == 0 else f"A{run.n}B"]
    return pd.Series([total])


def _range(values: pd.Series, digits: int) -> str:
    middle = f"{values.median():,.{digits}f}"
    return middle if len(values) < 2 else f"{middle} ({values.min():,.{digits}f} to {values.max():,.{digits}f})"


if __name__ == "__main__":
    main()
