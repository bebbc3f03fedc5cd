"""The process that judges: `python -m course.grading.judge LIMITS` reads an answer's bytes and writes a verdict.

No stranger's code ever runs here. It is a separate process because data may be hostile too: data that would take all
the memory ends only this process, and costs one answer.
"""

import os
import sys
from dataclasses import dataclass
from typing import Any

import msgspec

from course.asking.frames import serve
from course.asking.limits import SandboxLimits
from course.asking.plain import decode
from course.asking.replies import Reply
from course.exercises import Exercise, Verdict, get_exercise, verdict_on
from course.processes import describe_exit
from transferkit.errors import DataError

ROOM = 1000  # bytes for the exercise and the seed, before the answer


@dataclass(frozen=True)
class Judged:
    """The verdict on an answer; `notes` are what its code said about itself, and `died` that it ended its process."""

    verdict: Verdict
    notes: tuple[str, ...] = ()
    died: bool = False


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


def judge(exercise: Exercise, seed: int, answer: bytes) -> Judged:
    """The verdict on the bytes that a sandbox gave, whatever they are, for the cases that `seed` draws."""

    def without_replies(why: str, *, died: bool = False) -> Judged:
        return Judged(Verdict(exercise.name, "error", exercise.points, 0, seen=why), died=died)

    try:
        came: Any = decode(answer)
        if isinstance(came, dict) and isinstance(came.get("failed"), str):
            return without_replies(came["failed"])
        if isinstance(came, dict) and isinstance(came.get("ended"), int):
            return without_replies(f"the code ended its own process: it {describe_exit(came['ended'])}.", died=True)
        replies, notes = _read(came)
    except DataError as problem:
        return without_replies(str(problem))
    return Judged(verdict_on(exercise, replies, seed), notes)


def _read(came: Any) -> tuple[list[Reply], tuple[str, ...]]:
    """The replies and notes. Raises DataError when it is neither."""
    replies, notes = (came.get(name) for name in ("replies", "notes")) if isinstance(came, dict) else (None, None)
    if not isinstance(replies, list) or not isinstance(notes, list):
        raise DataError("the sandbox gave something else than replies.")
    pairs = all(isinstance(item, list) and len(item) == 2 and isinstance(item[1], str) for item in replies)
    if not pairs or not all(isinstance(note, str) for note in notes):
        raise DataError("the sandbox gave something else than replies.")
    return [Reply(value, error) for value, error in replies], tuple(notes)


if __name__ == "__main__":
    main()
