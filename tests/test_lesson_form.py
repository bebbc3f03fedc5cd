"""All lessons have one form, so that a learner finds each thing in its place, and none repeats the library."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import nbformat
import pytest

from course.exercises import get_exercise
from course.exercises.solutions import lesson_notebooks

MOST_LINES, MOST_IN_CELL, MOST_IN_EXERCISE, MOST_BY_HAND = 80, 12, 20, 65
TRAINING = ("tk.train(", "course.grow", "train_series(", "carry_out(", "LiveTraining(")
LESSONS = {path.stem: path for path in lesson_notebooks()}
SCORED = {"00", *(f"{number:02}" for number in range(2, 8))}  # lessons whose result is a curve or some means
ASKING = {
    "00",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "07",
    "08",
    "09",
}  # lessons that end with three questions to ask oneself
EXERCISES = {"01": 1} | {f"{number:02}": 3 for number in range(2, 9)}


@pytest.fixture(params=LESSONS)
def lesson(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.read(LESSONS[request.param], as_version=4)
    notebook["path"] = LESSONS[request.param]
    return notebook


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def headings(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, str]]:
    """Every heading with the number of its cell."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            yield from ((index, line.lower()) for line in cell.source.split("\n") if line.startswith("#"))


def tagged(notebook: nbformat.NotebookNode, tag: str) -> list[int]:
    return [index for index, cell in enumerate(notebook.cells) if tag in cell.metadata.get("tags", [])]


def code_lines(source: str) -> int:
    """Lines that hold more than a comment."""
    quiet = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return len(
        {line for token in tokens if token.type not in quiet for line in range(token.start[0], token.end[0] + 1)}
    )


def test_it_opens_with_its_number_its_goals_its_time_and_its_needs(lesson: nbformat.NotebookNode) -> None:
    first = lesson.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith(f"# {lesson['path'].stem[:2]} · ")
    assert re.search(r"^\*\*You will be able to\*\*\n\n(- .+\n?){2,}", first.source, re.MULTILINE)
    stated = re.search(
        r"^\*\*Time\*\*: (\d+) minutes to read and think(?:, (\d+) for the exercises)?\.", first.source, re.M
    )
    assert stated
    assert 15 <= int(stated[1]) <= 40
    cards = [re.search(r"^[●○]{3} · (\d+) minutes", cell.source, re.MULTILINE) for cell in lesson.cells]
    assert int(stated[2] or 0) == sum(int(card[1]) for card in cards if card)
    assert re.search(r"^\*\*Needs\*\*: ", first.source, re.MULTILINE)


def test_its_parameters_come_second_are_literals_and_say_what_they_are(lesson: nbformat.NotebookNode) -> None:
    assert tagged(lesson, "parameters") == [1]
    source = lesson.cells[1].source
    known = set()
    for statement in ast.parse(source).body:
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)
        known |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        assert "# help: " in source.split("\n")[statement.lineno - 1]
    if any(call in cell.source for call in TRAINING for cell in code_cells(lesson)):
        assert {"preset", "device"} <= known
        assert known & {"data", "pictures"}  # a lesson on the learner's own pictures makes its data of them


def test_the_learner_predicts_before_the_result_and_sees_a_control(lesson: nbformat.NotebookNode) -> None:
    found, results = list(headings(lesson)), tagged(lesson, "signature-figure")
    assert len(results) == 1
    results += [index for index, cell in enumerate(lesson.cells) if any(call in cell.source for call in TRAINING)]
    predicted = [index for index, heading in found if heading.startswith("## ") and "predict" in heading]
    assert predicted
    assert predicted[0] < max(results)
    assert any("control" in heading for _, heading in found)


def test_what_is_predicted_by_sliders_is_laid_over_the_result(lesson: nbformat.NotebookNode) -> None:
    code = [cell.source for cell in code_cells(lesson)]
    asked = [index for index, source in enumerate(code) if "course.predict(" in source]
    told = [
        index for index, source in enumerate(code) if re.search(r"course\.figures\.prediction\(|\.reveal\(", source)
    ]
    assert len(asked) == len(told) >= (lesson["path"].stem[:2] in SCORED)
    assert all(first < last for first, last in zip(asked, told, strict=True))


def test_it_ends_with_a_summary_the_library_and_a_source(lesson: nbformat.NotebookNode) -> None:
    last = lesson.cells[-1]
    assert last.cell_type == "markdown"
    assert last.source.startswith("## Summary\n")
    assert re.search(r"^\*\*In the library\*\*: `", last.source, re.MULTILINE)
    assert re.search(r"^\*Sources?\*: ", last.source, re.MULTILINE)


def test_before_the_summary_it_asks_three_questions_with_folded_answers(lesson: nbformat.NotebookNode) -> None:
    asking = [index for index, cell in enumerate(lesson.cells) if cell.source.startswith("## Ask yourself\n")]
    assert asking == [len(lesson.cells) - 2] or (not asking and lesson["path"].stem[:2] not in ASKING)
    for index in asking:
        _, *questions = lesson.cells[index].source.split("<details>\n")
        assert len(questions) == 3
        for number, question in enumerate(questions, start=1):
            assert re.match(rf"<summary>{number}\. [^\n]+\?</summary>\n\n.{{80,}}\n\n</details>", question, re.DOTALL)


def test_its_code_is_short_and_defines_nothing_but_in_exercises(lesson: nbformat.NotebookNode) -> None:
    by_hand = [lesson.cells[index] for index in tagged(lesson, "by-hand")]  # an experiment in plain PyTorch
    assert sum(code_lines(cell.source) for cell in by_hand) <= MOST_BY_HAND
    shown = [cell for cell in code_cells(lesson) if "nbgrader" not in cell.metadata and cell not in by_hand]
    assert sum(code_lines(cell.source) for cell in shown) <= MOST_LINES
    for cell in code_cells(lesson):
        assert cell not in shown or not re.search(r"^\s*(def|class) ", cell.source, re.MULTILINE), cell.id
        most = MOST_IN_EXERCISE if "exercise" in cell.metadata or cell in by_hand else MOST_IN_CELL
        assert code_lines(cell.source) <= most, cell.id


def test_it_imports_from_three_modules_of_this_project_at_most(lesson: nbformat.NotebookNode) -> None:
    trees = [ast.parse(cell.source) for cell in code_cells(lesson)]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {getattr(node, "module", None) or alias.name for node in imports for alias in node.names}
    ours = {name for name in named if name.split(".")[0] in ("transferkit", "course", "data_prep", "benchmarks")}
    assert ours <= {"transferkit", "course", "data_prep"}


def test_it_uses_public_names_only_and_draws_through_the_library(lesson: nbformat.NotebookNode) -> None:
    for cell in code_cells(lesson):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_"), cell.id
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not any(part.startswith("_") for name in names for part in name.split(".")), cell.id
                assert not any(name.split(".")[0] in ("matplotlib", "seaborn", "torchvision") for name in names), (
                    cell.id
                )


def test_an_exercise_is_a_card_with_its_points_a_stub_and_hints_with_a_solution(lesson: nbformat.NotebookNode) -> None:
    asked = [index for index, cell in enumerate(lesson.cells) if "exercise" in cell.metadata]
    assert len(asked) >= EXERCISES.get(lesson["path"].stem[:2], 0)
    for index in asked:
        name = lesson.cells[index].metadata["exercise"]
        card, stub, hints = lesson.cells[index - 1 : index + 2]
        assert re.search(r"^### Exercise: .+\n\n[●○]{3} · \d+ minutes · \d points?\n\n", card.source, re.MULTILINE)
        assert stub.source.endswith(f'check("{name}", {name})')
        assert stub.metadata["nbgrader"]["solution"]
        assert f"{get_exercise(name).points} point" in card.source
        assert hints.source.count("<summary>Hint ") >= 1
        assert f"<summary>Solution: `{name}`</summary>" in hints.source


def test_it_is_kept_without_outputs_and_without_an_editors_traces(lesson: nbformat.NotebookNode) -> None:
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert lesson.metadata == {"kernelspec": python, "language_info": {"name": "python"}}
    assert [cell.id for cell in lesson.cells] == [f"cell-{index:02}" for index in range(len(lesson.cells))]
    for cell in code_cells(lesson):
        assert not cell.outputs
        assert cell.execution_count is None


def test_lines_of_code_are_counted_without_blank_ones_and_comments() -> None:
    assert code_lines('# a\n\nx = 1  # b\n\n\ndef f():\n    """Two\n    lines."""\n    return x\n') == 5


def test_no_two_lessons_have_one_number() -> None:
    numbers = [name[:2] for name in LESSONS]
    assert numbers == sorted(set(numbers))
