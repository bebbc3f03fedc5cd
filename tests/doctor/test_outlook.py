"""The minutes of every lesson: predicted, scaled where nothing was probed, and compared with those taken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.doctor import outlook as under_test
from course.doctor.command import outlook_table, span, tally_line
from course.doctor.lesson_times import LessonTime, find_lesson, keep_lesson
from course.doctor.lessons import LESSONS
from course.doctor.outlook import Tally, compare_lesson, compare_networks, look_ahead, prospect, scaled
from course.evidence.sweeps import SeriesStep
from course.practice.networks import usual_epochs
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.training.experiment import perform
from transferkit.training.forecast import Probe, seconds_of
from transferkit.training.study import Study
from transferkit.treatments import parse_run, plan

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
PROBE = Probe((1e-3,) * 8, (1e-4,) * 8, read=5e-4, folded=1e-4, start=1.0, workers=2)


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "probe", lambda *_, **__: PROBE)


def test_every_lesson_is_listed_once() -> None:
    names = [one.name for one in LESSONS]
    assert names == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def test_the_lesson_on_own_data_is_predicted_with_the_epochs_of_its_command() -> None:
    parts = next(one for one in LESSONS if one.name == "10_your_data").parts["tiles"]
    usual = get_preset("quick").recipe.epochs
    epochs = usual_epochs(round(0.8 * 2418))
    assert [round(part.epochs_times * usual) for part in parts] == [epochs, 2 * epochs]


def test_it_predicts_lessons_and_grids_before_any_data_is_there(tmp_path: Path, probed: None) -> None:
    outlook = look_ahead(tmp_path, "cpu")
    lessons = {one.name: one for one in outlook.lessons}
    assert lessons["05_figure2"].networks == lessons["05_figure2"].networks_left == 72
    assert lessons["00_start_here"].seconds < lessons["08_evidence"].seconds < lessons["05_figure2"].seconds
    grids = {one.name: one.seconds for one in outlook.grids}
    assert grids["smoke"] < grids["quick"] < grids["class"] < grids["paper"]
    assert outlook_table(outlook).row_count == len(outlook.lessons) + len(outlook.grids)
    assert tally_line(outlook.tally).startswith("No network has been trained")


def test_what_is_there_is_not_counted_again(study: Study) -> None:
    runs = plan("random0", [0], ["A3B"])
    before = prospect("some", [SeriesStep(study, runs)], lambda _: PROBE)
    assert (before.networks, before.networks_left) == (3, 3)
    perform(study, runs[0])
    after = prospect("some", [SeriesStep(study, runs)], lambda _: PROBE)
    assert (after.networks_left, after.seconds) == (2, before.seconds)
    assert 0 < after.seconds_left < before.seconds_left


def test_the_probe_is_scaled_by_multiply_adds(study: Study) -> None:
    wide = replace(study, setting=replace(study.setting, net=get_preset("class").net))
    ratio = scaled(PROBE, study.setting.net, wide).trained[0] / PROBE.trained[0]
    assert 2 < ratio < 4.5, "twice the channels: up to four times the work"


def test_only_networks_with_frozen_layers_pay_for_features(study: Study) -> None:
    images = 64 + 32  # training and validation images of a half
    base, tuned = (seconds_of(study, parse_run(label, "random0", 0), PROBE) for label in ("baseA", "B3A+"))
    frozen = seconds_of(study, parse_run("B3A", "random0", 0), PROBE)
    assert base == tuned == pytest.approx(frozen - images * (PROBE.read - PROBE.folded))


def test_networks_are_compared_with_the_probe(study: Study, tiny_folder: Path) -> None:
    store = Store(tiny_folder.parent.parent)
    here = replace(study, store=store)
    receipts = [perform(here, run) for run in plan("random0", [5], ["A3B"])]
    tally = compare_networks(here, PROBE)
    assert tally.networks >= 3
    assert tally.taken >= sum(receipt.times.seconds for receipt in receipts)
    assert f"{tally.networks} networks" in tally_line(tally)


def test_a_lesson_is_compared_with_what_it_trained_itself(study: Study) -> None:
    runs = plan("random0", [0], ["A3B"])
    perform(study, runs[0])
    path = study.store.run_folder(runs[0], study.setting) / "receipt.json"
    receipt = msgspec.json.decode(path.read_bytes())
    receipt["times"]["finished"] = "2026-01-01T00:00:00+00:00"  # long ago
    receipt.pop("digest")  # it would tell that the receipt was edited
    path.write_bytes(msgspec.json.encode(receipt))
    began = datetime.now(UTC) - timedelta(seconds=2)
    perform(study, runs[1])
    perform(study, runs[2])
    time = LessonTime("05_figure2", "quick", began.isoformat(timespec="seconds"), seconds=60)
    tally = compare_lesson(time, [SeriesStep(study, runs)], lambda _: PROBE)
    assert (tally.networks, tally.taken) == (2, 60)
    keep_lesson(study.store.work, time)
    assert find_lesson(study.store.work, "05_figure2", "quick") == time
    assert find_lesson(study.store.work, "05_figure2", "class") is None


@pytest.mark.parametrize(
    "note",
    [
        "", "{", "[]", '{"lesson": "05", "preset": "quick", "started": "yesterday", "seconds": 60}',
        '{"lesson": "05", "preset": "quick", "started": "2026-01-01T00:00:00", "seconds": 60}',
        '{"lesson": "05", "preset": "quick", "started": "2026-01-01T00:00:00+00:00", "seconds": -3600}',
        '{"lesson": "05", "preset": "quick", "started": "2026-01-01T00:00:00+00:00", "seconds": 1e99}',
    ],
)  # fmt: skip
def test_a_note_on_a_lesson_that_cannot_be_true_is_done_without(tmp_path: Path, note: str) -> None:
    time = LessonTime("05", "quick", "2026-01-01T00:00:00+00:00", 60)
    keep_lesson(tmp_path, time)
    assert find_lesson(tmp_path, "05", "quick") == time
    (path,) = (tmp_path / "doctor").iterdir()
    path.write_text(note)
    assert find_lesson(tmp_path, "05", "quick") is None
    (tmp_path / "file").touch()
    keep_lesson(tmp_path / "file", time)
    assert find_lesson(tmp_path / "file", "05", "quick") is None


def test_damaged_data_are_predicted_as_if_they_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "data" / "photos").mkdir(parents=True)
    (tmp_path / "data" / "photos" / "manifest.json").write_text("{")
    assert under_test._study("photos", "quick", "cpu", Store(tmp_path)).prepared.manifest.source == "not prepared"


def test_the_line_says_by_how_much_the_prediction_was_off() -> None:
    assert "(+25 %)" in tally_line(Tally(10, predicted=125, taken=100))


@given(st.floats(0.01, 1e10))
def test_a_span_names_a_number_and_a_unit(seconds: float) -> None:
    value, unit = span(seconds).split()
    assert float(value) < 1500 or unit == "years"
    assert unit in ("s", "min", "h", "days", "years")


def test_spans_as_people_say_them() -> None:
    said = [span(seconds) for seconds in (40, 250, 7200, 1e6, 3e8)]
    assert said == ["40 s", "4.2 min", "2.0 h", "12 days", "9.5 years"]
