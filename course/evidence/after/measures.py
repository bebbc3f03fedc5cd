"""What the claims of after.csv measure: differences of two ways to train, matched on split, half and n."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course.evidence.after.variants import LONGER_N, NO_SHIFT, OF_IMAGES, TUNED_N, WHOLE_N, How, Shift
from transferkit.results import Estimate, estimate

Table = pd.DataFrame | None
_KEYS = ["split", "seed", "target", "n", "shift"]
_TOP1 = ("top1",)


def probed_first(after: Table, *, few: bool = False, shifted: bool = False) -> Estimate | None:
    """Probing and then fine-tuning minus fine-tuning at once, each at its better rate; perhaps on shifted images."""
    if after is None:
        return None
    columns = OF_IMAGES if shifted else _TOP1
    rows = of_size(after[after["n"] == WHOLE_N], few=few)
    return _difference(at_better_rate(rows, "probed first", columns), at_better_rate(rows, "fine-tuned", columns))


def one_block(
    after: Table, block: How, shifts: Sequence[Shift], against: How = "all blocks"
) -> Estimate | None:  # fmt: skip
    """Tuning this block of the target's own base minus tuning all of it, or another block, each at its better rate."""
    if after is None:
        return None
    rows = after[after["shift"].isin(list(shifts))]
    return _difference(at_better_rate(rows, block), at_better_rate(rows, against))


def small_rate(after: Table, against: How, *, few: bool = False) -> Estimate | None:
    """Copied layers at a tenth of the others' rate, minus those at the same rate ("fine-tuned"), or "frozen"."""
    if after is None:
        return None
    rows = of_size(after[after["n"].isin(TUNED_N)], few=few)
    return _difference(_values(usual(rows, "small rate")), _values(usual(rows, against)))


def scale_alone(after: Table, against: How) -> Estimate | None:
    """Mean and variance of the copied weights alone, minus copying them ("fine-tuned") or nothing ("scratch")."""
    if after is None:
        return None
    rows = of_size(after, few=False)
    one, other = (usual(rows[rows["n"].isin([0, WHOLE_N])], how).assign(n=WHOLE_N) for how in ("scale alone", against))
    return _difference(_values(one), _values(other))


def early_scale_alone(after: Table) -> Estimate | None:
    """Mean and variance of the copied weights alone, minus training from scratch, after a third of the epochs."""
    if after is None:
        return None
    rows = of_size(after, few=False)
    one, other = (usual(rows, how).assign(n=WHOLE_N) for how in ("scale alone", "scratch"))
    return _difference(_values(one, ("early",)), _values(other, ("early",)))


def gain_by_length(after: Table) -> dict[int, pd.Series]:
    """For each number of epochs, what fine-tuning gains over training from scratch for as long, by split and half."""
    if after is None:
        return {}
    rows = of_size(after[after["n"].isin([0, LONGER_N])], few=False)
    rows = rows[rows["rate"] == rows["rate"].max()].assign(n=LONGER_N)
    gains = {}
    for epochs, trained in rows.groupby("epochs"):
        tuned, scratch = (_values(trained[trained["how"] == how]) for how in ("fine-tuned", "scratch"))
        if len(gain := (tuned - scratch).dropna()):
            gains[int(str(epochs))] = gain
    return gains


def longer_against_shorter(after: Table) -> Estimate | None:
    """What fine-tuning gains over training from scratch in the longest training, minus that in the shortest."""
    gains = gain_by_length(after)
    if len(gains) < 2:
        return None
    return _difference(gains[max(gains)], gains[min(gains)], networks=4)


def at_better_rate(table: pd.DataFrame, how: How, columns: Sequence[str] = _TOP1) -> pd.Series:
    """The mean of these columns by split, half, n and shift, each at the rate that is better on the other splits.

    Better is what has the higher top-1 without further shift, on the same n and shift, so that no network takes part
    in the choice of its own rate.
    """
    rows = table[table["how"] == how]
    chosen = []
    for (_, _, split), own in rows.groupby(["n", "shift", "split"]):
        others = rows[(rows["n"] == own["n"].iloc[0]) & (rows["shift"] == own["shift"].iloc[0])]
        others = others[others["split"] != split] if len(set(others["split"])) > 1 else others
        best = others.groupby("rate")["top1"].mean().idxmax()
        chosen.append(own[own["rate"] == best])
    return _values(pd.concat(chosen) if chosen else rows, columns)


def _values(rows: pd.DataFrame, columns: Sequence[str] = _TOP1) -> pd.Series:
    found: pd.Series = rows.set_index(_KEYS)[list(columns)].mean(axis=1)
    return found


def of_size(table: pd.DataFrame, *, few: bool) -> pd.DataFrame:
    """The rows without a shift that were trained on all images, or on few."""
    rows = table[table["shift"] == NO_SHIFT]
    most = rows["images_per_class"].max()
    found: pd.DataFrame = rows[(rows["images_per_class"] < most) == few]
    return found


def usual(rows: pd.DataFrame, how: How) -> pd.DataFrame:
    """The rows of one way at the recipe's rate and for the epochs of the frozen networks, which all ways share."""
    epochs = rows.loc[rows["how"] == "frozen", "epochs"].max()
    found: pd.DataFrame = rows[(rows["how"] == how) & (rows["rate"] == rows["rate"].max()) & (rows["epochs"] == epochs)]
    return found


def _difference(one: pd.Series, other: pd.Series, networks: int = 2) -> Estimate | None:
    both = (one - other).rename("paired").dropna()
    return estimate(both.reset_index(), networks_per_row=networks) if np.size(both) else None
