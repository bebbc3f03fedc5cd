"""Exercises that check themselves: `check("chop", chop)` tries a learner's answer and says what is wrong and why.

An exercise poses cases, asks the answer, and judges what came out. What passes between the three is plain data, so
that an answer can be asked in a sandbox and judged outside of it.
"""

from course.exercises.catalogue import exercises, get_exercise
from course.exercises.exercise import Case, Exercise, Finding
from course.exercises.judging import Reply, cases_of, check, points, replies_of, verdict_on
from course.exercises.verdict import Verdict

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
