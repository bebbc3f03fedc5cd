"""The advice to freeze or fine-tune, and the ledger's negative control."""

import numpy as np
import pandas as pd
import pytest

from course.evidence.claims import Evidence, advise_by_size, ledger, shuffled
from tests.figure_tables import grids
from transferkit.results import pair

RANDOMS = ("random0", "random1", "random2")


def sizes(gain: float, scatter: float = 0.2, splits: tuple[str, ...] = RANDOMS) -> pd.DataFrame:
    """AnB and AnB+ at every n, the latter `gain` points better, give or take `scatter` between splits."""
    table = grids(splits).assign(images_per_class=10, epochs=48)
    offsets = dict(zip(splits, np.linspace(-scatter, scatter, len(splits)), strict=True))
    base = table.loc[table["treatment"] == "AnB"].set_index(["split", "seed", "target", "n"])["top1"]
    tuned = table["treatment"] == "AnB+"
    keys = table.loc[tuned, ["split", "seed", "target", "n"]].itertuples(index=False, name=None)
    moved = table.loc[tuned, "split"].map(offsets) / 100
    table.loc[tuned, "top1"] = [base[key] for key in keys] + moved + gain / 100
    return pair(table)


@pytest.mark.parametrize(("gain", "advice"), [(5.0, "fine-tune"), (-5.0, "freeze"), (0.1, "either")])
def test_the_advice_follows_the_whole_interval(gain: float, advice: str) -> None:
    found = advise_by_size(sizes(gain))
    assert found["n"].tolist() == list(range(1, 8))
    assert set(found["advice"]) == {advice}
    assert found["gain"].to_numpy() == pytest.approx(gain)
    assert (found["low"] < gain).all()
    assert (found["high"] > gain).all()
    assert set(found["count"]) == {2 * 2 * len(RANDOMS)}


def test_one_split_advises_nothing() -> None:
    found = advise_by_size(sizes(20.0, scatter=0, splits=("random0",)))
    assert found["low"].isna().all()
    assert set(found["advice"]) == {"either"}


def test_shuffled_networks_keep_their_accuracies_but_not_their_treatments() -> None:
    table = grids((*RANDOMS, "random3"))
    mixed = shuffled(table)
    chopped = table["treatment"] != "base"
    assert sorted(mixed.loc[chopped, "top1"]) == sorted(table.loc[chopped, "top1"])
    assert mixed.loc[~chopped].equals(table.loc[~chopped])
    assert not np.allclose(mixed["top1"], table["top1"])
    assert mixed["paired"].notna().all()
    assert shuffled(table).equals(mixed)
    assert not shuffled(table, seed=1).equals(mixed)


def test_a_true_difference_does_not_survive_shuffling() -> None:
    table = grids((*RANDOMS, "random3"))
    verdicts = [
        ledger(Evidence(similar=one)).set_index("claim")["verdict"]["specific-6-7"] for one in (table, shuffled(table))
    ]
    assert verdicts[0] == "holds"
    assert verdicts[1] != "holds"
