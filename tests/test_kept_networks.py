"""The networks that travel with the course: as accurate as their receipts say, and never taken for a learner's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import course
import transferkit as tk
from course.lesson import kept_networks
from course.lesson.kept_networks import FOLDER, MOST_LOST, RUNS, KeptStore, keep_networks
from course.lesson.kept_rows import kept_rows
from course.looking import conv1
from data_prep import photos, rendering
from transferkit.config import get_preset
from transferkit.disk.store import WEIGHTS, Store
from transferkit.errors import DataError, StoreError, UsageError
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study
from transferkit.treatments import parse_run, plan

MOST_BYTES = 4_000_000
PER_CLASS = 10
NEAR = 0.05  # of top-1: four standard errors on 400 images at 90 % are 0.06, and the views are the same in kind
SOME = plan("random0", [0], ["A3B", "B3B"])


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A few new views of the places of photos."""
    folder = tmp_path_factory.mktemp("kept") / "data" / "photos"
    arguments = rendering.Arguments(train=1, valid=PER_CLASS)
    rendering.write(folder, photos.rendered(arguments), arguments)
    store = Store(folder.parent.parent)
    return plan_study(open_prepared(folder), get_preset("smoke"), "cpu", store)


def test_there_are_a_base_of_each_half_and_both_kinds_for_every_n_in_a_few_megabytes() -> None:
    assert [kept.receipt.run.label for kept in KeptStore(FOLDER).index.values()] == [run.label for run in RUNS]
    assert len(RUNS) == 2 + 2 * 7
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_float16_has_cost_no_network_more_than_a_tenth_of_a_point() -> None:
    for kept in KeptStore(FOLDER).index.values():
        assert abs(kept.top1 - kept.receipt.final.top1) <= MOST_LOST


def test_they_do_on_new_views_what_their_receipts_say(views: Study) -> None:
    kept = course.kept_networks(views)
    for label in ("baseA", "B3B", "A7B"):
        receipt = kept.store.find(parse_run(label, "random0", 0), kept.setting)
        assert receipt is not None
        assert course.accuracy(kept, receipt.run) == pytest.approx(receipt.final.top1, abs=NEAR)


def test_figures_can_be_drawn_before_anything_is_trained(views: Study) -> None:
    kept = course.kept_networks(views)
    assert "conv1" in conv1(kept, "baseA", "baseB").alt
    history = kept.store.history(parse_run("baseA", "random0", 0), kept.setting)
    assert list(history) == list(kept_networks.SHOWN_EPOCHS)
    table = course.kept_table()
    assert tk.figure2(table).alt.startswith("Above, the accuracy")
    assert not list(views.store.work.glob("runs")), "nothing is written"


def test_what_is_copied_and_frozen_is_its_bases(views: Study) -> None:
    kept = course.kept_networks(views)
    base = kept.store.weights(parse_run("baseA", "random0", 0), kept.setting)
    chopped = kept.store.weights(parse_run("A5B", "random0", 0), kept.setting)
    assert set(chopped) == set(base)
    same = {name.split(".")[0] for name in base if np.array_equal(base[name], chopped[name])}
    assert same == {"conv1", "conv2", "conv3", "conv4", "conv5"}
    assert {array.dtype for array in chopped.values()} == {np.dtype(np.float32)}


def test_others_data_and_runs_are_refused_by_name(study: Study, views: Study) -> None:
    with pytest.raises(UsageError, match="know the data set photos, not tiny"):
        course.kept_networks(study)
    kept = course.kept_networks(views)
    with pytest.raises(StoreError, match=r"A3B\+ has no weights.safetensors among the kept networks: choose baseA"):
        tk.load_network(kept, "A3B+")
    assert kept.store.find(parse_run("baseA", "random0", 0), views.setting) is None, "of another setting"


def test_a_work_folder_makes_them_again_and_a_damaged_one_is_refused(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_networks, "RUNS", SOME)
    with pytest.raises(StoreError, match="baseA is not trained in"):
        keep_networks(study, tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))
    for run in SOME:
        perform(study, run)
    kept = keep_networks(study, tmp_path)
    copy = replace(study, store=KeptStore(tmp_path))
    for one in kept:
        own = study.store.weights(one.receipt.run, study.setting)
        again = copy.store.weights(one.receipt.run, study.setting)
        assert set(again) == set(own)
        for name, array in own.items():
            np.testing.assert_allclose(again[name], array, rtol=1e-3, atol=1e-6)
    (tmp_path / f"A3B-{WEIGHTS}").write_bytes(b"damaged")
    with pytest.raises(StoreError, match="A3B-weights.safetensors is damaged"):
        tk.load_network(copy, "A3B")
    with pytest.raises(DataError, match="cannot be read"):
        KeptStore(tmp_path / "nowhere").find(SOME[0], study.setting)


def test_a_top1_that_float16_changes_is_refused(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_networks, "RUNS", SOME[:1])
    perform(study, SOME[0])
    monkeypatch.setattr(kept_networks, "accuracy", lambda study, run: 0.0)
    with pytest.raises(DataError, match="keep these weights as float32"):
        keep_networks(study, tmp_path)


def test_rows_of_the_evidence_are_those_of_the_same_setting_alone(views: Study, study: Study) -> None:
    runs = plan("random0", [0], ["A3B", "B3B+"])
    quick = plan_study(views.prepared, get_preset("quick"), "cpu", views.store)
    rows = kept_rows(quick, runs)
    assert sorted(rows["run"]) == sorted(run.label for run in runs)
    kept = course.kept_table().set_index("run")
    assert rows.set_index("run").loc["A3B", "paired"] == pytest.approx(kept.loc["A3B", "paired"])
    assert kept_rows(views, runs).empty, "smoke"
    assert kept_rows(study, runs).empty, "other data"
    longer = plan_study(views.prepared, get_preset("quick", epochs=33), "cpu", views.store)
    assert kept_rows(longer, runs).empty
