"""The commands that the course adds to `transferkit`.

The modules imported here import nothing heavy, so that help and wrong usage are answered at once.
"""

import argparse
from pathlib import Path

from course.batch.command import add_options as add_batch_options
from course.batch.command import batch
from course.grading.command import add_options as add_grade_options
from course.grading.command import grade
from transferkit.commands import Command, add_usual_options


def _add_doctor_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--again", action="store_true", help="measure anew what was measured before")
    command.add_argument("--quick", action="store_true", help="only look, no trial training")
    add_usual_options(command)


def _add_evidence_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--only", nargs="+", default=[], metavar="SERIES", help="only these series (default: all)")
    command.add_argument("--predict", action="store_true", help="only print how much is left to train")
    command.add_argument("--smoke", action="store_true", help="a few tiny networks: the whole path, no science")
    command.add_argument(
        "--splits", type=int, default=4, metavar="N", help="random splits of the series similar and longer (default: 4)"
    )
    command.add_argument("--data", default="photos", help="of all series but the dial (default: photos)")
    command.add_argument("--preset", default="quick", help="as for sweep (default: quick)")
    command.add_argument("--net", metavar="NAME", help="as for sweep (default: the preset's)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--workers", type=int, help="processes here (default: one per CPU core, or one per GPU)")
    command.add_argument("--out", type=Path, help="folder of the tables (default: evidence in the work folder)")
    add_usual_options(command)


def _add_claims_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--authors", action="store_true", help="the authors' own networks beside ours")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row per claim")
    command.add_argument("--evidence", type=Path, help="folder of the tables (default: evidence in the work folder)")
    add_usual_options(command)


def _doctor(options: argparse.Namespace) -> None:
    from course.doctor.command import doctor

    doctor(options)


def _evidence(options: argparse.Namespace) -> None:
    from course.evidence.command import evidence

    evidence(options)


def _claims(options: argparse.Namespace) -> None:
    from course.evidence.command import claims

    claims(options)


COMMANDS = (
    Command(
        "doctor", "say what this machine has and lacks, and how long everything takes on it", _add_doctor_options,
        _doctor,
    ),
    Command(
        "evidence", "train the networks that the claims need, write their tables, judge them", _add_evidence_options,
        _evidence,
    ),
    Command(
        "claims", "print which claims of the paper hold, fail or are undecided, and on what", _add_claims_options,
        _claims,
    ),
    Command("batch", "run notebooks with sets of parameters, and write one page about them", add_batch_options, batch),
    Command(
        "grade", "try the exercises of submitted notebooks in a sandbox, and write scores and where the class is stuck",
        add_grade_options, grade,
    ),
)  # fmt: skip
