"""What `import transferkit as tk` promises: a score of names, at once, each with an example that holds."""

import doctest
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import course
import transferkit as tk
from transferkit.config import get_preset
from transferkit.disk.store import Receipt, Store
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study

LENT = sorted(entry_points(group="transferkit.names").names)
NAMES = [*sorted(set(tk.__all__) - {"__version__"}), *LENT]


@pytest.fixture(scope="module")
def trained(tiny_folder: Path) -> tuple[Study, list[Receipt]]:
    """The tiny data with the networks that the examples look at."""
    study = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", Store(tiny_folder.parents[1]), "float32")
    return study, [perform(study, run) for run in tk.plan("random0", seeds=[0], labels=["A3B", "B3B"])]


def test_the_names_are_a_score_and_are_imported_only_when_they_are_used() -> None:
    assert 15 <= len(tk.__all__) <= 30
    program = (
        "import sys, time; began = time.perf_counter(); import transferkit as tk; "
        "seconds = time.perf_counter() - began; tk.__all__; print(seconds, *sys.modules)"
    )
    seconds, *modules = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert float(seconds) < 0.1
    assert not {"torch", "numpy", "matplotlib", "pandas"} & set(modules)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_says_what_it_is_with_an_example_that_holds(
    name: str, trained: tuple[Study, list[Receipt]], tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tiny_folder.parents[1]))
    monkeypatch.setenv("TRANSFERKIT_CORES", "1")
    monkeypatch.chdir(tmp_path)
    study, receipts = trained
    known = {"tk": tk, "study": study, "receipts": receipts, "table": tk.tabulate(receipts), "folder": tiny_folder}
    text = getattr(tk, name).__doc__ or ""
    example = doctest.DocTestParser().get_doctest(text, known, name, None, None)
    assert example.examples, f"tk.{name} has no example"
    report: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=report.append)
    assert outcome.failed == 0, "".join(report)


def test_a_name_that_nobody_has_is_refused_as_python_does() -> None:
    assert {"look", "microscope", "responses"} <= set(LENT)
    with pytest.raises(AttributeError, match="microscop"):
        tk.microscop  # type: ignore[attr-defined]  # noqa: B018


def test_every_name_of_the_course_is_there() -> None:
    for name in course.__all__:
        assert getattr(course, name) is not None


def test_stubs_name_what_is_there_in_order() -> None:
    for package in (tk, course):
        stub = Path(package.__file__ or "").with_suffix(".pyi").read_text()
        assert re.findall(r"import \w+ as (\w+)", stub) == re.findall(r"import (\w+) as \w+", stub)
