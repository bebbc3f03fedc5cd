"""What the README says is true: its commands parse, its links lead somewhere, its numbers are those of a receipt."""

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import data_prep.__main__
import transferkit.__main__
from course.book.markers import fill, within
from course.book.tables import SHORT, paired_rows, sections
from course.evidence.claims import CLAIMS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "course" / "results"
COMMANDS = re.findall(r"^python -m (transferkit|data_prep) ([^#\n]+)", README, re.MULTILINE)


def test_it_opens_with_the_picture_and_the_command() -> None:
    opening = README[:1500]
    assert "course/results/photos/figure2.png" in opening
    assert opening.index("figure2.png") < opening.index("make figures")


@pytest.mark.parametrize(("program", "arguments"), COMMANDS, ids=lambda value: value.strip())
def test_its_commands_parse(program: str, arguments: str) -> None:
    parser = {"transferkit": transferkit.__main__.parser, "data_prep": data_prep.__main__.parser}[program]()
    parser.parse_args(shlex.split(arguments))


def test_its_links_lead_to_files_of_the_repository() -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README):
        assert (ROOT / target).exists(), target


def test_its_tables_are_those_of_the_results_that_are_kept() -> None:
    found = sections(RESULTS)
    for page in (README, (ROOT / "course" / "evidence.md").read_text()):
        chosen = within(page, found)
        assert fill(page, chosen) == page
        assert page.count("<!-- end -->") == len(chosen)
    assert {"photos", "claims-short", "fresh-clone", "kill-rate", "speed"} == set(within(README, found))
    assert len(pd.read_csv(RESULTS / "photos" / "grid.csv")) == 72


def test_the_claims_it_shows_are_some_of_the_ledger() -> None:
    assert set(SHORT) <= {claim.key for claim in CLAIMS}


def test_a_changed_result_would_be_found() -> None:
    table = pd.read_csv(RESULTS / "photos" / "grid.csv")
    changed = table.assign(paired=table["paired"] + 0.01 * (table["run"] == "A3B"))
    assert paired_rows(changed) != paired_rows(table)


def test_its_example_is_short_and_runs(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
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


def test_only_sections_with_a_marker_belong_to_a_page() -> None:
    page = "# A page\n<!-- speed -->\nold\n<!-- end -->\n"
    assert within(page, {"speed": "new", "speed-here": "more"}) == {"speed": "new"}
