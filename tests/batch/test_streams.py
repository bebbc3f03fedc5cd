"""What a cell prints: nothing lost, one state of a progress bar, in the order in which it came, in linear time."""

import re
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbformat import NotebookNode

from course.batch.streams import Printed

TAKEN_BACK = re.compile(r".*\r(?=[^\n])")  # nbclient's
TEXTS = st.text("ab\r\n", max_size=40)
PICTURE = "picture"


def output(name: str, text: str) -> NotebookNode:
    return NotebookNode(output_type="stream", name=name, text=text)


def kept(*pieces: tuple[str, str], limit: int = 10**6) -> tuple[list[tuple[str, str]], Printed]:
    """The outputs of a cell after these (stream, text) have come, or pictures; each is a (kind, text)."""
    printed = Printed(limit)
    outputs: list[Any] = []
    for name, text in pieces:
        if name == PICTURE:
            outputs.append(NotebookNode(output_type="display_data"))
        else:
            printed.add(outputs, output(name, text))
    printed.flush()
    return [(one.name, one.text) if "name" in one else (PICTURE, "") for one in outputs], printed


@given(TEXTS, st.lists(st.integers(0, 40)))
@example("a\r\r\n\rb", [1, 2, 3])
def test_however_it_is_cut_into_messages_what_is_left_is_what_nbclient_leaves_of_the_whole(
    text: str, places: list[int]
) -> None:
    ends = sorted({0, len(text), *(place for place in places if place < len(text))})
    pieces = [("stdout", text[start:end]) for start, end in pairwise(ends)]
    outputs, printed = kept(*pieces)
    whole = TAKEN_BACK.sub("", text)
    assert outputs == ([("stdout", whole)] if text else [])
    assert printed.left == 10**6 - len(whole)


def test_two_streams_are_told_apart_and_pictures_keep_their_place() -> None:
    outputs, _ = kept(
        ("stdout", "a\n"), ("stderr", "\r1 %"), ("stdout", "b\n"), (PICTURE, ""), ("stdout", "c\n"), ("stderr", "\r2 %")
    )
    assert outputs == [("stdout", "a\nb\n"), (PICTURE, ""), ("stdout", "c\n"), ("stderr", "2 %")]


def test_a_line_that_nothing_overwrites_stays_before_the_picture() -> None:
    outputs, _ = kept(("stdout", "Figure 1: "), (PICTURE, ""), ("stdout", "done\n"))
    assert outputs == [("stdout", "Figure 1: "), (PICTURE, ""), ("stdout", "done\n")]


@pytest.mark.parametrize("state", ["\r{} of 900", "{} of 900\r"])
def test_a_bar_around_pictures_leaves_its_last_state(state: str) -> None:
    outputs, _ = kept(*(piece for step in range(900) for piece in (("stderr", state.format(step)), (PICTURE, ""))))
    assert [text.strip() for name, text in outputs if name == "stderr"] == ["899 of 900"]


def test_what_a_cell_clears_is_gone_and_makes_room() -> None:
    printed = Printed(100)
    outputs: list[Any] = []
    for step in range(50):
        outputs.clear()
        printed.add(outputs, output("stdout", f"step {step:4d}\n"))
    printed.flush()
    assert [one.text for one in outputs] == ["step   49\n"]
    assert printed.left == 90


@pytest.mark.parametrize("piece", ["0123456789, ", "\r0123456789", "x\n"])
def test_ten_times_as_much_takes_some_ten_times_as_long(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        kept(*[("stdout", piece)] * count, limit=10**8)
        return time.process_time() - started

    assert seconds(40_000) < 40 * max(seconds(4_000), 0.01)
