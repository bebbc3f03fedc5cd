"""What this machine has and lacks, and how many minutes every lesson and preset will take on it."""

from course.doctor.checks import Finding, examine
from course.doctor.lessons import LESSONS, LessonPlan, lesson_steps
from course.doctor.outlook import Outlook, Prospect, look_ahead
from course.doctor.record import Outcome
from course.doctor.show import findings_table, outcome_line, outlook_table, span

__all__ = [
    "LESSONS",
    "Finding",
    "LessonPlan",
    "Outcome",
    "Outlook",
    "Prospect",
    "examine",
    "findings_table",
    "lesson_steps",
    "look_ahead",
    "outcome_line",
    "outlook_table",
    "span",
]
