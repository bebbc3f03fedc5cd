"""The README is short and true, and so are the pages that continue it: commands, links, and numbers of a receipt."""

import re
import shlex
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from PIL import Image

import data_prep.__main__
import transferkit.__main__
from course.book.markers import fill, within
from course.book.tables import SHORT, paired_rows, sections
from course.evidence.claims import CLAIMS

ROOT = Path(__file__).parent.parent
COURSE = ROOT / "course"
README = (ROOT / "README.md").read_text()
TYPED = README + (COURSE / "commands.md").read_text()
RESULTS = COURSE / "results"
COMMANDS = re.findall(r"^python -m (transferkit|data_prep) ([^#\n]+)", TYPED, re.MULTILINE)
TABLES = {
    "README.md": {"fresh-clone", "kill-rate", "speed"},
    "course/practice.md": {"curve-advice"},
    "course/findings.md": {"photos", "claims-short"},
    "course/evidence.md": {"provenance", "similar", "dissimilar", "learned", "shortcuts", "lengths", "conv1", "claims"},
}


def test_it_can_be_read_in_five_minutes() -> None:
    assert len(README.splitlines()) <= 150


def test_it_opens_with_the_picture_and_the_command() -> None:
    opening = README[:1500]
    assert "course/results/photos/figure2.png" in opening
    assert opening.index("figure2.png") < opening.index("make figures")


@pytest.mark.parametrize(("program", "arguments"), COMMANDS, ids=lambda value: value.strip())
def test_its_commands_parse(program: str, arguments: str) -> None:
    parser = {"transferkit": transferkit.__main__.parser, "data_prep": data_prep.__main__.parser}[program]()
    parser.parse_args(shlex.split(arguments))


def test_its_film_has_a_frame_for_every_epoch_that_it_names() -> None:
    ((name, first, last),) = re.findall(r'src="([^"]+\.webp)"[^>]* from epoch (\d+) to (\d+)', README)
    with Image.open(ROOT / name) as film:
        assert getattr(film, "n_frames", 1) == int(last) - int(first) + 1


def test_every_target_of_make_that_is_named_exists_and_every_one_is_named() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make (\w+)", TYPED, re.MULTILINE)) == set(targets.split())


def test_its_test_command_is_the_one_that_continuous_integration_runs() -> None:
    assert "`make test` runs all" in README
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("\nmake test")


def test_every_page_of_the_course_is_listed_among_its_pages() -> None:
    listed = set(re.findall(r"^\| \[(\w+\.md)\]\(", (COURSE / "README.md").read_text(), re.MULTILINE))
    assert listed == {page.name for page in COURSE.glob("*.md")} - {"README.md"}


def test_its_links_lead_to_files_of_the_repository() -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README):
        assert (ROOT / target).exists(), target


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return sections(RESULTS)


@pytest.mark.xdist_group("tables")  # they take seconds to make
@pytest.mark.parametrize("page", TABLES)
def test_its_tables_are_those_of_the_results_that_are_kept(page: str, found: dict[str, str]) -> None:
    text = (ROOT / page).read_text()
    chosen = within(text, found)
    assert fill(text, chosen) == text
    assert text.count("<!-- end -->") == len(chosen)
    assert set(chosen) >= TABLES[page]


def test_the_grid_it_shows_is_whole() -> None:
    assert len(pd.read_csv(RESULTS / "photos" / "grid.csv")) == 72


def test_the_claims_that_the_findings_show_are_some_of_the_ledger() -> None:
    assert set(SHORT) <= {claim.key for claim in CLAIMS}


def test_a_changed_result_would_be_found() -> None:
    table = pd.read_csv(RESULTS / "photos" / "grid.csv")
    changed = table.assign(paired=table["paired"] + 0.01 * (table["run"] == "A3B"))
    assert paired_rows(changed) != paired_rows(table)


def test_its_examples_are_short_and_run(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example, freezing = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    lines = [line for line in example.splitlines() if line]
    assert len(lines) <= 8
    assert sum(line.startswith(("import ", "from ")) for line in lines) <= 3
    for written, meant in (('"photos"', repr(str(tiny_folder))), ('"quick"', '"smoke"')):
        assert example.count(written) == 1
        example = example.replace(written, meant)
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(example, names)
    assert [receipt.run.label for receipt in names["receipts"]] == ["baseA", "baseB", "A3B"]
    assert (tmp_path / "figure2.svg").stat().st_size > 10_000
    model = torch.nn.Sequential(
        OrderedDict(conv1=torch.nn.Linear(2, 2), layer1=torch.nn.BatchNorm1d(2), fc=torch.nn.Linear(2, 1))
    )

    def train(model: torch.nn.Module) -> None:
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
        model.train()(torch.arange(8.0).view(4, 2)).sum().backward()
        optimiser.step()

    exec(freezing, names | {"model": model, "train": train})
    assert "frozen and kept to the bit: conv1.weight" in capsys.readouterr().out


def test_only_sections_with_a_marker_belong_to_a_page() -> None:
    page = "# A page\n<!-- speed -->\nold\n<!-- end -->\n"
    assert within(page, {"speed": "new", "speed-here": "more"}) == {"speed": "new"}
