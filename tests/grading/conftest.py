"""Tests that need a sandbox are skipped where there is none; grades to make pages of."""

import functools

import pytest

from course.grading.grade import Grade
from course.grading.sandbox import why_not_contained


@functools.cache
def why() -> str:
    """Why nothing can be contained here, if so."""
    return why_not_contained()


@pytest.fixture
def sandbox() -> None:
    """Skip where nothing can be contained."""
    if reason := why():
        pytest.skip(reason)


def grade(student: str, state: str = "passed", **fields: object) -> Grade:
    """A grade of `chop`."""
    points = 3 if state == "passed" else 0
    return Grade(student, "chop", points, 3, state, **fields)  # type: ignore[arg-type]
