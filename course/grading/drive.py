"""All submissions of a class over workers; each costs its own row and nothing else."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from course.grading.grade import Grade, Grader, without_answer
from course.grading.notebook import read_answers, read_bytes
from course.grading.receipts import Receipts
from course.grading.submissions import Submission
from transferkit.errors import DataError


@dataclass(frozen=True)
class Graded:
    """A submission with its grades, one per exercise; `before` when an earlier call has given them."""

    submission: Submission
    grades: tuple[Grade, ...]
    before: bool = False


def grade_all(submissions: Sequence[Submission], receipts: Receipts, workers: int) -> Iterator[Graded]:
    """Grade all submissions, `workers` at once; yield each when it is graded.

    Raises StoreError when grades cannot be kept. Left early, the sandboxes end.
    """
    todo: queue.SimpleQueue[Submission] = queue.SimpleQueue()
    done: queue.SimpleQueue[Graded | Exception] = queue.SimpleQueue()
    for submission in submissions:
        todo.put(submission)
    over = threading.Event()
    lanes = [threading.Thread(target=_lane, args=(todo, done, receipts, over)) for _ in range(workers)]
    for lane in lanes:
        lane.start()
    try:
        for _ in submissions:
            result = done.get()
            if isinstance(result, Exception):
                raise result
            yield result
    finally:
        over.set()
        for lane in lanes:
            lane.join()


def _lane(
    todo: "queue.SimpleQueue[Submission]",
    done: "queue.SimpleQueue[Graded | Exception]",
    receipts: Receipts,
    over: threading.Event,
) -> None:
    """What one thread does: a sandbox ends with the thread that started it."""
    try:
        with Grader(receipts.setup) as grader:
            while not over.is_set():
                done.put(_grade(todo.get_nowait(), receipts, grader))
    except queue.Empty:
        return
    except Exception as problem:  # is raised where all lanes are waited for
        done.put(problem)


def _grade(submission: Submission, receipts: Receipts, grader: Grader) -> Graded:
    exercises = receipts.setup.exercises
    if submission.path is None:
        why = "the folder holds no notebook."
        return Graded(submission, tuple(without_answer(one, submission.student, "missing", why) for one in exercises))
    try:
        content = read_bytes(submission.path)
        answers = read_answers(content, [exercise.name for exercise in exercises])
    except DataError as problem:
        why = str(problem)
        return Graded(
            submission, tuple(without_answer(one, submission.student, "unreadable", why) for one in exercises)
        )
    if kept := receipts.find(submission.student, content):
        return Graded(submission, kept, before=True)
    grades = grader.grade(submission.student, answers)
    receipts.keep(content, grades)
    return Graded(submission, grades)
