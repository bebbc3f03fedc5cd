"""The claims ledger: each claim of the paper, and of work after it, tested on tables of networks."""

from transferkit.claims.control import shuffled
from transferkit.claims.judge import Claim, Verdict, judge
from transferkit.claims.ledger import LEDGER_COLUMNS, ledger
from transferkit.claims.sizes import advise_by_size, diagnose_sizes
from transferkit.claims.statements import CLAIMS
from transferkit.claims.tables import Evidence, authors_evidence, read_evidence

__all__ = [
    "CLAIMS",
    "LEDGER_COLUMNS",
    "Claim",
    "Evidence",
    "Verdict",
    "advise_by_size",
    "authors_evidence",
    "diagnose_sizes",
    "judge",
    "ledger",
    "read_evidence",
    "shuffled",
]
