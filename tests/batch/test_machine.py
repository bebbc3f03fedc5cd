"""What the machine did to a notebook is told only if it did it."""

from pathlib import Path

import pytest

from course.batch import machine
from course.batch.machine import Moment, explain_kill, explain_timeout, lack_of_memory
from course.processes import describe_exit

START = Moment(0.0, 0.0, 0.0, 5)


def after(minutes: float, idle: float, killed: int | None = 5) -> Moment:
    """Two processors later; they were idle for this share of the time."""
    return Moment(60 * minutes, 120 * minutes, 120 * minutes * idle, killed)


@pytest.mark.parametrize(("processor", "idle", "crowded"), [(3, 0.02, True), (9.9, 0.02, False), (3, 0.4, False)])
def test_a_crowd_is_blamed_only_if_it_kept_the_notebook_from_the_processor(
    processor: float, idle: float, *, crowded: bool
) -> None:
    told = explain_timeout(10, 60 * processor, START, after(10, idle))
    assert told.startswith("not done after 10 minutes")
    assert told.endswith("give it a longer --timeout.")
    assert ("the machine was crowded: it had a processor for 3 of these. Use fewer --workers" in told) == crowded


def test_a_kill_for_want_of_memory_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = tmp_path / "vmstat"
    monkeypatch.setattr(machine, "COUNTERS", counters)
    counters.write_text("nr_free_pages 7\noom_kill 5\n")
    before = Moment.now()
    assert before.killed == 5
    killed = describe_exit(-9)
    assert explain_kill(killed, before) == f"{killed}: use fewer --workers, or a smaller preset."
    counters.write_text("nr_free_pages 7\noom_kill 6\n")
    told = explain_kill(killed, before)
    assert told.startswith("was killed by SIGKILL, as memory ran out and the system killed 1 process meanwhile")
    assert explain_kill(describe_exit(-11), before) == "was killed by SIGSEGV"


@pytest.mark.parametrize("killed", [5, None])
def test_without_a_kill_nothing_is_said_of_memory(killed: int | None) -> None:
    assert lack_of_memory(START, after(1, 0.5, killed)) == ""
    assert lack_of_memory(after(1, 0.5, None), after(1, 0.5, 9)) == ""
    assert "killed 2 processes" in lack_of_memory(START, after(1, 0.5, 7))


def test_this_machine_counts_its_processors() -> None:
    before = Moment.now()
    assert 0 <= Moment.now().idle_share(before) <= 1
    assert before.spent > before.idle > 0
