import pytest

from tests.conftest import TRAIN_PER_CLASS, VALID_PER_CLASS
from transferkit.training.forecast import expected_images, images_of, relative_cost
from transferkit.training.study import Study
from transferkit.treatments import grid, parse_run


def test_images_are_those_of_the_half_and_of_all_epochs(study: Study) -> None:
    run = parse_run("A3B", "random0", 0)
    assert images_of(study, run, "train") == 4 * TRAIN_PER_CLASS
    assert images_of(study, run, "valid") == 4 * VALID_PER_CLASS
    assert expected_images(study, run) == 4 * TRAIN_PER_CLASS * study.setting.recipe.epochs


def test_frozen_layers_make_a_network_cheaper(study: Study) -> None:
    costs = {run.label: relative_cost(study, run) for run in grid("random0", 0)}
    assert costs["baseA"] == costs["A5B+"] == pytest.approx(1)
    assert costs["A1B"] > costs["A3B"] > costs["A7B"] > 0
    assert costs["R3B"] == costs["A3B"]
