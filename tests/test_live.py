"""A training to watch: the same bits as one that nobody watches, and nothing kept of one that was stopped."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from course.lesson import prediction_sliders
from course.lesson.background import StoppedError
from course.lesson.live_training import LiveTraining
from course.lesson.prediction import Question
from course.lesson.prediction_sliders import PredictionSliders
from transferkit.disk.store import Store
from transferkit.errors import TrainingError
from transferkit.training.experiment import perform, watch
from transferkit.training.study import Study
from transferkit.treatments import Run, parse_run

BASE = parse_run("baseA", "random0", 0)


def longer(study: Study, epochs: int) -> Study:
    return replace(study, setting=replace(study.setting, recipe=replace(study.setting.recipe, epochs=epochs)))


def receipts(study: Study) -> int:
    return len(list(study.store.work.glob("runs/*/*/receipt.json")))


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_watching_changes_no_bit(study: Study) -> None:
    alone = replace(study, store=Store(study.store.work.parent / "alone"))
    glimpses = list(watch(study, BASE))
    assert [len(snapshot.log) for snapshot in glimpses] == [0, 1, 2]
    kept = perform(alone, BASE)
    watched = study.store.find(BASE, study.setting)
    assert watched is not None
    assert (watched.log, watched.checksums) == (kept.log, kept.checksums)
    np.testing.assert_array_equal(glimpses[-1].conv1, alone.store.weights(BASE, study.setting)["conv1.weight"])
    assert list(watch(study, BASE)) == [], "it is there"


def test_what_the_watcher_does_is_not_counted_and_closing_keeps_nothing(study: Study) -> None:
    training = watch(study, BASE)
    next(training)
    next(training)
    training.close()
    assert receipts(study) == 0
    for _ in watch(study, BASE):
        time.sleep(0.5)
    kept = study.store.find(BASE, study.setting)
    assert kept is not None
    assert kept.times.seconds < 1.5


def test_a_chopped_network_can_be_watched(study: Study) -> None:
    perform(study, BASE)
    receipt = asyncio.run(LiveTraining(study, parse_run("A3A", "random0", 0)).run())
    assert receipt.run.label == "A3A"


def test_it_waits_while_it_is_stopped_and_goes_on_where_it_was(study: Study) -> None:
    live = LiveTraining(longer(study, 12), BASE)
    live.go_on()
    wait_until(lambda: live.done > 0)
    live.turn()
    time.sleep(0.3)
    stopped = live.done
    time.sleep(0.3)
    assert live.done == stopped < 12
    assert receipts(study) == 0
    assert perform(study, BASE), "nobody else is kept waiting"
    live.turn()
    receipt = asyncio.run(live.run())
    assert len(receipt.log) == 12
    assert receipts(study) == 2


def test_an_interrupt_ends_the_cell_with_one_sentence_and_run_goes_on(study: Study) -> None:
    live = LiveTraining(longer(study, 12), BASE)

    async def interrupted() -> None:
        cell = asyncio.ensure_future(live.run())
        while live.done == 0:
            await asyncio.sleep(0.01)
        cell.cancel()  # what ipykernel makes of an interrupt
        await cell

    with pytest.raises(StoppedError, match="of 12 epochs are done.*Run this cell again to go on") as caught:
        asyncio.run(interrupted())
    assert caught.value._render_traceback_() == [str(caught.value)]
    assert len(asyncio.run(live.run()).log) == 12


def test_a_run_that_is_there_is_replayed_from_what_was_kept(study: Study) -> None:
    kept = perform(study, BASE)
    live = LiveTraining(study, BASE)
    assert asyncio.run(live.run()) == kept
    assert "this was its replay" in live.state()
    assert asyncio.run(live.run()) == kept, "as often as one likes"


def test_a_training_that_fails_says_why(study: Study) -> None:
    hopeless = replace(study.setting, recipe=replace(study.setting.recipe, batch_size=1000))
    with pytest.raises(TrainingError, match=r"baseA \(random0, seed 0\): 64 training images are fewer"):
        asyncio.run(LiveTraining(replace(study, setting=hopeless), BASE).run())


def test_what_would_give_the_answer_away_waits_for_the_lock(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_sliders, "somebody_is_there", lambda: True)
    answer = PredictionSliders(Question("asked", "Top-1?", ("epoch 2",)), study.store.work)
    live = LiveTraining(study, BASE, answer)
    asyncio.run(live.run())
    assert live.hidden
    assert live.state() == "Trained and kept: lock your prediction to see it."
    assert "Hidden until your prediction" in live._view._picture.value
    answer.lock()
    assert live.state().startswith("Trained and kept: top-1")
    assert "<img" in live._view._picture.value


def test_no_thread_is_left_when_it_is_over(study: Study) -> None:
    run: Run = BASE
    asyncio.run(LiveTraining(study, run).run())
    wait_until(lambda: not [one for one in threading.enumerate() if one.name.startswith("training ")])
