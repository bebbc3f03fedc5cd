"""Networks to verify, and a call of `verify`: what the tests of tables, receipts and crates share."""

from pathlib import Path

import pytest

from course.evidence.collect import keep_receipts, write_series
from course.evidence.sweeps import SeriesStep
from transferkit.__main__ import main
from transferkit.config import get_preset
from transferkit.training.forecast import Probe
from transferkit.training.study import Study
from transferkit.treatments import plan

RUNS = plan("random0", [0, 1, 2], ["A3B"])
PROBE = Probe((1e-3,) * 8, (1e-4,) * 8, read=5e-4, folded=1e-4, start=1.0, workers=1)
SMOKE = get_preset("smoke")


def collect(study: Study, folder: Path) -> None:
    step = SeriesStep(study, RUNS)
    write_series("similar", [step], folder)
    keep_receipts({"similar": [step]}, folder)


def verify(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and all that is said, in one line, of a call on one worker."""
    code = main(["verify", "--workers", "1", "--draw", "0", *arguments])
    told = capsys.readouterr()
    return code, " ".join((told.out + told.err).split())
