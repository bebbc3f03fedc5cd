"""Planted answers to the exercises, right and wrong: what the checks are tested with, and their kill rate measured."""

from course.planted import lesson04
from course.planted.answer import Planted

__all__ = ["Planted", "planted"]


def planted() -> dict[str, Planted]:
    """The planted answers by exercise."""
    return {**lesson04.planted()}
