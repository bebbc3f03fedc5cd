"""The process that runs a stranger's code: `python -m course.grading.asker LIMITS`, cases in, plain data out.

Each request, an exercise with the source of its cell and its cases, is answered by a fresh child under LIMITS.
Whatever the code does here, what it can bring about is bytes, which others judge.
"""

import os
import signal
import sys
from typing import Any

import msgspec
import torch

from course.exercises import Case, get_exercise, replies_of
from course.exercises.plain import Plain, decode, encode
from course.grading.frames import read_frame, write_frame
from course.grading.limits import Limits
from course.processes import describe_exit

READY = b"ready"
LONGEST_REQUEST = 2**26
LONGEST_MESSAGE = 300  # characters


def main() -> None:
    """Say READY, then answer one request after the other until there is none any more."""
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    requests, answers = _take_over_the_pipes()
    torch.set_num_threads(1)
    write_frame(answers, READY)
    while (request := read_frame(requests, LONGEST_REQUEST)) is not None:
        write_frame(answers, _answer(request, limits))


def _take_over_the_pipes() -> tuple[int, int]:
    """What was standard input and output, as other descriptors: what the code prints goes nowhere."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return requests, answers


def _answer(request: bytes, limits: Limits) -> bytes:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            limits.apply()
            write_frame(writer, _try(request))
        finally:
            os._exit(0)  # nothing that the code left to be run at the end is run
    os.close(writer)
    try:
        content = read_frame(reader, limits.answer)
    except ValueError:
        content = encode({"failed": f"the answer is larger than {limits.answer // 2**20} MB."})
    finally:
        os.close(reader)
    if content is not None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    ended = describe_exit(os.waitstatus_to_exitcode(status))
    return content or encode({"failed": f"the code ended its own process: it {ended}."})


def _try(request: bytes) -> bytes:
    """The encoded replies, as pairs of a value and an error, or else {"failed": why}."""
    try:
        return encode(_replies(decode(request)))
    except BaseException as problem:  # SystemExit, a full memory, or an object that no data is made of
        return encode({"failed": _told(problem)})


def _replies(asked: Any) -> Plain:
    exercise = get_exercise(asked["exercise"])
    space: dict[str, object] = {"__name__": "__main__"}
    exec(compile(asked["source"], f"<{exercise.name}>", "exec"), space)
    if exercise.name not in space:
        return {"failed": f"the cell defines no '{exercise.name}'."}
    cases = [Case(case["name"], case["given"]) for case in asked["cases"]]
    return [[reply.value, reply.error] for reply in replies_of(exercise, space[exercise.name], cases)]


def _told(problem: BaseException) -> str:
    try:
        return f"{type(problem).__name__}: {problem}"[:LONGEST_MESSAGE]
    except BaseException:  # an error whose own text cannot be had
        return type(problem).__name__


if __name__ == "__main__":
    main()
