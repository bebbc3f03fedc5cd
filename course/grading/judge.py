"""The process that judges: `python -m course.grading.judge`, an answer's bytes in, a verdict out.

No stranger's code ever ran here. It is a process of its own because data may be hostile, too: what would take all the
memory ends this process, and costs one answer.
"""

import os
import sys
from typing import Any

import msgspec

from course.exercises import Exercise, Reply, Verdict, get_exercise, verdict_on
from course.exercises.plain import decode
from course.grading.frames import read_frame, write_frame
from course.grading.limits import Limits
from transferkit.errors import DataError

READY = b"ready"
ROOM = 1000  # bytes for the exercise and the seed, before the answer


def main() -> None:
    """Say READY, then judge one answer after the other until there is none any more."""
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    answers = os.dup(1)
    os.dup2(2, 1)
    write_frame(answers, READY)
    while (request := read_frame(0, limits.answer + ROOM)) is not None:
        head, _, answer = request.partition(b"\n")
        name, seed = msgspec.json.decode(head, type=tuple[str, int])
        write_frame(answers, msgspec.json.encode(judge(get_exercise(name), seed, answer)))


def judge(exercise: Exercise, seed: int, answer: bytes) -> Verdict:
    """The verdict on the bytes that came out of a sandbox, whatever they are, for the cases that `seed` draws."""
    try:
        replies = _read(decode(answer))
    except DataError as problem:
        return Verdict(exercise.name, "error", exercise.points, 0, seen=str(problem))
    if isinstance(replies, str):
        return Verdict(exercise.name, "error", exercise.points, 0, seen=replies)
    return verdict_on(exercise, replies, seed)


def _read(came: Any) -> list[Reply] | str:
    """The replies, or why there are none. Raises DataError for any other form."""
    if isinstance(came, dict) and isinstance(came.get("failed"), str):
        return str(came["failed"])
    if not isinstance(came, list) or not all(isinstance(item, list) and len(item) == 2 for item in came):
        raise DataError("what came out of the sandbox are no replies.")
    if not all(isinstance(error, str) for _, error in came):
        raise DataError("what came out of the sandbox are no replies.")
    return [Reply(value, error) for value, error in came]


if __name__ == "__main__":
    main()
