"""The studies that the claims ledger needs: what to train, how much that is, and the tables it leaves."""

from course.evidence.bench import Bench, Cost, Step, predict_cost, run_study, steps_of, steps_under
from course.evidence.collect import (
    CONV1_COLUMNS,
    conv1_row,
    kept_evidence,
    tabulate_study,
    write_conv1,
    write_provenance,
    write_study,
)
from course.evidence.pictures import further_pictures, write_pictures
from course.evidence.plan import (
    Part,
    StudyPlan,
    choose_studies,
    freezing_study,
    labels,
    of_layers,
    smoke_studies,
    studies,
)
from course.evidence.show import beside, claims_table, cost_table

__all__ = [
    "CONV1_COLUMNS",
    "Bench",
    "Cost",
    "Part",
    "Step",
    "StudyPlan",
    "beside",
    "choose_studies",
    "claims_table",
    "conv1_row",
    "cost_table",
    "freezing_study",
    "further_pictures",
    "kept_evidence",
    "labels",
    "of_layers",
    "predict_cost",
    "run_study",
    "smoke_studies",
    "steps_of",
    "steps_under",
    "studies",
    "tabulate_study",
    "write_conv1",
    "write_pictures",
    "write_provenance",
    "write_study",
]
