"""The process that runs a stranger's code: `python -m course.asking.asker LIMITS LESSON` reads cases and writes data.

A request holds the code cells of a notebook, in which to find the answers without running anything; or else an answer
and the arguments of its exercise's cases. A fresh child under LIMITS serves each request. Whatever the code does here,
all it can produce is bytes, which another process judges.
"""

import __future__

import ast
import ctypes
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from importlib import import_module
from typing import Any

import msgspec

import course
from course.asking import find_ask
from course.asking.answers import find_answers
from course.asking.cells import code_cell
from course.asking.frames import read_frame, serve, write_frame
from course.asking.limits import SandboxLimits
from course.asking.plain import Plain, decode, encode, plain
from course.asking.replies import describe, replies_of

LONGEST_REQUEST = 2**26
_PR_SET_DUMPABLE = 4


def main() -> None:
    """Answer requests until there are no more."""
    limits, lesson = msgspec.json.decode(sys.argv[1], type=SandboxLimits), sys.argv[2]
    pipes = _take_over_the_pipes()
    _let_others_look(False)  # so no child can read this process or open its pipes
    for name in ("check", "points"):  # a cell that checks itself goes on; the judge is elsewhere
        setattr(course, name, lambda *_, **__: None)
    import_module(f"course.asking.lesson{lesson}")
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    serve(*pipes, LONGEST_REQUEST, partial(_answer, limits=limits, lesson=lesson, pipes=pipes))


def _take_over_the_pipes() -> tuple[int, int]:
    """Copies of standard input and output; the originals become /dev/null, so that what the code prints is dropped."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return requests, answers


def _let_others_look(allowed: bool) -> None:
    """Whether processes of the same user may look into this one, as through its /proc (on Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, int(allowed), 0, 0, 0)


def _answer(request: bytes, limits: SandboxLimits, lesson: str, pipes: tuple[int, int]) -> bytes:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            for descriptor in (*pipes, reader):  # a child holds nothing but the pipe for its own reply
                os.close(descriptor)
            _let_others_look(True)  # from outside, to measure its memory
            limits.apply()
            write_frame(writer, _try(request, lesson))
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
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return content or encode({"ended": os.waitstatus_to_exitcode(status)})


def _try(request: bytes, lesson: str) -> bytes:
    """The encoded answers, or replies and notes, or else {"failed": why}."""
    try:
        asked: Any = decode(request)
        return encode(_find(asked) if "cells" in asked else _replies(asked, lesson))
    except BaseException as problem:  # SystemExit, a full memory, or an object that is not plain data
        return encode({"failed": describe(problem)})


def _find(asked: Any) -> Plain:
    found = find_answers([code_cell(code, exercise) for exercise, code in asked["cells"]], asked["names"])
    return {name: plain(asdict(answer)) for name, answer in found.items()}


def _replies(asked: Any, lesson: str) -> Plain:
    ask, name = find_ask(lesson, asked["exercise"]), asked["exercise"]
    space: dict[str, object] = {"__name__": "__main__"}
    troubles = [f"in another cell, {trouble}" for trouble in _run(asked["borrowed"], name, space)]
    space.pop(name, None)
    troubles += _run(asked["source"], name, space)
    if name not in space:
        return {"failed": troubles[-1] if troubles else f"the cell defines no '{name}'."}
    replies = replies_of(ask, space[name], asked["cases"])
    return {"replies": [[reply.value, reply.error] for reply in replies], "notes": [*troubles]}


def _run(source: str, name: str, space: dict[str, object]) -> list[str]:
    """Run a source statement by statement. A statement that raises is left out; return what each of these raised.

    A notebook's cell may go on with what only the notebook has, such as a trained network; the answer stands all the
    same.
    """
    troubles, flags = [], 0
    for statement in ast.parse(source, f"<{name}>").body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in statement.names)
        code = compile(ast.Module([statement], []), f"<{name}>", "exec", flags, dont_inherit=True)
        try:
            exec(code, space)
        except Exception as problem:
            troubles.append(f"line {statement.lineno}: {describe(problem)}")
    return troubles


if __name__ == "__main__":
    main()
