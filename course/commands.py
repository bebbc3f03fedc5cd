"""The commands that the course adds to `transferkit`: each stands with its options in the package that does it.

Those modules import nothing heavy at first, so that help and wrong usage are answered at once.
"""

from course.batch import command as batching
from course.doctor import command as doctoring
from course.evidence.command import add_claims_options, add_evidence_options, claims, evidence
from course.grading import command as grading
from transferkit.commands import Command

COMMANDS = (
    Command(
        "doctor", "say what this machine has and lacks, and how long everything takes on it", doctoring.add_options,
        doctoring.doctor,
    ),
    Command(
        "evidence", "train the networks that the claims need, write their tables, judge them", add_evidence_options,
        evidence,
    ),
    Command(
        "claims", "print which claims of the paper hold, fail or are undecided, and on what", add_claims_options,
        claims,
    ),
    Command(
        "batch", "run notebooks with sets of parameters, and write one page about them", batching.add_options,
        batching.batch,
    ),
    Command(
        "grade", "try the exercises of submitted notebooks in a sandbox, and write scores and where the class is stuck",
        grading.add_options, grading.grade,
    ),
)  # fmt: skip
