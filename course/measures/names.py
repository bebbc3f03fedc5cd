"""What measures are called: the columns of the kept table, and their words on the page."""

from collections.abc import Mapping

KEYS = ("data", "epochs", "split", "seed", "target", "n")  # of a cell
MEASURES: Mapping[str, str] = {
    "logistic": "linear probe, logistic",
    "ridge": "linear probe, ridge",
    "logme": "LogME",
    "hscore": "H-score",
    "nleep": "N-LEEP",
    "leep": "LEEP of the source's whole network",
    "cka": "CKA with the own base",
    "stitch": "stitching by least squares",
}
N = "n"  # the measure that looks at no image
BEST = "logistic"  # tells most, less its selffer: see the table in evidence.md
NET = "small"  # of the kept evidence
SELFFER = "_selffer"  # ends the name of a measure's column of the own base's layer
