"""A program for a session: it answers each request, a number of seconds in text, after that long asleep or at work."""

import os
import time

from course.asking.frames import serve


def answer(request: bytes) -> bytes:
    kind, _, seconds = request.decode().partition(" ")
    if kind == "sleep":
        time.sleep(float(seconds))
    end = time.process_time() + float(seconds)
    while kind == "work" and time.process_time() < end:
        pass
    return request


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)
    serve(0, answers, 100, answer)
