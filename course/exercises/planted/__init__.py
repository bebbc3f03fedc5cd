"""Planted answers to the exercises, right and wrong: what the checks are tested with, and their kill rate measured."""

from course.exercises.planted import lesson01, lesson02, lesson03, lesson04, lesson05, lesson06, lesson07, lesson08
from course.exercises.planted.answer import Planted

__all__ = ["Planted", "planted"]


def planted() -> dict[str, Planted]:
    """The planted answers by exercise."""
    return {
        **lesson01.planted(),
        **lesson02.planted(),
        **lesson03.planted(),
        **lesson04.planted(),
        **lesson05.planted(),
        **lesson06.planted(),
        **lesson07.planted(),
        **lesson08.planted(),
    }
