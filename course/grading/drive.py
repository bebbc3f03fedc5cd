"""Grade all submissions of a class over workers; a bad submission costs its own row and nothing else."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from course.grading.grade import UNGRADED, Grade, Grader, State, without_answer
from course.grading.notebook import read_answers, read_bytes
from course.grading.records import GradeRecords
from course.grading.submissions import Submission
from transferkit.errors import DataError


@dataclass(frozen=True)
class Graded:
    """A submission with its grades, one per exercise; `before` says that an earlier call gave them."""

    submission: Submission
    grades: tuple[Grade, ...]
    before: bool = False

    @property
    def is_ungraded(self) -> bool:
        """Whether some exercise could not be graded."""
        return any(grade.state in UNGRADED for grade in self.grades)


def grade_all(submissions: Sequence[Submission], records: GradeRecords, workers: int) -> Iterator[Graded]:
    """Grade all submissions, `workers` at once; yield each as soon as it is graded.

    Raises StoreError when grades cannot be kept. Closing the iterator early ends the sandboxes.
    """
    todo: queue.SimpleQueue[Submission] = queue.SimpleQueue()
    done: queue.SimpleQueue[Graded | Exception] = queue.SimpleQueue()
    for submission in submissions:
        todo.put(submission)
    over = threading.Event()
    lanes = [threading.Thread(target=_lane, args=(todo, done, records, over)) for _ in range(workers)]
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
    records: GradeRecords,
    over: threading.Event,
) -> None:
    """The work of one thread, with sandboxes of its own: a sandbox ends with the thread that started it."""
    try:
        with Grader(records.setup) as grader:
            while not over.is_set():
                done.put(_grade(todo.get_nowait(), records, grader))
    except queue.Empty:
        return
    except Exception as problem:  # grade_all raises it
        done.put(problem)


def _grade(submission: Submission, records: GradeRecords, grader: Grader) -> Graded:
    student, exercises = submission.student, records.setup.exercises

    def without(state: State, why: str) -> Graded:
        return Graded(submission, tuple(without_answer(exercise, student, state, why) for exercise in exercises))

    if submission.path is None:
        return without("missing", "the folder holds no notebook.")
    try:
        content = read_bytes(submission.path)
        answers = read_answers(content, [exercise.name for exercise in exercises])
    except DataError as problem:
        return without("unreadable", str(problem))
    if kept := records.find(student, content):
        return Graded(submission, kept, before=True)
    grades = grader.grade(student, answers)
    records.keep(content, grades)
    return Graded(submission, grades)
