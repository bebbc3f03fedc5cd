"""How many planted wrong answers the checks find, and whether they refuse a right one.

    python -m course.exercises.kill_rate

writes course/results/kill-rate.csv, one row per exercise.
"""

import csv
import io
from functools import cache
from pathlib import Path

from course.exercises import Verdict, check, exercises
from course.exercises.planted import planted
from course.exercises.solutions import solutions
from transferkit.disk import atomic

TABLE = Path(__file__).parents[1] / "results" / "kill-rate.csv"


@cache
def wrong_verdicts(name: str) -> dict[str, Verdict]:
    """The verdicts on the planted wrong answers to an exercise, on the cases that a learner gets."""
    return {what: check(name, answer) for what, answer in planted()[name].wrong.items()}


def kill_rates() -> list[dict[str, object]]:
    """One row per exercise: planted wrong answers, those found, right answers (with the solution), those refused."""
    written, answers = solutions(), planted()
    rows: list[dict[str, object]] = []
    for exercise in exercises():
        name = exercise.name
        right = (written[name], *answers[name].right)
        wrong = wrong_verdicts(name).values()
        rows.append(
            {
                "lesson": exercise.lesson,
                "exercise": name,
                "planted": len(wrong),
                "found": sum(verdict.state != "passed" for verdict in wrong),
                "right": len(right),
                "refused": sum(check(name, answer).state != "passed" for answer in right),
            }
        )
    return rows


def as_csv(rows: list[dict[str, object]]) -> str:
    """The rows as CSV, as the table is kept."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    atomic.write_bytes(TABLE, as_csv(kill_rates()).encode())
