"""Lessons run from top to bottom as a teaching assistant runs them: by papermill, with parameters of theirs."""

from pathlib import Path

import nbformat
import papermill
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.mark.long
@pytest.mark.filterwarnings("default")  # those of Jupyter's own machinery are not ours to mend
def test_figure_2_runs_at_the_smoke_preset(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path / "work"))
    parameters = {"data": str(tiny_folder), "preset": "smoke", "split": "natural", "seed": 3, "device": "cpu"}
    out = tmp_path / "out.ipynb"
    papermill.execute_notebook(NOTEBOOKS / "05_figure2.ipynb", out, parameters=parameters, progress_bar=False)
    notebook = nbformat.read(out, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 4
    assert all(len(str(output.metadata)) > 40 for output in pictures), "every picture has an alternative text"
    assert "72 of 72 networks are there" in str(outputs)
    assert out.stat().st_size < 5_000_000
