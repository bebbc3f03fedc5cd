"""How a curve tells its plan and its progress: lines on a console; in a notebook a table, and one line that changes."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from course.lesson.showing import Place, in_a_shell, sentence
from course.tables import bundle

Told = Callable[[str], None]


def start_telling(plan: Table, console: Console | None) -> Told:
    """Show the plan, and return what tells a sentence: on a console, or in the notebook, or else on standard error."""
    if console is None and in_a_shell():
        Place().show((bundle(plan), {}))
        place = Place()
        return lambda words: place.show(sentence(words))
    shown = console or Console(stderr=True)
    shown.print(plan)
    return lambda words: shown.print(words, markup=False, highlight=False, soft_wrap=True)
