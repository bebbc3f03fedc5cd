"""Two books: one that a single command makes from two tiny lessons, and one of all lessons as they are kept."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.book import __main__ as book
from course.book import tables
from course.book.stage import Executed
from tests.book.site import Site

ROOT = Path(__file__).parent.parent.parent
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
FIRST = r"""# 01 · A tiny lesson

It has what lessons have: a formula, $\frac{u^2}{2\sigma^2}$, and a link to [the other](05_other.ipynb) and to
[one that is not there](09_beyond_2014.ipynb).

**You will be able to**

- read a page;
- follow a link.

**Time**: 3 minutes. No more.

$$f(x) = \sum_i \left(x_i - \bar{x}\right)^2$$"""
DRAW = """from matplotlib.figure import Figure
from transferkit.figures import Picture

figure = Figure(figsize=(7, 2))
figure.subplots().plot([0, 1], [1, 0])
Picture(figure, "A line that falls from 1 to 0: \\"steep\\" & <straight>", width=1200)"""
LABELLED = """from course.figures.labelled import LabelledPicture

figure = Figure(figsize=(7, 2))
line, = figure.subplots().plot([0, 1, 2], [1, 3, 2], "o")
said = ("first", "A4B: 88.2 % & more", "last")
LabelledPicture(figure, "Three networks over three n, the second one highest", texts=((line, said),))"""
WIDGET = "import ipywidgets\n\nipywidgets.FloatSlider(description='wavelength')"
MICROSCOPE = """import numpy as np
import transferkit as tk

tk.microscope({epoch: np.random.default_rng(epoch).normal(size=(9, 3, 7, 7)) for epoch in range(3)})"""
FOLDED = """## An exercise

<details>
<summary>Solution: `fall`</summary>

```python
def fall(x: float) -> float:
    return 1 - x
```

</details>"""
PARAMETERS = 'preset = "quick"  # help: which network\npoints = 3  # help: how many'
TABLE = "import pandas as pd\n\npd.DataFrame({f'column {n}': [f'{preset} {n}'] * points for n in range(12)})"


@pytest.fixture(scope="session", autouse=True)
def tables_once() -> Iterator[None]:
    """The tables on the pages, which take seconds, are made once for all books."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course.book.stage.sections", cache(tables.sections))
        yield


@pytest.fixture(scope="session")
def tiny_book(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Two tiny lessons, executed and built into a book by one command."""
    folder = tmp_path_factory.mktemp("tiny-book")
    (folder / "notebooks").mkdir()
    tagged = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    one = [
        new_markdown_cell(FIRST),
        *map(new_code_cell, (DRAW, LABELLED, WIDGET, MICROSCOPE)),
        new_markdown_cell(FOLDED),
    ]
    two = [new_markdown_cell("# 05 · Another\n\n## A table"), tagged, new_code_cell(TABLE)]
    for name, cells in (("01_tiny", one), ("05_other", two)):
        nbformat.write(new_notebook(cells=cells, metadata=KERNEL), folder / "notebooks" / f"{name}.ipynb")
    options = ["--notebooks", str(folder / "notebooks"), "--preset", "smoke", "-p", "points", "2"]
    assert book.main([*options, "--out", str(folder / "book")]) == 0
    return Site(folder / "book" / "html")


@pytest.fixture(scope="session")
def whole_book(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The book of all lessons of the repository, not executed."""
    lessons = [Executed(path, path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    return Site(book.build(lessons, tmp_path_factory.mktemp("whole-book")).parent)
