"""Results that grow: whole at once, every network trained once, nothing in between where nobody looks."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from course.evidence.plan import smoke_series
from course.evidence.sweeps import Site
from course.lesson import background, growing, showing
from course.lesson.background import BackgroundSweep, StoppedError
from course.lesson.growing import Growing, grow, grow_all, grow_series
from course.lesson.growing_view import KEPT_ALONE
from course.lesson.prediction import Question
from course.lesson.prediction_sliders import PredictionSliders
from tests.figure_tables import table_of
from transferkit.config import get_preset
from transferkit.disk.store import Receipt
from transferkit.errors import TrainingError, UsageError
from transferkit.figures import Picture, figure2
from transferkit.training.experiment import Failure, perform_group
from transferkit.training.study import Study
from transferkit.treatments import Run, plan

RUNS = plan("random0", [0], ["A3B", "B3B"])
LABELS = ["baseA", "baseB", "A3B", "B3B"]
SECONDS = 60


class Gate:
    """Trains in a thread; with `allowed` set, lets so many groups of networks through and holds the next."""

    def __init__(self) -> None:
        self.trained: list[str] = []
        self.tickets = threading.Semaphore(0)
        self.free = True

    def perform(self, study: Study, group: tuple[Run, ...]) -> tuple[Failure, ...]:
        while not self.free and not self.tickets.acquire(timeout=0.01):
            pass
        self.trained += [run.label for run in group]
        return perform_group(study, group)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """One thread in place of worker processes, held by a gate."""
    gate = Gate()

    @contextmanager
    def workers(_: int) -> Iterator[Executor]:
        pool = ThreadPoolExecutor(1)
        try:
            yield pool
        finally:
            gate.free = True
            pool.shutdown(cancel_futures=True)

    monkeypatch.setattr(background, "local_workers", workers)
    monkeypatch.setattr("transferkit.training.sweep.perform_group", gate.perform)
    monkeypatch.setattr("transferkit.training.sweep.POLL_SECONDS", 0.02)
    monkeypatch.setattr(growing, "SECONDS_BETWEEN", 0.0)
    yield gate
    gate.free = True  # or its thread would keep Python from ending
    wait_until(lambda: not sweeps())


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A front end with a person at it; `cell` and `run` name the cell that is run."""
    here = SimpleNamespace(cell="1", run="1")
    header = lambda: {"metadata": {"cellId": here.cell}, "header": {"msg_id": here.run}}  # noqa: E731
    kernel = SimpleNamespace(_allow_stdin=True, get_parent=header)
    shell = SimpleNamespace(kernel=kernel, display_formatter=DisplayFormatter())
    monkeypatch.setattr(showing, "_shell", lambda: shell)
    return here


def drawn(growing: Growing, view: int = 0) -> str:
    bundle = growing._views[view].bundle
    assert bundle is not None
    return str(bundle[0]["text/html" if "text/html" in bundle[0] else "text/plain"])


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(int(SECONDS / 0.02)):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it does not come")


def sweeps() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if isinstance(one, BackgroundSweep)]


def labels(table: pd.DataFrame) -> list[str]:
    return sorted(table["run"])


def test_where_nobody_is_the_cell_waits_and_shows_one_whole_picture(study: Study, gate: Gate) -> None:
    tables: list[pd.DataFrame] = []

    def draw(table: pd.DataFrame) -> Picture:
        tables.append(table)
        return figure2(table)

    found = grow(study, RUNS, draw)
    assert [receipt.run.label for receipt in found.receipts] == LABELS
    assert len(tables) == 1, "nothing in between"
    assert set(tables[0]["whose"]) == {"yours"}
    assert drawn(found).startswith("<img")


def test_a_person_goes_on_while_it_grows(study: Study, gate: Gate, person: SimpleNamespace) -> None:
    gate.free = False
    found = grow(study, RUNS, labels)
    assert found.table().empty, "the cell is done before anything is trained"
    assert drawn(found) == "[]"
    gate.tickets.release()
    wait_until(lambda: len(found.table()) == 1)
    wait_until(lambda: drawn(found) == "['baseA']" or drawn(found) == "['baseB']")
    gate.free = True
    assert len(found.wait()) == 4
    wait_until(lambda: drawn(found) == "['A3B', 'B3B', 'baseA', 'baseB']")


def test_kept_networks_fill_the_place_of_missing_ones_and_say_so(
    study: Study, gate: Gate, person: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = grow(study, RUNS, labels)
    other.wait()
    kept = other.table().assign(top1=0.5)
    fresh = replace(study, store=replace(study.store, work=study.store.work / "fresh"))
    monkeypatch.setattr(growing, "kept_rows", lambda study, runs: kept)
    gate.free = False
    tables: list[pd.DataFrame] = []

    def draw(table: pd.DataFrame) -> dict[str, int]:
        tables.append(table)
        return dict(table["whose"].value_counts())

    found = grow(fresh, RUNS, draw)
    assert KEPT_ALONE in drawn(found)
    assert showing.KEPT_COLOUR in drawn(found)
    assert labels(tables[0]) == sorted(LABELS)
    assert set(tables[0]["whose"]) == {"kept"}
    gate.tickets.release()
    wait_until(lambda: "1 of 4 networks are yours" in drawn(found))
    assert labels(tables[-1]) == sorted(LABELS), "each network once"
    assert (tables[-1]["whose"] == "yours").sum() == 1
    gate.free = True
    found.wait()
    wait_until(lambda: "kept" not in drawn(found))
    assert set(tables[-1]["whose"]) == {"yours"}
    assert not (tables[-1]["top1"] == 0.5).any()


def test_kept_pictures_stand_there_until_the_learners_own_can_be_drawn(
    study: Study, gate: Gate, person: SimpleNamespace
) -> None:
    gate.free = False

    def draw(_: pd.DataFrame) -> str:
        return f"{len(study.store.weights(RUNS[0], study.setting))} arrays of {RUNS[0].label}"

    def of_other_data() -> str:
        raise UsageError("the kept networks know the data set photos.")

    found = grow(study, RUNS, draw, kept=lambda: "kept filters")
    assert "kept filters" in drawn(found)
    assert showing.KEPT_COLOUR in drawn(found)
    person.run = "2"
    found = grow(study, RUNS, draw, kept=of_other_data)
    assert "Nothing to draw yet" in drawn(found)
    gate.free = True
    found.wait()
    wait_until(lambda: drawn(found) == "'16 arrays of baseA'")


def test_a_prediction_is_compared_with_the_learners_own_networks_alone(
    study: Study, gate: Gate, person: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = table_of(*RUNS)
    monkeypatch.setattr(growing, "kept_rows", lambda study, runs: kept)
    answer = PredictionSliders(Question("asked", "A3B?", ("n = 3",)), study.store.work)
    answer.lock()
    gate.free = False
    found = grow(study, RUNS, labels, answer)
    found.reveal(lambda table: (100 * table.set_index("run")["paired"]).reindex(["A3B"]))
    assert "A3B" in drawn(found)
    assert "n = 3 not yet" in drawn(found, 1)
    assert "kept" not in drawn(found, 1)


def test_the_cell_run_again_joins_the_training_and_takes_later_cells_along(
    study: Study, gate: Gate, person: SimpleNamespace
) -> None:
    gate.free = False
    first = grow(study, RUNS, labels)
    person.cell = "2"
    first.show(len)
    person.cell, person.run = "1", "2"
    again = grow(study, RUNS, labels)
    assert again._sweep is first._sweep
    gate.free = True
    again.wait()
    wait_until(lambda: drawn(again, 1) == "4")
    assert sorted(gate.trained) == sorted(LABELS), "each is trained once"
    assert len(grow(study, RUNS, labels).wait()) == 4
    assert sorted(gate.trained) == sorted(LABELS)


def test_a_later_cell_run_again_is_drawn_once(study: Study, gate: Gate, person: SimpleNamespace) -> None:
    found = grow(study, RUNS, labels)
    person.cell = "2"
    for run in "123":
        person.run = run
        found.show(len)
    found.show(labels)
    assert len(found._views) == 3, "both of the last run"


def test_a_stop_keeps_what_is_finished_and_go_on_trains_the_rest(
    study: Study, gate: Gate, person: SimpleNamespace
) -> None:
    gate.free = False
    found = grow(study, RUNS, labels)
    gate.tickets.release()
    wait_until(lambda: len(found.receipts) == 1)
    found.stop()
    with pytest.raises(StoppedError, match=r"^Stopped: [1-3] of 4 networks are there and kept\."):
        found.wait()
    kept = set(gate.trained)
    found.go_on()
    assert len(found.wait()) == 4
    assert len(gate.trained) <= 4 + 1, "only what had no receipt"
    assert kept <= set(gate.trained)


def test_an_interrupt_of_a_waiting_cell_stops_with_one_sentence(
    study: Study, gate: Gate, person: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.free = False
    found = grow(study, RUNS, labels)

    sleep = time.sleep

    def interrupted(seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", interrupted)
    with pytest.raises(StoppedError, match="^Stopped: .* to go on.$") as caught:
        found.wait()
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_a_cell_that_awaits_lets_others_go_on_and_hears_the_interrupt(
    study: Study, gate: Gate, person: SimpleNamespace
) -> None:
    gate.free = False
    found = grow(study, RUNS, labels)

    async def cell() -> list[Receipt]:
        return await found

    async def interrupted() -> None:
        running = asyncio.ensure_future(cell())
        await asyncio.sleep(0.3)  # others go on
        running.cancel()  # what ipykernel makes of an interrupt
        await running

    with pytest.raises(StoppedError, match=r"^Stopped: .* to go on\.$"):
        asyncio.run(interrupted())
    gate.free = True
    found.go_on()
    assert len(asyncio.run(cell())) == 4


def test_a_drawing_that_fails_at_the_end_says_so(study: Study, gate: Gate, person: SimpleNamespace) -> None:
    found = grow(study, RUNS, lambda table: 1 / 0)
    found.wait()
    wait_until(lambda: "This cannot be drawn: division by zero" in drawn(found))


def test_what_fails_is_told_by_the_line_and_raised_where_somebody_waits(
    study: Study, gate: Gate, person: SimpleNamespace
) -> None:
    hopeless = replace(study.setting, recipe=replace(study.setting.recipe, batch_size=1000))
    broken = replace(study, setting=hopeless)
    found = grow(broken, RUNS, figure2)
    with pytest.raises(TrainingError, match="64 training images are fewer"):
        found.wait()
    assert "64 training images are fewer" in found._line.words(found._sweep)
    assert "Nothing to draw yet" in drawn(found)
    found.go_on()
    with pytest.raises(TrainingError, match="64 training images are fewer"):
        found.wait()


def test_where_nobody_is_a_failure_and_a_bad_drawing_end_the_cell(study: Study, gate: Gate) -> None:
    hopeless = replace(study.setting, recipe=replace(study.setting.recipe, batch_size=1000))
    with pytest.raises(TrainingError, match="64 training images are fewer"):
        grow(replace(study, setting=hopeless), RUNS, figure2)
    with pytest.raises(ZeroDivisionError):
        grow(study, RUNS, lambda table: 1 / 0)


def test_several_trainings_have_one_progress(study: Study, gate: Gate, person: SimpleNamespace) -> None:
    longer = replace(study, setting=replace(study.setting, recipe=replace(study.setting.recipe, epochs=3)))
    found = grow_all([(study, RUNS), (longer, RUNS[:2])], lambda *tables: [len(table) for table in tables])
    assert found._sweep.state.planned == 6
    assert [len(receipt.log) for receipt in found.wait()] == [2, 2, 2, 2, 3, 3]
    wait_until(lambda: drawn(found) == "[4, 2]")
    assert "6 of 6 networks are there" in found._line.words(found._sweep)
    assert [len(table) for table in found.tables()] == [4, 2]


def test_a_series_grows_into_the_tables_of_train_series(study: Study, gate: Gate, person: SimpleNamespace) -> None:
    data = str(study.prepared.folder)
    series = next(one for one in smoke_series(data) if one.name == "sizes")
    found = grow_series(series, Site(get_preset("smoke"), "cpu", study.store), len)
    table, epochs = found.tables()
    assert len(table) == len(found.receipts) == found._sweep.state.planned
    assert {"images_per_class", "classes"} <= set(table)
    assert len(epochs) >= 2 * len(table)


def test_two_sweeps_of_one_kernel_take_turns(study: Study, gate: Gate, person: SimpleNamespace) -> None:
    gate.free = False
    first = grow(study, RUNS[:1], labels)
    second = grow(study, RUNS, labels)
    threading.Event().wait(0.3)
    assert gate.trained == []
    gate.free = True
    first.wait()
    second.wait()
    assert sorted(gate.trained) == sorted(LABELS), "what the first trained, the second finds"


def test_a_result_is_hidden_until_the_prediction_is_locked(study: Study, gate: Gate, person: SimpleNamespace) -> None:
    asked = Question("asked", "AnB - BnB?", ("n = 3",))
    answer = PredictionSliders(asked, study.store.work)
    found = grow(study, RUNS, labels, answer)
    found.reveal(lambda table: 100 * table.loc[table["run"] == "A3B", "paired"])
    found.wait()
    assert "Hidden until you press" in drawn(found)
    assert "Hidden until you press" in drawn(found, 1)
    answer.set(-5.0)
    answer.lock()
    assert "A3B" in drawn(found)
    assert "expected and what came out" in drawn(found, 1)
    assert "This prediction was made after" in drawn(found, 1)
