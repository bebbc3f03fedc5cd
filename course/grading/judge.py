"""The process that judges: `python -m course.grading.judge LIMITS` reads an answer's bytes and writes a verdict.

No stranger's code ever runs here. It is a separate process because data may be hostile too: data that would take all
the memory ends only this process, and costs one answer.
"""

import os
import sys
from typing import Any

import msgspec

from course.exercises import Exercise, Reply, Verdict, get_exercise, verdict_on
from course.exercises.plain import decode
from course.grading.frames import serve
from course.grading.sandbox import SandboxLimits
from transferkit.errors import DataError

ROOM = 1000  # bytes for the exercise and the seed, before the answer


def main() -> None:
    """Judge answers until there are no more."""
    limits = msgspec.json.decode(sys.argv[1], type=SandboxLimits)
    answers = os.dup(1)
    os.dup2(2, 1)  # nothing that is printed here may look like an answer
    serve(0, answers, limits.answer + ROOM, _judge)


def _judge(request: bytes) -> bytes:
    head, _, answer = request.partition(b"\n")
    name, seed = msgspec.json.decode(head, type=tuple[str, int])
    return msgspec.json.encode(judge(get_exercise(name), seed, answer))


def judge(exercise: Exercise, seed: int, answer: bytes) -> Verdict:
    """The verdict on the bytes that a sandbox gave, whatever they are, for the cases that `seed` draws."""
    try:
        replies = _read(decode(answer))
    except DataError as problem:
        return Verdict(exercise.name, "error", exercise.points, 0, seen=str(problem))
    if isinstance(replies, str):
        return Verdict(exercise.name, "error", exercise.points, 0, seen=replies)
    return verdict_on(exercise, replies, seed)


def _read(came: Any) -> list[Reply] | str:
    """The replies, or why there are none. Raises DataError when it is neither."""
    if isinstance(came, dict) and isinstance(came.get("failed"), str):
        return str(came["failed"])
    if not isinstance(came, list) or not all(isinstance(item, list) and len(item) == 2 for item in came):
        raise DataError("the sandbox gave something else than replies.")
    if not all(isinstance(error, str) for _, error in came):
        raise DataError("the sandbox gave something else than replies.")
    return [Reply(value, error) for value, error in came]


if __name__ == "__main__":
    main()
