"""The commands that the course adds to `transferkit`: each stands with its options in the package that does it.

Those modules import nothing heavy at first, so that help and wrong usage are answered at once.
"""

from course.batch import command as batching
from course.doctor import command as doctoring
from course.evidence import archive
from course.evidence.command import add_claims_options, add_evidence_options, claims, evidence
from course.evidence.verify import command as verifying
from course.grading import command as grading
from course.looking import command as looking
from course.measures import command as measuring
from course.practice import command as practising
from transferkit.commands import Command

COMMANDS = (
    Command(
        "curve", "say how many layers of given weights to freeze, fine-tune or train anew for a folder of pictures",
        practising.add_options, practising.curve,
    ),
    Command(
        "predict", "draw the curve of AnB that two bases let expect, before anything is copied", measuring.add_options,
        measuring.predict,
    ),
    Command(
        "filters", "draw the filters of a first layer, and fit Gabors to them: of bases, or of any --weights",
        looking.add_options, looking.filters,
    ),
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
        "verify", "retrain some of the kept networks, and say whether the same comes out", verifying.add_options,
        verifying.verify,
    ),
    Command(
        "export", "write a study as an RO-Crate, which repositories of research data take and `verify` reads",
        archive.add_options, archive.export,
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
