"""The process that runs a stranger's code: `python -m course.grading.asker LIMITS` reads cases and writes plain data.

A request holds an exercise, the source of its cell and its cases. A fresh child under LIMITS answers each request.
Whatever the code does here, all it can produce is bytes, which another process judges.
"""

import os
import signal
import sys
from functools import partial
from typing import Any

import msgspec
import torch

from course.exercises import Case, get_exercise, replies_of
from course.exercises.plain import Plain, decode, encode
from course.grading.frames import read_frame, serve, write_frame
from course.grading.sandbox import SandboxLimits
from course.processes import describe_exit

LONGEST_REQUEST = 2**26
LONGEST_MESSAGE = 300  # characters


def main() -> None:
    """Answer requests until there are no more."""
    limits = msgspec.json.decode(sys.argv[1], type=SandboxLimits)
    requests, answers = _take_over_the_pipes()
    torch.set_num_threads(1)
    serve(requests, answers, LONGEST_REQUEST, partial(_answer, limits=limits))


def _take_over_the_pipes() -> tuple[int, int]:
    """Copies of standard input and output; the originals become /dev/null, so that what the code prints is dropped."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return requests, answers


def _answer(request: bytes, limits: SandboxLimits) -> bytes:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            limits.apply()
            write_frame(writer, _try(request))
        finally:
            os._exit(0)  # at once, without any exit handlers of the code
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
    except BaseException as problem:  # SystemExit, a full memory, or an object that is not plain data
        return encode({"failed": _describe(problem)})


def _replies(asked: Any) -> Plain:
    exercise = get_exercise(asked["exercise"])
    space: dict[str, object] = {"__name__": "__main__"}
    exec(compile(asked["source"], f"<{exercise.name}>", "exec"), space)
    if exercise.name not in space:
        return {"failed": f"the cell defines no '{exercise.name}'."}
    cases = [Case(case["name"], case["given"]) for case in asked["cases"]]
    return [[reply.value, reply.error] for reply in replies_of(exercise, space[exercise.name], cases)]


def _describe(problem: BaseException) -> str:
    try:
        return f"{type(problem).__name__}: {problem}"[:LONGEST_MESSAGE]
    except BaseException:  # the error's own __str__ raises
        return type(problem).__name__


if __name__ == "__main__":
    main()
