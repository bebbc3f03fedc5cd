"""What asks an answer: all of the course that a sandbox holds. Nothing here knows what is right.

lesson01 to lesson08  how each exercise gives one case to a learner's object, and what it reads off the result
networks              small networks, and their state read as plain data, whatever their classes pretend
chance                the global random generators, held and put back
cells, answers        which cells of a notebook hold the answers, and what these need of other cells
replies               an answer's replies to the cases of an exercise
plain                 plain data, all that crosses between a sandbox and the judge
forms                 the forms that an answer may come in: a list for a tuple, a number of any library
limits, frames        what a process may use; the messages between a session and its process
asker                 the process that runs a stranger's code: `python -m course.asking.asker`

An exercise's `ask` gets the learner's object and the arguments of one case. It never gets the truth, which stays with
the judge in `course.exercises`. Modules here import only one another, the library and what a sandbox shows of Python.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Ask = Callable[[Any, Mapping[str, Any]], object]


def find_ask(lesson: str, exercise: str) -> Ask:
    """The function `ask_EXERCISE` of the module of a lesson ("04")."""
    found: Ask = getattr(import_module(f"{__name__}.lesson{lesson}"), f"ask_{exercise}")
    return found
