"""Exercises that check themselves: `check("chop", chop)` tries a learner's answer and says what is wrong, and why.

An exercise poses cases, asks the answer (in `course.asking`), and judges what came out. Only plain data passes between
these three, so an answer can be asked in a sandbox that knows nothing of what is right, and judged outside it. A
misconception is named only if it would give all the replies (`slips`). For nbgrader, `assignment` makes an assignment
from a lesson. To add an exercise, put it into the EXERCISES of its lesson's module and the way to ask it into
`course.asking`, give it right and wrong answers in `planted`, and put its stub and solution into the notebook.
"""

from course.exercises.checking import cases_of, check, exercises, get_exercise, points, verdict_on
from course.exercises.exercise import Case, Exercise, Finding, Verdict

__all__ = [
    "Case",
    "Exercise",
    "Finding",
    "Verdict",
    "cases_of",
    "check",
    "exercises",
    "get_exercise",
    "points",
    "verdict_on",
]
