"""What people write in the book's pages is complete: terms, references, minutes, links."""

import re
from pathlib import Path

import pytest
from pybtex.database import parse_file

COURSE = Path(__file__).parent.parent.parent / "course"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
VOCABULARY = (
    "half A, half B", "split", "seed", "base network", "chop point n", "frozen", "fine-tuned", "selffer", "transfer",
    "random", "treatment", "run", "paired difference", "receipt",
)  # fmt: skip
LESSONS = (
    "00_start_here", "01_first_layer", "02_two_halves", "03_base_network", "04_chop_and_transfer", "05_figure2",
    "06_figure3", "07_freeze_or_finetune", "08_evidence", "09_beyond_2014", "10_your_data",
)  # fmt: skip
GUIDE = (COURSE / "instructors.md").read_text()


def terms() -> list[list[str]]:
    """Every entry of the glossary: its terms in English and Chinese, then its lines."""
    blocks = re.findall(r"```\{glossary\}\n(.*?)```", (COURSE / "glossary.md").read_text(), re.DOTALL)
    entries = [entry.splitlines() for block in blocks for entry in block.strip().split("\n\n")]
    return [entry for entry in entries if entry[0] != ":sorted:"]


def test_the_vocabulary_is_in_the_glossary_and_nowhere_else() -> None:
    assert [entry[0] for entry in terms()][: len(VOCABULARY) + 1] == sorted(
        [*VOCABULARY, "re-initialised"], key=[*VOCABULARY[:5], "re-initialised", *VOCABULARY[5:]].index
    )
    assert "the two disjoint sets of classes" not in (COURSE / "README.md").read_text()


@pytest.mark.parametrize("entry", terms(), ids=lambda entry: entry[0])
def test_a_term_has_a_chinese_one_and_a_meaning(entry: list[str]) -> None:
    english, chinese, *meaning = entry
    assert not CHINESE.search(english)
    assert CHINESE.search(chinese)
    assert meaning
    assert all(line.startswith("  ") for line in meaning)
    assert re.search(r"[.\w}`]$", meaning[-1])


def test_no_term_stands_twice() -> None:
    names = [name for entry in terms() for name in entry[:2]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("key", list(parse_file(COURSE / "references.bib").entries))
def test_a_reference_says_who_what_where_and_when(key: str) -> None:
    entry = parse_file(COURSE / "references.bib").entries[key]
    fields = entry.fields
    assert entry.persons["author"]
    assert key.startswith(re.sub(r"\W", "", entry.persons["author"][0].last_names[0]).lower())
    assert key.endswith(fields["year"])
    assert {"title", "year"} <= set(fields)
    assert {"journal", "booktitle", "institution"} & set(fields)
    if "eprint" in fields:
        assert re.fullmatch(r"\d{4}\.\d{4,5}", fields["eprint"])
        assert abs(2000 + int(fields["eprint"][:2]) - int(fields["year"])) <= 1
    if "doi" in fields:
        assert fields["doi"].startswith("10.")


def test_three_lectures_and_two_labs_of_90_minutes() -> None:
    sessions = re.split(r"^### ", GUIDE.partition("## Common misconceptions")[0], flags=re.MULTILINE)[1:]
    assert [session.split(" ")[0] for session in sessions].count("Lecture") == 3
    assert [session.split(" ")[0] for session in sessions].count("Lab") == 2
    for session in sessions:
        assert sum(map(int, re.findall(r"^\| (\d+) \|", session, re.MULTILINE))) == 90, session


def test_every_lesson_has_its_place_in_the_plan_and_every_misconception_its_lesson() -> None:
    plan, _, rest = GUIDE.partition("## Common misconceptions")
    for name in LESSONS:
        assert f"(../notebooks/{name}.ipynb)" in plan
    rows = re.findall(r'^\| ".*$', rest.partition("## Marking")[0], re.MULTILINE)
    assert len(rows) > 10
    assert all("(../notebooks/" in row.split("|")[3] for row in rows)


@pytest.mark.parametrize("page", sorted(COURSE.glob("*.md")), ids=lambda page: page.stem)
def test_links_lead_to_files_or_lessons(page: Path) -> None:
    for address in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", page.read_text()):
        target = (page.parent / address).resolve()
        assert target.exists() or target.stem in LESSONS, address
