"""A probe is kept, for what it measured."""

from concurrent.futures import ThreadPoolExecutor

import pytest

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
