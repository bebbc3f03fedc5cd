"""Exercises that check themselves: `check("chop", chop)` tries a learner's answer and says what is wrong, and why.

An exercise poses cases, asks the answer, and judges what came out. Only plain data passes between these three, so an
answer can be asked in a sandbox and judged outside it. To add an exercise, add it to the EXERCISES of its lesson's
module, give it right and wrong answers in `planted`, and put its stub and solution into the notebook.
"""

from course.exercises.checking import Reply, cases_of, check, exercises, get_exercise, points, replies_of, verdict_on
from course.exercises.exercise import Case, Exercise, Finding, Verdict

__all__ = [
    "Case",
    "Exercise",
    "Finding",
    "Reply",
    "Verdict",
    "cases_of",
    "check",
    "exercises",
    "get_exercise",
    "points",
    "replies_of",
    "verdict_on",
]
