"""A probe is kept, for what it measured, and believed only as far as it can be true."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferkit.training import forecast
from transferkit.training.forecast import Probe, probe
from transferkit.training.study import Study

FOUND = Probe((1e-3,) * 8, (1e-4,) * 8, read=5e-4, folded=1e-4, start=1.0, workers=1)


def test_a_probe_is_kept_for_the_code_that_it_measured(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def measure(*asked: object) -> Probe:
        measured.append(asked)
        return FOUND

    monkeypatch.setattr(forecast, "measure", measure)
    for code, again, expected in (
        ("early", False, 1), ("early", False, 1), ("early", True, 2), ("late", False, 3), ("early", False, 3),
    ):  # fmt: skip
        monkeypatch.setattr(forecast, "installed_code", lambda code=code: code)
        found = probe(study, 1, ThreadPoolExecutor(1), again=again)
        assert (found.trained, len(measured)) == (FOUND.trained, expected)
    assert len(list((study.store.work / "probes").iterdir())) == 2


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times at which workers were asked to measure; they find FOUND at once."""
    asked: list[float] = []

    def measure(setting: object, n_classes: int, submitted: float) -> Probe:
        asked.append(submitted)
        return FOUND

    monkeypatch.setattr(forecast, "measure", measure)
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 100.1)
    return asked


def kept(study: Study) -> Path:
    (path,) = (study.store.work / "probes").iterdir()
    return path


ABSURD = [
    replace(FOUND, start=-3605.0), replace(FOUND, start=86400.0), replace(FOUND, trained=(-1e-3,) * 8),
    replace(FOUND, trained=(1e-3,) * 7), replace(FOUND, evaluated=()), replace(FOUND, read=1e9),
    replace(FOUND, trained=(0.0,) * 8), replace(FOUND, busy=7.0), replace(FOUND, workers=3),
    replace(FOUND, folded=-1e-9),
]  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"trained":', *(msgspec.json.encode(one) for one in ABSURD)]
)
def test_a_kept_probe_that_is_damaged_or_absurd_is_measured_again(
    study: Study, measured: list[float], content: bytes
) -> None:
    probe(study, 1, ThreadPoolExecutor(1))
    kept(study).write_bytes(content)
    for _ in range(2):
        assert probe(study, 1, ThreadPoolExecutor(1)).trained == FOUND.trained
    assert len(measured) == 2


def test_where_no_probe_can_be_kept_it_is_done_without(study: Study, measured: list[float]) -> None:
    study.store.work.mkdir()
    (study.store.work / "probes").write_text("in the way")
    for number in (1, 2):
        assert probe(study, 1, ThreadPoolExecutor(1)).trained == FOUND.trained
        assert len(measured) == number


def test_an_absurd_measurement_is_not_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "measure", lambda *_: replace(FOUND, start=1e6))
    probe(study, 1, ThreadPoolExecutor(1))
    assert not (study.store.work / "probes").exists()


@pytest.mark.parametrize("hours", [-1, 9])
def test_a_clock_that_jumps_changes_no_probe(
    study: Study, measured: list[float], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600 * hours)
    probe(study, 1, ThreadPoolExecutor(1))
    assert abs(measured[0] - time.monotonic()) < 60, "processes are compared by a clock that nobody sets"


@given(st.lists(st.floats(1e-9, 1), min_size=16, max_size=16), st.floats(0, 599), st.floats(0, 1))
def test_whatever_a_machine_can_take_is_sound(costs: list[float], start: float, busy: float) -> None:
    found = Probe(tuple(costs[:8]), tuple(costs[8:]), costs[0], costs[1], start, 2, busy)
    assert found.is_sound(8)
    assert not found.is_sound(7)
    assert not any(replace(found, read=wrong).is_sound(8) for wrong in (-1e-9, float("nan"), float("inf")))
