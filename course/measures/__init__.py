"""Measures of transferability from the literature, judged against trained networks, and the curve that they predict.

scores      the measures as formulas: probes, LogME, H-score, LEEP, N-LEEP
features    what the layers of two bases make of a target's images; stitching
cells       all measures of both bases of a split, with their selffer control: one row a target and n
kept        the kept table of them, beside what training found
judge       rank correlations over n and at a fixed n; predictions of splits that were held out
expect      the curve of AnB that two bases let expect, before anything is copied
verdicts    the table of all measures
picture     the expected curve as a figure
agreement   what training found against what measures said
command     `transferkit predict`
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
