"""Grade all submissions of a class over workers; a bad submission costs its own row and nothing else.

Workers ask, each in sandboxes of its own; this thread judges. What a crowded or stopped machine may have done is tried
once more, alone, before it is final.
"""

import hashlib
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from course.grading.ask import Came, Setup, ask_all
from course.grading.grade import DOUBTFUL, UNGRADED, Grade, Grader, State, without_answer
from course.grading.notebook import read_bytes, read_code
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


@dataclass(frozen=True)
class Work:
    """A submission still to be graded: its code cells, as pairs of exercise and code, and the digest of its file."""

    submission: Submission
    cells: tuple[tuple[str, str], ...]
    digest: str


def sort_out(submissions: Sequence[Submission], records: GradeRecords) -> tuple[list[Graded], list[Work]]:
    """What is graded already or cannot be graded, and what is still to be graded. Runs nothing and writes nothing."""
    done: list[Graded] = []
    todo: list[Work] = []
    for submission in submissions:
        found = _look_at(submission, records)
        if isinstance(found, Graded):
            done.append(found)
        else:
            todo.append(found)
    return done, todo


def grade_all(todo: Sequence[Work], records: GradeRecords, workers: int) -> Iterator[Graded]:
    """Grade all submissions, `workers` at once; yield each as soon as its grades are final.

    Raises StoreError when grades cannot be kept. Closing the iterator early ends the sandboxes.
    """
    doubtful: list[tuple[Work, tuple[Grade, ...]]] = []
    with Grader(records.setup) as grader:
        with closing(_ask_at_once(todo, records.setup, workers)) as asked:
            for work, came in asked:
                grades = grader.judge(records.setup, work.submission.student, came)
                if any(grade.state in DOUBTFUL for grade in grades):
                    doubtful.append((work, grades))
                else:
                    yield _kept(work, grades, records)
        for work, grades in doubtful:
            again = grader.grade(work.submission.student, work.cells)
            final = [new if old.state in DOUBTFUL else old for old, new in zip(grades, again, strict=True)]
            yield _kept(work, tuple(final), records)


def _look_at(submission: Submission, records: GradeRecords) -> Graded | Work:
    def without(state: State, why: str) -> Graded:
        grades = (without_answer(exercise, submission.student, state, why) for exercise in records.setup.exercises)
        return Graded(submission, _noted(submission, tuple(grades)))

    if submission.path is None:
        empty = not submission.why
        return without("missing" if empty else "unreadable", submission.why or "the folder holds no notebook.")
    try:
        content = read_bytes(submission.path)
        cells, large = read_code(content)
    except DataError as problem:
        return without("unreadable", str(problem))
    if large:
        note = f"{large} cells are too long to be looked at. {submission.note}".strip()
        submission = replace(submission, note=note)
    digest = hashlib.sha256(content).hexdigest()
    if kept := records.find(submission.student, digest):
        return Graded(submission, _noted(submission, kept), before=True)
    return Work(submission, tuple(cells), digest)


def _kept(work: Work, grades: tuple[Grade, ...], records: GradeRecords) -> Graded:
    records.keep(work.digest, grades)
    return Graded(work.submission, _noted(work.submission, grades))


def _noted(submission: Submission, grades: tuple[Grade, ...]) -> tuple[Grade, ...]:
    """The grades, the first with what is to be known of the submission as a whole."""
    first, *others = grades
    return (replace(first, note=f"{submission.note} {first.note}".strip()), *others)


def _ask_at_once(todo: Sequence[Work], setup: Setup, workers: int) -> Generator[tuple[Work, Came], None, None]:
    waiting: queue.SimpleQueue[Work] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Work, Came]] = queue.SimpleQueue()
    for work in todo:
        waiting.put(work)
    over = threading.Event()
    lanes = [threading.Thread(target=_lane, args=(waiting, done, setup, over)) for _ in range(workers)]
    for lane in lanes:
        lane.start()
    try:
        for _ in todo:
            yield done.get()
    finally:
        over.set()
        for lane in lanes:
            lane.join()


def _lane(
    waiting: "queue.SimpleQueue[Work]",
    done: "queue.SimpleQueue[tuple[Work, Came]]",
    setup: Setup,
    over: threading.Event,
) -> None:
    """The work of one thread, with sandboxes of its own: a sandbox ends with the thread that started it."""
    while not over.is_set():
        try:
            work = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            came = ask_all(setup, work.cells)
        except Exception:  # whatever it is, it costs this row only, which is tried again and said not to be graded
            came = Came(replies={exercise.name: "not started" for exercise in setup.exercises})
        done.put((work, came))
