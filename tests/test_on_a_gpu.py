"""What is prepared for a GPU runs on a CPU: every step writes its rows, whatever is cut off, fails or is missing."""

import json
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.on_a_gpu import correctness, steps, wheels
from benchmarks.on_a_gpu.driver import BUDGETS, Log, Step, run_steps
from benchmarks.on_a_gpu.rows import CHECK, FILE, Place, Rows
from benchmarks.summary import gpu_table, sections
from course.book import cost
from data_prep.rendering import Arguments
from transferkit.errors import DataError
from transferkit.treatments import LAYERS

ROOT = Path(__file__).parent.parent
OPTIONAL = {"charset_normalizer", "cython_runtime", "defusedxml"}  # what NumPy, SciPy and Pillow load if it is there
SECONDS = 3600  # of which no step needs more than one


def script(name: str, text: str, budget: float = SECONDS) -> Step:
    return Step(name, budget, (sys.executable, "-S", "-c", text))


def provenance(folder: Path) -> Any:
    return json.loads((folder / "provenance.json").read_text())


@pytest.fixture
def place(tiny_folder: Path, tmp_path: Path) -> Place:
    return Place("cpu", tiny_folder, tmp_path / "work", tmp_path / "out", dry_run=True)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_dry_run_takes_every_step_and_each_writes_its_rows(tiny_folder: Path, tmp_path: Path) -> None:
    command = ["bash", str(ROOT / "benchmarks" / "on_a_gpu.sh"), "--device", "cpu", "--dry-run", "--minutes", "60"]
    environment = {**os.environ, "OUT": str(tmp_path), "PYTHON": sys.executable, "TRANSFERKIT_CORES": "1"}
    done = subprocess.run([*command, "--data", str(tiny_folder)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + (tmp_path / "log.txt").read_text()
    assert [(step["step"], step["outcome"]) for step in provenance(tmp_path)["steps"]] == [
        (it, "done") for it in BUDGETS
    ]
    rows = pd.read_csv(tmp_path / FILE)
    assert list(rows["step"].unique()) == list(BUDGETS)
    assert rows.drop(columns="precision").notna().all(axis=None)
    assert (rows["low"].le(rows["value"]) & rows["value"].le(rows["high"]) & rows["n"].ge(1)).all()
    assert set(rows["size"]) == {"dry run"}
    assert rows.loc[rows["unit"] == CHECK, "value"].eq(1).all()
    assert {"graphs", "paper, 7 frozen layers", "plain loop"} - set(rows["what"]) == {"graphs"}  # which a CPU has not
    assert not (tmp_path / "paper-rate.csv").exists(), "cost.md would take what was not measured in full"


def test_a_step_that_fails_or_takes_too_long_keeps_no_other_from_running(tmp_path: Path) -> None:
    child = (
        f"import subprocess, sys, time; p = subprocess.Popen({[sys.executable, '-c', 'import time; time.sleep(99)']!r})"
    )
    commands = [
        script("failing", "print('so far'); raise ValueError('no such thing')"),
        script("slow", f"{child}; open({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid)); time.sleep(99)", 4),
        script("silent", "raise SystemExit(3)"),
        script("last", "import os; print(os.environ['WHERE'])"),
    ]
    outcomes = run_steps(commands, Log(tmp_path, {"about": "this"}), SECONDS, {**os.environ, "WHERE": "here"})
    told = {
        "failing": "failed: ValueError: no such thing",
        "slow": "cut off after 4 s",
        "silent": "failed: exit code 3, and nothing was printed",
        "last": "done",
    }
    assert dict(outcomes) == told
    kept = provenance(tmp_path)
    assert {step["step"]: step["outcome"] for step in kept["steps"]} == told
    assert kept["about"] == "this"
    assert {"date", "python", "gpu", "commit"} <= set(kept)
    assert (tmp_path / "log.txt").read_text().endswith("--- last\nhere\n")
    _wait_for_end(int((tmp_path / "pid").read_text()))


def _wait_for_end(pid: int) -> None:
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    raise AssertionError("what a step had started must end with it")


def test_a_step_that_the_whole_leaves_no_time_is_not_started(tmp_path: Path) -> None:
    outcomes = run_steps([script("first", ""), script("late", "")], Log(tmp_path, {}), 0.0, os.environ)
    assert dict(outcomes) == dict.fromkeys(["first", "late"], "not started: no time was left")


def test_a_step_is_said_to_be_running_before_it_ends(tmp_path: Path) -> None:
    look = f"import json; print(json.load(open({str(tmp_path / 'provenance.json')!r}))['steps'][-1]['outcome'])"
    run_steps([script("looking", look)], Log(tmp_path, {}), SECONDS, os.environ)
    assert (tmp_path / "log.txt").read_text() == "--- looking\nrunning\n"


def test_all_steps_together_take_at_most_nine_minutes() -> None:
    assert sum(BUDGETS.values()) <= 9 * 60


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=5))
def test_a_row_is_the_median_and_range_of_all_repeats_and_other_steps_rows_stay(
    place: Place, values: list[float]
) -> None:
    Rows("other", place).add("a thing", {"s": 1.0})
    rows = Rows("this", place)
    for value in values:
        rows.add("a thing", {"s": value, "images/s": 2 * value})
    table = pd.read_csv(place.out / FILE)
    assert table["step"].tolist() == ["other", "this", "this"]
    in_seconds, per_second = table[table["step"] == "this"].to_dict("records")
    assert in_seconds["value"] == pytest.approx(pd.Series(values).median())
    assert (in_seconds["low"], in_seconds["high"]) == pytest.approx((min(values), max(values)))
    assert in_seconds["n"] == len(values)
    assert per_second["value"] == pytest.approx(2 * in_seconds["value"])
    assert "| this | a thing | s |" in gpu_table(table)


def test_a_check_that_fails_is_a_row_and_the_step_goes_on(place: Place) -> None:
    rows = Rows("this", place)
    with rows.check("sound"):
        pass
    with rows.check("broken"):
        int("told in the log")
    table = pd.read_csv(place.out / FILE).set_index("what")
    assert table["value"].to_dict() == {"sound": 1.0, "broken": 0.0}
    assert rows.failed == ["broken"]


def test_the_checks_see_what_they_are_there_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows("correctness", place)
    monkeypatch.setattr(correctness, "audit", lambda *_: None)
    monkeypatch.setattr(correctness, "COPY", replace(correctness.COPY, finetune=True))  # its layers move
    correctness.check_freezing(place, rows)
    monkeypatch.setattr(correctness, "NEAR", dict.fromkeys(correctness.NEAR, 0.0))
    monkeypatch.setattr(correctness, "RUNS", (correctness.BASE,))
    correctness.compare(place, rows)
    assert rows.failed[:2] == [
        "frozen layers keep the bits of their source",
        "the audit finds a frozen weight that moved",
    ]
    assert rows.failed[2:] == ["float32 minus bfloat16: no training loss differs by more than 0"]


def test_shapeworld_is_drawn_where_the_photographs_are_not_installed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []

    def prepare(name: str, folder: Path, arguments: Arguments) -> None:
        drawn.append(folder)
        if name == "photos":
            raise DataError("install scikit-image.")

    monkeypatch.setattr(steps, "prepare", prepare)
    own = place.work / "data"
    steps.draw_data(replace(place, data=own / "photos"), Rows("data", place))
    assert drawn == [own / "photos", own / "shapeworld"]


def test_what_cannot_be_imported_is_installed_from_the_wheels_or_named(tmp_path: Path) -> None:
    about = {"METADATA": "Metadata-Version: 2.1\nName: brought\nVersion: 1.5\n", "RECORD": ""}
    about["WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(tmp_path / "brought-1.5-py3-none-any.whl", "w") as wheel:
        wheel.writestr("brought.py", "VALUE = 1\n")
        for name, text in about.items():
            wheel.writestr(f"brought-1.5.dist-info/{name}", text)
    needed = {"json": "never-asked-for", "brought": "brought", "forgotten_here": "forgotten-here"}
    found = wheels.provide(needed, tmp_path, tmp_path / "packages")
    assert found["missing"] == ["brought", "forgotten-here"]
    assert found["not_installed"] == {
        "forgotten-here": f"no wheel of forgotten-here is in {tmp_path}: "
        "python -m benchmarks.on_a_gpu --collect forgotten-here"
    }
    assert (tmp_path / "packages" / "brought.py").read_text() == "VALUE = 1\n"


def test_everything_that_the_steps_import_can_be_brought_along() -> None:
    """Whatever a fresh interpreter loads for them comes with Python, with torch or NumPy, or as a wheel."""
    text = (
        "import sys, torch, numpy, torch.utils.data; before = set(sys.modules);"
        "import benchmarks.on_a_gpu.steps, data_prep.photos, data_prep.shapeworld; print(*set(sys.modules) - before)"
    )
    loaded = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    named = {module.partition(".")[0] for module in loaded.stdout.split()}
    there = {"transferkit", "course", "data_prep", "benchmarks", "torch", "numpy"}
    strange = named - there - set(wheels.NEEDED) - set(sys.stdlib_module_names)
    assert {name for name in strange if not name.startswith("_")} <= OPTIONAL


def test_a_package_that_no_step_needs_is_not_collected(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="jax: no step needs this; choose from msgspec, "):
        wheels.collect(["jax"], tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_pages_are_filled_from_its_files(tmp_path: Path, place: Place) -> None:
    folder = tmp_path / "results" / "gpu"
    rates = pd.DataFrame({"frozen": range(len(LAYERS)), "rate": 1e4}).assign(
        device="NVIDIA H200", precision="bfloat16", torch="2", date="today", batch=256, steps=20
    )
    Rows("paper", replace(place, out=folder)).add("a product", {"TFLOP/s": 700.0})
    (tmp_path / "results" / cost.RATES.name).write_text(cost.RATES.read_text())
    rates.to_csv(folder / cost.RATES.name, index=False)
    read = cost.read_rates(tmp_path / "results" / cost.RATES.name)
    assert len(read) == len(pd.read_csv(cost.RATES)) + len(rates)
    assert "| NVIDIA H200, bfloat16 | 10,000 |" in cost.measured_table(read)
    assert "not measured" not in cost.measured_table(read)
    about = {"device": "NVIDIA H200", "preset": "class", "torch": "2", "date": "today"}
    rung = {"rung": "plain loop", "repeat": 0, "networks": 1, "images": 10, "seconds": 1.0}
    pd.DataFrame([rung]).assign(**about).to_csv(folder / "ladder.csv", index=False)
    found = sections(tmp_path / "results")
    assert set(found) == {"all-gpu", "ladder-gpu"}
    assert "| paper | a product | TFLOP/s | 700 |" in found["all-gpu"]
    assert all(f"<!-- {name} -->\n" in (ROOT / "benchmarks" / "README.md").read_text() for name in found)
