"""The claims ledger: each claim of the paper, and of work after it, tested on tables of networks."""

from course.evidence.claims.judge import Claim, Verdict, judge
from course.evidence.claims.ledger import LEDGER_COLUMNS, ledger
from course.evidence.claims.lengths import depends_on_length, judge_by_length
from course.evidence.claims.sizes import advise_by_size, diagnose_sizes
from course.evidence.claims.statements import CLAIMS, OF_THE_PAPER
from course.evidence.claims.tables import Evidence, authors_evidence, read_evidence, shuffled

__all__ = [
    "CLAIMS",
    "LEDGER_COLUMNS",
    "OF_THE_PAPER",
    "Claim",
    "Evidence",
    "Verdict",
    "advise_by_size",
    "authors_evidence",
    "depends_on_length",
    "diagnose_sizes",
    "judge",
    "judge_by_length",
    "ledger",
    "read_evidence",
    "shuffled",
]
