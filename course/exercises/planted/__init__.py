"""Planted answers to the exercises, right and wrong: they test the checks and give their kill rate."""

from course.exercises.checking import lesson_modules
from course.exercises.planted.answer import Planted

__all__ = ["Planted", "planted"]


def planted() -> dict[str, Planted]:
    """The planted answers, by exercise."""
    modules = lesson_modules("course.exercises.planted")
    return {exercise: answers for module in modules for exercise, answers in module.planted().items()}
