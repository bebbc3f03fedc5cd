"""A session's time is its own: computing and sleep count, and waiting for a crowded machine does not."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.asking.limits import SandboxLimits
from course.grading import session, watch
from course.grading.session import EndedError, Program, Session
from course.grading.watch import LONGEST_PAUSE, OwnTime

TENTHS = st.integers(0, 20).map(lambda tenths: tenths / 10)
LOOKS = st.lists(st.tuples(TENTHS, TENTHS | st.just(0.0), st.booleans()), max_size=8)


@settings(max_examples=30)
@given(LOOKS)
def test_time_counts_while_it_computes_or_sleeps_and_not_while_it_waits(looks: list[tuple[float, float, bool]]) -> None:
    now = computed = 0.0
    waiting, itself = False, [psutil.Process()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "_computed", lambda _: computed)
        patch.setattr(watch, "_waits", lambda _: waiting)
        patch.setattr("course.grading.watch.time.monotonic", lambda: now)
        own = OwnTime(itself)
        for passed, worked, waiting in looks:
            before, now, computed = own.seconds, now + passed, computed + worked
            own.look(itself)
            expected = before + (worked or (0 if waiting else min(passed, LONGEST_PAUSE)))
            assert own.seconds == pytest.approx(expected)


@pytest.mark.parametrize(("code", "waits"), [("while True: pass", True), ("import time; time.sleep(60)", False)])
def test_a_process_that_would_go_on_is_told_from_one_that_sleeps(code: str, waits: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", f"print(flush=True)\n{code}"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        end, alike = time.monotonic() + 60, 0
        while alike < 10 and time.monotonic() < end:
            alike = alike + 1 if watch._waits(psutil.Process(process.pid)) is waits else 0
            time.sleep(0.01)
        process.kill()
    assert alike == 10


@pytest.fixture
def slow() -> Iterator[Session]:
    with Session(Program("tests.grading.slow"), SandboxLimits(), enclosed=False) as one:
        one.wait_until_ready()
        yield one


@pytest.mark.parametrize("request_", [b"sleep 60", b"work 60"])
def test_sleep_and_work_without_end_are_a_timeout(
    slow: Session, request_: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CROWDED", 1e9)  # however crowded the machine of this test is
    with pytest.raises(EndedError, match="timeout"):
        slow.ask(request_, 0.3)


class Starving(OwnTime):
    """The time of a process that gets no processor, though it would go on."""

    def look(self, members: Sequence[psutil.Process]) -> None:
        pass


def test_waiting_alone_is_no_timeout_but_a_crowded_machine(slow: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "OwnTime", Starving)
    assert slow.ask(b"sleep 0.5", 0.2) == b"sleep 0.5"
    with pytest.raises(EndedError, match="crowded"):
        slow.ask(b"sleep 60", 0.05)


class Over(OwnTime):
    """A clock on which all time is over."""

    def look(self, members: Sequence[psutil.Process]) -> None:
        self.seconds = 1e9


def test_what_has_come_is_looked_at_before_the_clock(slow: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "OwnTime", Over)
    monkeypatch.setattr(session, "TICK_SECONDS", 30.0)
    assert slow.ask(b"sleep 0.2", 0.1) == b"sleep 0.2"
