"""The parts from which the book's sources are made."""

import io
from base64 import b64encode
from pathlib import Path

import nbformat
import pytest
from docutils import nodes
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from course.book import __main__ as book
from course.book.extension import is_drawing, name_languages
from course.book.lessons import Lesson, contents, group, read_lesson, syllabus
from course.book.links import Links
from course.book.stage import Executed, tidy
from course.errors import BatchError

ROOT = Path(__file__).parent.parent.parent
PNG = "iVBORw0KGgo="


def lesson(number: str) -> Lesson:
    return Lesson(f"{number}_name", f"{number} · Name", "5 minutes", ("read",))


def test_a_lesson_says_title_time_and_goals(tmp_path: Path) -> None:
    goals = "**You will be able to**\n\n- count;\n- name."
    text = f"# 03 · A base\n\nWhy.\n\n{goals}\n\n**Time**: 20 minutes. Once.\n\n- no goal"
    nbformat.write(new_notebook(cells=[new_markdown_cell(text)]), tmp_path / "03_base.ipynb")
    found = read_lesson(tmp_path / "03_base.ipynb")
    assert found == Lesson("03_base", "03 · A base", "20 minutes", ("count", "name"))


@pytest.mark.parametrize(
    ("picture", "drawn"),
    [
        ("evidence/figure2.png", True),
        ("evidence/figure1.png", True),
        ("evidence/lengths.png", True),
        ("photos/conv1.png", False),
        ("clean-filters.png", False),
    ],
)
def test_drawings_are_told_from_photographs_and_filters(picture: str, drawn: bool) -> None:
    assert is_drawing(ROOT / "course" / "results" / picture) is drawn


@pytest.mark.parametrize("cells", [[], [new_code_cell("1")], [new_markdown_cell("no title")]])
def test_a_lesson_that_says_nothing_has_its_name(tmp_path: Path, cells: list[nbformat.NotebookNode]) -> None:
    nbformat.write(new_notebook(cells=cells), tmp_path / "11_more.ipynb")
    assert read_lesson(tmp_path / "11_more.ipynb") == Lesson("11_more", "11_more", "", ())


@given(st.lists(st.integers(0, 99).map("{:02}".format), unique=True))
def test_every_lesson_is_in_one_part_in_order(numbers: list[str]) -> None:
    parts = group(map(lesson, numbers))
    found = [member.name for members in parts.values() for member in members]
    assert sorted(found) == sorted(f"{number}_name" for number in numbers)
    assert all(members == sorted(members, key=lambda member: member.name) for members in parts.values())
    assert all(parts.values())
    assert all(syllabus(parts).count(f"(lessons/{name}.ipynb)") == 1 for name in found)
    assert all(contents(parts, ["glossary"]).splitlines().count(f"lessons/{name}") == 1 for name in found)


@pytest.mark.parametrize(
    ("link", "moved"),
    [
        ("[a](../notebooks/05_figure2.ipynb)", "[a](lessons/05_figure2.ipynb)"),
        ("[a](../notebooks/05_figure2.ipynb#time)", "[a](lessons/05_figure2.ipynb#time)"),
        ("[a](../notebooks/11_no_such.ipynb)", "a"),
        ("[a](../README.md)", "[a](index.md)"),
        ("[a](glossary.md)", "[a](glossary.md)"),
        ("[a](../Makefile)", "[a](files/Makefile)"),
        ("[a](../benchmarks/README.md)", "[a](files/benchmarks/README.md.txt)"),
        ("![a](results/photos/conv1.png)", "![a](files/course/results/photos/conv1.png)"),
        ("[a](https://arxiv.org/abs/1411.1792)", "[a](https://arxiv.org/abs/1411.1792)"),
        ("[a](#here)", "[a](#here)"),
        ("`f[0](x)`", "`f[0](x)`"),
    ],
)
def test_a_link_of_a_page_leads_on_in_the_book(tmp_path: Path, link: str, moved: str) -> None:
    links = Links(tmp_path, ("05_figure2",))
    assert links.follow(f"See {link}.", ROOT / "course" / "page.md", tmp_path) == f"See {moved}."
    if "files/" in moved:
        assert (tmp_path / moved.partition("(")[2].rstrip(")")).is_file()


def test_a_link_of_a_lesson_leads_on_from_its_folder(tmp_path: Path) -> None:
    links = Links(tmp_path, ("05_figure2",))
    text = "[a](05_figure2.ipynb) [b](../course/glossary.md)"
    moved = links.follow(text, ROOT / "notebooks" / "01_first_layer.ipynb", tmp_path / "lessons")
    assert moved == "[a](05_figure2.ipynb) [b](../glossary.md)"


def test_of_outputs_stays_what_needs_no_kernel() -> None:
    widget = new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Box()"})
    picture = new_output("display_data", {"image/png": PNG, "text/html": "<img>", "text/plain": "a"})
    words = new_output("stream", text="said")
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell("preset = 'smoke'", metadata={"tags": ["injected-parameters"]}),
        new_code_cell("x", outputs=[widget, picture, words]),
    ]
    notebook = tidy(new_notebook(cells=cells, metadata={"widgets": {"state": {}}}), "Executed somewhere.")
    _, note, code = notebook.cells
    assert note.source == "*Executed somewhere.*"
    assert "open this lesson in JupyterLab" in code.outputs[0].data["text/html"]
    assert code.outputs[1].data == {"image/png": PNG}
    assert code.outputs[2] == words
    assert "widgets" not in notebook.metadata


def test_chinese_terms_say_their_language() -> None:
    document = nodes.document(None, None)  # type: ignore[arg-type]
    english, chinese = nodes.term("", "split"), nodes.term("", "类别 & 划分")
    document += [english, chinese]
    name_languages(None, document)  # type: ignore[arg-type]
    assert str(english[0]) == "split"
    assert chinese[0].astext() == '<span lang="zh-Hans">类别 &amp; 划分</span>'


def test_a_parameter_that_no_lesson_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = new_code_cell("split = 'random0'  # help: which", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[parameters]), tmp_path / "01_one.ipynb")
    options = ["--notebooks", str(tmp_path), "--out", str(tmp_path / "book")]
    assert book.main([*options, "-p", "splt", "natural"]) == 2
    assert capsys.readouterr().err == "no lesson has a parameter 'splt': they know split.\n"
    assert not (tmp_path / "book").exists()


def test_a_lesson_that_fails_leaves_the_older_book(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path / "01_one.ipynb")
    (tmp_path / "book" / "html").mkdir(parents=True)
    (tmp_path / "book" / "html" / "index.html").write_text("older")
    assert book.main(["--notebooks", str(tmp_path), "--out", str(tmp_path / "book")]) == 1
    assert "report.html may say why" in capfd.readouterr().err
    assert (tmp_path / "book" / "html" / "index.html").read_text() == "older"


@pytest.mark.long
@pytest.mark.xdist_group("book")
def test_a_picture_without_words_stops_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (2, 2)).save(buffer := io.BytesIO(), "PNG")
    output = new_output("display_data", {"image/png": b64encode(buffer.getvalue()).decode()})
    cells = [new_markdown_cell("# 01 · One"), new_code_cell("x", outputs=[output])]
    path = tmp_path / "01_one.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    with pytest.raises(BatchError, match="mend what Sphinx names above"):
        book.build([Executed(path, path)], tmp_path / "book")
    assert "has no alternative text" in capfd.readouterr().err
    assert not (tmp_path / "book" / "html").exists()
