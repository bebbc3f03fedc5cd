"""All exercises, by lesson."""

from course.exercises import lesson01, lesson02, lesson03, lesson04, lesson05, lesson06, lesson07, lesson08
from course.exercises.exercise import Exercise
from transferkit.errors import UsageError


def exercises(lesson: str = "") -> tuple[Exercise, ...]:
    """The exercises of a lesson ("04") in its order; of all lessons without one. Raises UsageError for no lesson."""
    every = (
        *lesson01.EXERCISES,
        *lesson02.EXERCISES,
        *lesson03.EXERCISES,
        *lesson04.EXERCISES,
        *lesson05.EXERCISES,
        *lesson06.EXERCISES,
        *lesson07.EXERCISES,
        *lesson08.EXERCISES,
    )
    lessons = sorted({exercise.lesson for exercise in every})
    if lesson and lesson not in lessons:
        raise UsageError(f"lesson '{lesson}' has no exercises: choose {', '.join(lessons)}.")
    return tuple(exercise for exercise in every if lesson in ("", exercise.lesson))


def get_exercise(name: str) -> Exercise:
    """The exercise called `name`. Raises UsageError with the names there are."""
    found = {exercise.name: exercise for exercise in exercises()}
    if name not in found:
        raise UsageError(f"'{name}' is no exercise: choose {', '.join(found)}.")
    return found[name]
