"""Intervals over the pictures that classes come from: what is measured by picture, and what it does to a verdict."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course.evidence import by_picture
from course.evidence.by_picture import top1_by_picture, write_by_picture
from course.evidence.claims import Evidence, judge_by_length, ledger
from course.evidence.sweeps import SeriesStep
from tests.test_claims import AS_CLAIMED, RANDOMS, networks
from transferkit.training.data import Prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study
from transferkit.treatments import parse_run

BASE = parse_run("baseA", "random0", 0)
PICTURES = 8


def by_pictures(similar: pd.DataFrame, dip: np.ndarray) -> pd.DataFrame:
    """The similar networks by picture, on each of which BnB at n = 4 and 5 lies `dip` points below its base."""
    dipping = (similar["treatment"] == "BnB") & similar["n"].isin([4, 5])
    parts = [
        similar.assign(picture=f"p{at}", classes=5, top1=similar["top1"] - dipping * (points - dip.mean()) / 100)
        for at, points in enumerate(dip)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[table["treatment"] != "RnB"]


def test_top1_by_picture_averages_to_that_of_the_receipt(study: Study) -> None:
    receipt = perform(study, BASE)
    found = top1_by_picture(study, BASE)
    classes, top1 = zip(*found.values(), strict=True)
    assert sum(classes) == len(study.prepared.split("random0").classes("A"))
    assert np.average(top1, weights=classes) == pytest.approx(receipt.final.top1)


def test_networks_are_looked_at_once_and_replaced_when_their_setting_changes(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform(study, BASE)
    steps = [SeriesStep(study, (BASE,))]
    with ThreadPoolExecutor(1) as pool:
        assert write_by_picture(steps, pool, tmp_path / "out") is None, "each class is a picture of its own"
        monkeypatch.setattr(Prepared, "can_split", lambda *_: True)
        path = write_by_picture(steps, pool, tmp_path)
        assert path
        first = pd.read_csv(path)
        assert set(first["run"]) == {"baseA"}
        monkeypatch.setattr(by_picture, "top1_by_picture", lambda study, run: {"a": (4, 0.5)})
        write_by_picture(steps, pool, tmp_path)
        assert pd.read_csv(path).equals(first)
        first.assign(receipt="another").to_csv(path, index=False)
        write_by_picture(steps, pool, tmp_path)
        assert pd.read_csv(path)[["picture", "classes", "top1"]].to_numpy().tolist() == [["a", 4, 0.5]]


def test_an_effect_of_one_picture_alone_is_not_decided_however_well_splits_agree() -> None:
    similar = networks(AS_CLAIMED, RANDOMS)
    alike, alone = np.full(PICTURES, 3.0), np.array([24.0] + [0.0] * (PICTURES - 1))
    rows = {
        name: ledger(Evidence(similar=similar, pictures=by_pictures(similar, dip))).set_index("claim").loc["dip"]
        for name, dip in (("alike", alike), ("alone", alone))
    }
    assert (rows["alike"]["verdict"], rows["alike"]["over"]) == ("holds", "splits")
    assert (rows["alone"]["verdict"], rows["alone"]["over"], rows["alone"]["clusters"]) == ("undecided", "pictures", 8)
    assert rows["alone"]["estimate"] == rows["alike"]["estimate"]
    assert str(rows["alone"]["note"]).startswith("over 4 splits: ")
    half = 2.3646 * 24 * np.sqrt(7 / 8 * PICTURES / (PICTURES - 1)) / PICTURES  # Student's t of 7 degrees of freedom
    low, high = rows["alone"][["low", "high"]].to_numpy(dtype=float)
    assert (high - low) / 2 == pytest.approx(half, rel=0.01)


def test_lengths_are_judged_by_the_same_rule_and_an_incomplete_table_is_not_used() -> None:
    similar = networks(AS_CLAIMED, RANDOMS)
    pictures = by_pictures(similar, np.array([24.0] + [0.0] * (PICTURES - 1)))
    both = pd.concat([similar, similar.assign(epochs=12)])
    complete = pd.concat([pictures, pictures.assign(epochs=12)])
    for measured, verdicts in ((complete, ["undecided", "undecided"]), (pictures, ["undecided", "holds"])):
        found = judge_by_length(both, measured)
        assert found.loc[found["claim"] == "dip", "verdict"].tolist() == verdicts
