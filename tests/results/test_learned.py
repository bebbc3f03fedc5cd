"""The criterion by which bases have learned, on planted tables."""

import math

import pandas as pd
import pytest

from transferkit.results import have_learned

KEYS = ["split", "seed", "target"]


def bases(top1: float, splits: tuple[str, ...] = ("random0", "random1")) -> pd.DataFrame:
    rows = [("base", split, 0, target, 0, top1, 0.0) for split in splits for target in "AB"]
    return pd.DataFrame(rows, columns=["treatment", *KEYS, "n", "top1", "paired"])


def with_selffer(table: pd.DataFrame, points: float) -> pd.DataFrame:
    chopped = table.assign(treatment="BnB", n=1, paired=points / 100, top1=table["top1"] + points / 100)
    return pd.concat([table, chopped], ignore_index=True)


@pytest.mark.parametrize(
    ("gain", "selffer", "verdict"),
    [(0.4, 0.5, "learned"), (0.99, -1.5, "learned"), (1.0, 0.5, "not learned"), (0.4, 1.6, "not learned"),
     (0.4, -1.6, "not learned"), (-2.0, 0.0, "learned"), (8.7, 4.0, "not learned")],
)  # fmt: skip
def test_both_measures_must_show_it_and_either_can_refute_it(gain: float, selffer: float, verdict: str) -> None:
    found = have_learned(with_selffer(bases(0.75), selffer), bases(0.75 + gain / 100))
    assert (found.bases, found.splits) == (4, 2)
    assert found.gain == pytest.approx(gain)
    assert found.selffer == pytest.approx(selffer)
    assert found.verdict == verdict
    assert f"{gain:+.1f} points (4 bases, 2 splits)" in str(found)
    assert f"BnB at n = 1 lies {selffer:+.1f} points" in str(found)


@pytest.mark.parametrize(
    ("table", "longer"),
    [
        (bases(0.75), None),
        (with_selffer(bases(0.75), 0.0), None),
        (bases(0.75), bases(0.751)),
        (with_selffer(bases(0.75, ("random0",)), 0.0), bases(0.751, ("random0",))),
        (with_selffer(bases(0.75), 0.0), bases(0.751, ("random2", "random3"))),
    ],
    ids=["nothing", "no longer bases", "no selffer", "one split", "other splits"],
)
def test_what_is_not_known_is_not_claimed(table: pd.DataFrame, longer: pd.DataFrame | None) -> None:
    found = have_learned(table, longer)
    assert found.verdict == "not known"
    assert str(found).startswith("Whether the bases have learned is not known (4 of them")
    assert math.isnan(found.gain) == (found.bases == 0)


def test_bases_are_paired_with_their_own_and_other_networks_do_not_count() -> None:
    longer = bases(0.80)
    longer.loc[longer["split"] == "random1", "top1"] = 0.76
    shuffled = with_selffer(longer, 9.0).sample(frac=1, random_state=0)
    assert have_learned(with_selffer(bases(0.75), 0.0), shuffled).gain == pytest.approx(3.0)


def test_two_bases_that_gain_much_are_not_enough_to_say_so() -> None:
    one = ("random0",)
    found = have_learned(with_selffer(bases(0.75, one), 0.3), bases(0.83, one))
    assert found.verdict == "not known"
    assert "+8.0 points (2 bases, 1 split)" in str(found)
