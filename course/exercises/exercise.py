"""What an exercise is made of: cases, a way to ask an answer, and a judge who never sees the answer's code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One trial of an answer: its name in words, as "n=3 of 5 layers", and the plain data that the answer is given."""

    name: str
    given: Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """What is wrong with an answer in one case.

    `seen` says it in a sentence with the numbers; `misconception` names the thought that most likely led there, a
    key of the exercise's `misconceptions`, or is empty where none is likely.
    """

    seen: str
    misconception: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson, named as the function or value that it asks for.

    `pose` draws the cases from a generator; `ask` hands one to the learner's object, in the process where that
    lives, and returns what came out, None where nothing did, as
    what `plain` takes; `judge` compares that with the truth: a
    Finding, or None when it is right. `misconceptions` says each likely wrong thought in a sentence.
    """

    name: str
    lesson: str
    title: str
    points: int
    pose: Callable[[np.random.Generator], tuple[Case, ...]]
    ask: Callable[[Any, Case], object]
    judge: Callable[[Case, Any], Finding | None]
    misconceptions: Mapping[str, str]
