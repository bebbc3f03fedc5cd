"""What it costs to train the whole paper again, from measured images per second; the tables of cost.md.

A network's time is the number of images it is shown over the images per second at its number of frozen layers.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from course.evidence.authors import AuthorsFigure, authors_table
from transferkit.network import count_multiplications
from transferkit.specs import Net, paper_net
from transferkit.treatments import LAYERS

RATES = Path(__file__).parents[2] / "benchmarks" / "results" / "paper-rate.csv"
FIGURES: tuple[AuthorsFigure, ...] = ("figure2", "figure3-natural", "figure3-random", "supplement")
NETWORKS = 163  # in the paper; the logs of 148 are published, and the others count as base networks
BATCH = 256
ITERATIONS, REDUCED_ITERATIONS = 450_000, 200_000  # of a usual network, and of one of the supplement's small sets
DAYS_ON_K20 = (9.5, 8.7, 7.0, 6.0, 4.7, 4.3, 4.2, 3.8)  # per network by frozen layers, as the authors report
H200_RATE = 790e12  # bfloat16 operations per second in large matrix products: assumed; the data sheet says 989e12
SHARES = (0.19, 0.45, 1.0)  # of that rate: a low and a high assumption for good convolutional networks, and all of it
PRICES = (2, 4, 8)  # dollars per GPU and hour
CLASSES = 1000
PAPER = paper_net()


def images_by_frozen() -> dict[int, int]:
    """The images shown to all networks of the paper together, by number of frozen layers."""
    table = pd.concat([authors_table(figure) for figure in FIGURES])
    reduced = table["images_per_class"].notna()
    shown = BATCH * reduced.map({True: REDUCED_ITERATIONS, False: ITERATIONS})
    frozen = table["n"].where(~table["finetune"].astype(bool), 0)
    images = {depth: int(shown[frozen == depth].sum()) for depth in range(len(LAYERS))}
    return images | {0: images[0] + BATCH * ITERATIONS * (NETWORKS - len(table))}


def read_rates(kept: Path = RATES) -> pd.DataFrame:
    """The measured rates: those in this file, and those in the folders of other machines beside it."""
    return pd.concat([pd.read_csv(path) for path in (kept, *sorted(kept.parent.glob(f"*/{kept.name}")))])


def operations_by_frozen(net: Net = PAPER) -> dict[int, float]:
    """Operations to train on one image, by frozen layers: forward, and twice as much backward where layers train."""
    counts = count_multiplications(net, CLASSES)
    found = {}
    for depth in range(len(LAYERS)):
        trained = [counts[layer] for layer in LAYERS[depth:]]
        found[depth] = 2.0 * (sum(counts.values()) + 2 * sum(trained) - trained[0])  # its inputs need no gradient
    return found


def days(rates: Mapping[int, float]) -> tuple[float, float]:
    """Days that one device needs for one base network and for all networks of the paper, at these images per second."""
    seconds = {depth: images / rates[depth] for depth, images in images_by_frozen().items()}
    return BATCH * ITERATIONS / rates[0] / 86_400, sum(seconds.values()) / 86_400


def authors_rates() -> dict[int, float]:
    """Images per second of the authors' GPU, by frozen layers."""
    return {depth: BATCH * ITERATIONS / (taken * 86_400) for depth, taken in enumerate(DAYS_ON_K20)}


def sections(rates: pd.DataFrame) -> dict[str, str]:
    """The text between the markers of cost.md, by the marker's name."""
    return {
        "work": work_table(),
        "measured": measured_table(rates),
        "bound": bound_table(),
        "cloud": cloud_table(rates),
    }


def work_table() -> str:
    """Images and operations of all networks, by number of frozen layers."""
    lines = [
        "| frozen layers | images shown, millions | GFLOP per image | the authors' days per network |",
        "|---|---|---|---|",
    ]
    operations = operations_by_frozen()
    for depth, images in images_by_frozen().items():
        days_then = DAYS_ON_K20[depth]
        lines.append(f"| {depth} | {images / 1e6:,.0f} | {operations[depth] / 1e9:.2f} | {days_then} |")
    return "\n".join(lines)


def measured_table(rates: pd.DataFrame) -> str:
    """A row per measured device, one for the H200 if it was not measured, and one for the authors' GPU."""
    lines = [
        f"| device | images/s, base | one base network | {NETWORKS} networks, one device | eight | measured |",
        "|---|---|---|---|---|---|",
    ]
    for (device, precision), rows in rates.groupby(["device", "precision"]):
        about = rows.iloc[0]
        how = f"{about['date']}, torch {about['torch']}, batch {about['batch']}, {about['steps']} steps"
        lines.append(_row(f"{device}, {precision}", _rates_of(rows), how))
    if not rates["device"].str.contains("H200").any():
        lines.append("| NVIDIA H200 | not measured on a GPU | | | | |")
    return "\n".join(
        [*lines, _row("NVIDIA K20, the authors'", authors_rates(), "by the authors: the days per network")]
    )


def bound_table() -> str:
    """What an H200 could do at each share of its arithmetic rate; nothing here was measured."""
    lines = [
        f"| share of {H200_RATE / 1e12:.0f} TFLOP/s | images/s, base | one base network | {NETWORKS} networks | "
        "on eight |",
        "|---|---|---|---|---|",
    ]
    for share in SHARES:
        one, everything = days(_bound(share))
        lines.append(
            f"| {share:.0%} | {_bound(share)[0]:,.0f} | {_span(one)} | {_span(everything)} | {_span(everything / 8)} |"
        )
    return "\n".join(lines)


def cloud_table(rates: pd.DataFrame) -> str:
    """Dollars for all networks by the price of a GPU hour: on each GPU that was measured, and at the bound."""
    named = {f"bound: H200 at {share:.0%}": _bound(share) for share in SHARES}
    for (device, precision), rows in rates[~rates["device"].str.contains("core")].groupby(["device", "precision"]):
        named[f"measured: {device}, {precision}"] = _rates_of(rows)
    lines = [
        "| | GPU hours | " + " | ".join(f"at ${price}" for price in PRICES) + " |",
        "|---" * (2 + len(PRICES)) + "|",
    ]
    for name, found in named.items():
        hours = 24 * days(found)[1]
        lines.append(f"| {name} | {hours:,.0f} | " + " | ".join(f"${price * hours:,.0f}" for price in PRICES) + " |")
    return "\n".join(lines)


def _rates_of(rows: pd.DataFrame) -> dict[int, float]:
    return {int(frozen): float(rate) for frozen, rate in zip(rows["frozen"], rows["rate"], strict=True)}


def _bound(share: float) -> dict[int, float]:
    return {depth: share * H200_RATE / operations for depth, operations in operations_by_frozen().items()}


def _row(name: str, rates: Mapping[int, float], how: str) -> str:
    one, everything = days(rates)
    return f"| {name} | {rates[0]:,.0f} | {_span(one)} | {_span(everything)} | {_span(everything / 8)} | {how} |"


def _span(in_days: float) -> str:
    """A time in the unit that people would use."""
    if in_days >= 2:
        return f"{in_days:,.1f} days" if in_days < 100 else f"{in_days:,.0f} days"
    return f"{24 * in_days:.1f} hours" if in_days >= 2 / 24 else f"{1440 * in_days:.0f} minutes"
