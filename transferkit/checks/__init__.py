"""Exercises that check themselves: `check("chop", chop)` tries a learner's answer and says what is wrong and why.

An exercise poses cases, asks the answer, and judges what came out. What passes between the three is plain data, so
that an answer can be asked in a sandbox and judged outside of it.
"""

from transferkit.checks.catalogue import exercises, get_exercise
from transferkit.checks.exercise import Case, Exercise, Finding
from transferkit.checks.judging import Reply, cases_of, check, points, replies_of, verdict_on
from transferkit.checks.verdict import Verdict

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
