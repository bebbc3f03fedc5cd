"""What this machine has and lacks, and how many minutes every lesson and preset will take on it."""

from transferkit.doctor.checks import Finding, examine
from transferkit.doctor.lessons import LESSONS, LessonPlan, lesson_steps
from transferkit.doctor.outlook import Outlook, Prospect, look_ahead
from transferkit.doctor.record import Outcome
from transferkit.doctor.show import findings_table, outcome_line, outlook_table, span

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
