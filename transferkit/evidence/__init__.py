"""The studies that the claims ledger needs: what to train, how much that is, and the tables it leaves."""

from transferkit.evidence.bench import Bench, Cost, Step, predict_cost, run_study, steps_of
from transferkit.evidence.collect import conv1_row, write_conv1, write_study
from transferkit.evidence.plan import Part, StudyPlan, choose_studies, smoke_studies, studies

__all__ = [
    "Bench",
    "Cost",
    "Part",
    "Step",
    "StudyPlan",
    "choose_studies",
    "conv1_row",
    "predict_cost",
    "run_study",
    "smoke_studies",
    "steps_of",
    "studies",
    "write_conv1",
    "write_study",
]
