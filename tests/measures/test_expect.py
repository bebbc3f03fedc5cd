"""The curve that two bases let expect: as numbers, as a picture, and as the command `predict`."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course.evidence.collect import kept_evidence
from course.evidence.receipts import read_settings
from course.measures.agreement import agreement
from course.measures.expect import Rule, expected_curve, kept_rule, learn_rule
from course.measures.names import NET
from course.measures.picture import draw_curve, predict_curve
from tests.measures.made_cells import made_cells
from transferkit.__main__ import main
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.errors import StoreError, UsageError
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study
from transferkit.treatments import HALVES, Run, parse_run


@pytest.fixture(scope="module")
def rule() -> Rule:
    return learn_rule(made_cells(0))


@pytest.fixture(scope="module")
def bases(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny data with both bases and nothing else."""
    store = Store(tmp_path_factory.mktemp("bases"))
    study = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", store, "float32")
    for half in HALVES:
        perform(study, Run("random0", 0, half))
    return study


def test_a_curve_for_every_n_from_two_bases_alone(bases: Study, rule: Rule) -> None:
    table = expected_curve(bases, "random0", rule=rule)
    assert table["n"].tolist() == list(range(1, 8))
    assert (table["low"] < table["expected"]).all()
    assert (table["expected"] < table["high"]).all()
    assert table["trained"].isna().all()
    assert (table["networks"] == 0).all()
    drawn = draw_curve(table, rule, bases, "random0")
    assert "No AnB is trained yet." in drawn.alt
    assert "Tried on photos after 32 epochs and the network small, not on tiny after 2 epochs: a guess." in drawn.alt


def test_what_is_trained_is_drawn_over_what_was_expected_and_changes_no_expectation(bases: Study, rule: Rule) -> None:
    before = expected_curve(bases, "random0", rule=rule)
    for label in ("A3B", "A6A"):  # a selffer is no AnB
        perform(bases, parse_run(label, "random0", 0))
    table = expected_curve(bases, "random0", rule=rule)
    pd.testing.assert_frame_equal(before[["expected", "low", "high"]], table[["expected", "low", "high"]])
    assert table.loc[table["networks"] > 0, "n"].tolist() == [3]
    found, base = (bases.store.find(Run("random0", 0, "B", *own), bases.setting) for own in (("A", 3), ()))
    assert found
    assert base
    assert table.set_index("n")["trained"][3] == pytest.approx(found.final.top1 - base.final.top1)
    picture = draw_curve(table, rule, bases, "random0")
    (points,) = [line for line in picture.figure.axes[0].lines if line.get_gid() == "trained"]
    assert np.allclose(points.get_xydata(), [[3, 100 * table.set_index("n")["trained"][3]]])
    assert "1 network of AnB are trained" not in picture.alt
    assert "1 network of AnB is trained" in picture.alt


def test_bases_that_are_not_trained_are_named(bases: Study, rule: Rule) -> None:
    with pytest.raises(StoreError, match="base"):
        expected_curve(bases, "random1", rule=rule)


def test_the_kept_rule_is_computed_from_the_kept_table_and_expects_more_loss_of_poorer_features() -> None:
    kept = kept_rule()
    assert kept.data == "photos"
    assert kept.line.slope > 0
    assert (kept.here.half > 0).all()
    assert kept.elsewhere is not None
    assert kept.elsewhere.half[-1] > kept.here.half[-1]  # other data are farther from what the line was fitted on


def test_what_the_kept_rule_was_tried_on_is_what_the_evidence_was_trained_with() -> None:
    folder = kept_evidence()
    assert folder
    settings = read_settings(folder).values()
    assert {setting.net.name for setting in settings} == {NET}
    assert kept_rule().tried == {("photos", get_preset("quick").recipe.epochs), ("shapeworld", 64)}


def test_a_kept_split_is_expected_without_its_own_networks() -> None:
    whole, without = kept_rule(), kept_rule("photos", "random0")
    assert without.splits == whole.splits - 1
    assert without.line != whole.line
    assert kept_rule("tiles", "random0").line == whole.line


def test_the_figure_of_agreement_shows_every_cell_in_four_panels() -> None:
    cells = made_cells(3).assign(logme=lambda table: 1 - table["logistic"], logme_selffer=0.5)
    picture = agreement(cells)
    for ax in picture.figure.axes:
        points = [line for line in ax.lines if line.get_gid() in ("random", "apart", "natural", "overlap")]
        assert sum(len(np.asarray(line.get_xdata())) for line in points) == len(cells)
    assert picture.alt.count("tau") >= 4
    with pytest.raises(UsageError, match="random split"):
        agreement(cells[cells["split"] == "natural"])


def test_the_command_trains_the_bases_alone_writes_the_picture_and_the_numbers(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transferkit.training.workers.local_workers", lambda count: ThreadPoolExecutor(1))
    work, numbers = tmp_path / "work", tmp_path / "curve.csv"
    command = ["predict", "--data", str(tiny_folder), "--preset", "smoke", "--device", "cpu", "--split", "random1"]
    files = ["--csv", str(numbers), "--out", str(tmp_path / "curve.png")]
    assert main([*command, "--work", str(work), *files]) == 0
    assert sorted(path.name.split("-")[0] for path in (work / "runs").glob("*/*")) == ["baseA", "baseB"]
    assert pd.read_csv(numbers)["n"].tolist() == list(range(1, 8))
    assert (tmp_path / "curve.png").stat().st_size > 10_000
    assert "AnB expected" in capsys.readouterr().out


def test_runs_are_refused(tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--data", str(tiny_folder), "--runs", "A3B", "--work", str(tmp_path)]) == 2
    assert "leave it out" in capsys.readouterr().err


def test_from_python_it_is_a_picture_that_says_its_numbers(bases: Study) -> None:
    assert predict_curve(bases).alt.startswith("The paired differences of AnB over n that the bases")
