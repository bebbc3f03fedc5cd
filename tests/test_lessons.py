"""Lessons run from top to bottom as a teaching assistant runs them: by papermill, with parameters of theirs."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import papermill
import pytest
from PIL import Image

from course.doctor import LESSONS
from transferkit.disk.prepared import IMAGES, LABELS, read_manifest, write_manifest
from transferkit.disk.store import Store

RunLesson = Callable[..., nbformat.NotebookNode]
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.fixture
def run_lesson(tiny_folder: Path, tmp_path: Path, probed_work: Path, monkeypatch: pytest.MonkeyPatch) -> RunLesson:
    """Execute a lesson on the tiny data at the smoke preset, with more parameters; the executed notebook."""
    monkeypatch.setenv("TRANSFERKIT_WORK", str(probed_work))
    monkeypatch.setenv("TRANSFERKIT_CORES", "1")  # another test has the other

    def run(name: str, **parameters: object) -> nbformat.NotebookNode:
        out = tmp_path / "out.ipynb"
        usual = {"data": str(tiny_folder), "preset": "smoke", "seed": 3, "device": "cpu"}
        known = papermill.inspect_notebook(NOTEBOOKS / name)
        common = {name: value for name, value in usual.items() if name in known}
        papermill.execute_notebook(NOTEBOOKS / name, out, parameters=common | parameters, progress_bar=False)
        assert out.stat().st_size < 6_000_000
        if not {"n", "wanted"} & set(parameters):
            assert trained(probed_work) == declared(name), "doctor.lessons says what a lesson trains"
        executed: nbformat.NotebookNode = nbformat.read(out, as_version=4)
        assert not any("┃" in str(one.get("data", {}).get("text/html")) for one in outputs_of(executed)), "box drawing"
        return executed

    return run


def trained(work: Path) -> set[tuple[str, str]]:
    """The networks in a store, by the name of their net and their label."""
    return {(receipt.setting.net.name, receipt.run.label) for receipt in Store(work).receipts()}


def declared(name: str) -> set[tuple[str, str]]:
    """The networks that the doctor predicts a lesson's minutes from, likewise."""
    plan = next(one for one in LESSONS if one.name == Path(name).stem)
    small = {("small", run.label) for parts in plan.parts.values() for part in parts for run in part.runs()}
    return small | {(plan.net, run.label) for part in plan.on_net for run in part.runs()}


def outputs_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def alts_of(notebook: nbformat.NotebookNode) -> str:
    """The alternative texts of all pictures."""
    return " ".join(str(one.metadata) for one in outputs_of(notebook) if "image/png" in one.get("data", {}))


def pictures_of(notebook: nbformat.NotebookNode) -> int:
    """How many pictures there are, all with an alternative text."""
    pictures = [output for output in outputs_of(notebook) if "image/png" in output.get("data", {})]
    assert all(len(output.metadata["image/png"]["alt"]) > 20 for output in pictures)
    return len(pictures)


@pytest.mark.long
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("name", "pictures"), [("00_start_here.ipynb", 4), ("03_base_network.ipynb", 7)])
def test_what_is_watched_and_predicted_runs_at_the_smoke_preset(
    run_lesson: RunLesson, name: str, pictures: int
) -> None:
    notebook = run_lesson(name)
    assert pictures_of(notebook) == pictures
    alts = str([one.get("metadata") for one in outputs_of(notebook)])
    assert "Nothing was predicted: the sliders stand where they stood" in alts
    assert sum("widget-view" in str(list(one.get("data", {}))) for one in outputs_of(notebook)) == 2


@pytest.mark.long
@pytest.mark.filterwarnings("default")  # those of Jupyter's own machinery are not ours to mend
def test_figure_2_runs_at_the_smoke_preset(run_lesson: RunLesson) -> None:
    notebook = run_lesson("05_figure2.ipynb", split="natural")
    assert pictures_of(notebook) == 8
    assert "The interval lies below zero at n = 2, 3, 4, 5, 6 and 7." in alts_of(notebook)  # of the kept networks
    assert "72 of 72 networks are there" in str(outputs_of(notebook))


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_the_first_layer_runs_at_the_smoke_preset(run_lesson: RunLesson, tiny_folder: Path) -> None:
    notebook = run_lesson("01_first_layer.ipynb", other_data=str(tiny_folder), noise_filters=50)
    assert pictures_of(notebook) == 12
    assert "white noise called Gabor, edge or blob" in str(outputs_of(notebook))
    assert sum("data-microscope" in str(one.get("data", {}).get("text/html")) for one in outputs_of(notebook)) == 1


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_figure_3_runs_at_the_smoke_preset(run_lesson: RunLesson, parts_folder: Path) -> None:
    notebook = run_lesson("06_figure3.ipynb", dial_data=str(parts_folder), overlaps="0 1")
    assert pictures_of(notebook) == 8
    said = str(outputs_of(notebook))
    assert "128 of 128 networks are there" in said
    assert "mostly a matter of the photographs" in said
    assert "There is no conclusion at the preset smoke" in said


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_freeze_or_finetune_runs_at_the_smoke_preset(run_lesson: RunLesson) -> None:
    notebook = run_lesson("07_freeze_or_finetune.ipynb")
    assert pictures_of(notebook) == 4
    said = str(outputs_of(notebook))
    assert said.count("not begun. Write your answer") == 6  # three exercises, each as text and as HTML
    assert "There is no conclusion at the preset smoke" in said  # which of over- and under-fitting is at work
    assert "either" in said  # the advice of the kept tables
    assert "a base trained for as many images" in said


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_the_evidence_runs_at_the_smoke_preset(run_lesson: RunLesson) -> None:
    notebook = run_lesson("08_evidence.ipynb", wanted="similar dissimilar plateau sizes")
    assert pictures_of(notebook) == 14
    said = str(outputs_of(notebook))
    assert "holds" in said
    assert "no data" in said


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_the_evidence_that_is_kept_is_tried_on_a_split_that_is_trained(run_lesson: RunLesson) -> None:
    notebook = run_lesson("08_evidence.ipynb")
    assert pictures_of(notebook) == 17
    said = str(outputs_of(notebook))
    assert "There is no conclusion at the preset smoke" in said
    assert "points from none to all" in said  # the table has all claims, the picture the paper's in points
    assert "10 of 10 networks are there" in said


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_beyond_2014_runs_at_the_smoke_preset(run_lesson: RunLesson) -> None:
    notebook = run_lesson("09_beyond_2014.ipynb")
    assert pictures_of(notebook) == 4
    said = str(outputs_of(notebook))
    assert "running_mean is frozen but moved" in said
    assert "4 epochs" in said  # twice the smoke preset's


@pytest.fixture
def parts_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny data with classes of known parts: two to a class, of which one is its kind's alone."""
    folder = tmp_path / "parts"
    shutil.copytree(tiny_folder, folder)
    manifest = read_manifest(folder)
    classes = tuple(
        replace(info, parts=(f"{info.natural}/a", f"{info.natural}/{label % 4}"))
        for label, info in enumerate(manifest.classes)
    )
    write_manifest(folder, replace(manifest, classes=classes))
    return folder


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_the_two_halves_run_at_the_smoke_preset(run_lesson: RunLesson, parts_folder: Path) -> None:
    notebook = run_lesson("02_two_halves.ipynb", data=str(parts_folder), other_data=str(parts_folder), overlaps="0 1")
    assert pictures_of(notebook) == 6
    said = str(outputs_of(notebook))
    assert "highest" in said  # what chance gives, beside what the halves share
    assert said.count("○") == 10  # five stubs, each shown as text and as HTML


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_chop_and_transfer_runs_at_the_smoke_preset(run_lesson: RunLesson) -> None:
    notebook = run_lesson("04_chop_and_transfer.ipynb", n=6)
    assert pictures_of(notebook) == 4
    said = str(outputs_of(notebook))
    assert "the freeze audit of R6B failed: conv1.weight is frozen but moved" in said
    assert "7 of 7 networks are there" in said
    assert said.count("○") == 10  # five stubs, each shown as text and as HTML


@pytest.fixture
def own_pictures(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny data as picture files, a folder for each class."""
    images, labels = np.load(tiny_folder / IMAGES), np.load(tiny_folder / LABELS)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / "own" / f"blotch-{label}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.transpose(1, 2, 0)).save(path)
    return tmp_path / "own"


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_your_own_data_runs_at_the_smoke_preset(run_lesson: RunLesson, own_pictures: Path, tiny_folder: Path) -> None:
    notebook = run_lesson("10_your_data.ipynb", pictures=str(own_pictures), source_data=str(tiny_folder))
    assert pictures_of(notebook) == 3  # the heads alone, then the curve
    said = str(outputs_of(notebook))
    assert "192 pictures of the folder 'own'" in said
    assert "Advice: " in said
    assert "on pictures that took no part in it" in said
