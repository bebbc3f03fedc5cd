"""How much work a run is, before it is trained: images to read, and time as a share of a base network's."""

from transferkit.manifest import Part
from transferkit.network import count_multiplications
from transferkit.study import Study
from transferkit.treatments import Run

OVERHEAD = 0.1  # share of a full network's time that even one with all layers but the last frozen takes


def images_of(study: Study, run: Run, part: Part) -> int:
    """How many images of a part the run's target half has, as expected from the manifest."""
    manifest = study.prepared.manifest
    first, last = manifest.train if part == "train" else manifest.valid
    per_class = (last - first) / len(manifest.classes)
    if part == "train":
        per_class = study.setting.recipe.images_per_class or per_class
    return round(per_class * len(study.prepared.split(run.split).classes(run.target)))


def expected_images(study: Study, run: Run) -> int:
    """How many training images a run reads, all epochs together."""
    return images_of(study, run, "train") * study.setting.recipe.epochs


def relative_cost(study: Study, run: Run) -> float:
    """A run's time as a share of a base network's, by multiply-adds: what is frozen is computed only once.

    Where every epoch shows other views of the images, it is computed in each of them.
    """
    counts = count_multiplications(study.setting.net, len(study.prepared.manifest.classes) // 2)
    frozen = 0 if run.finetune else sum(counts[layer] for layer in study.setting.net.layers[: run.n])
    total = sum(counts.values())
    times = 1.0 if study.setting.recipe.augment else 1 / study.setting.recipe.epochs
    share = (3 * (total - frozen) + frozen * times) / (3 * total)
    return OVERHEAD + (1 - OVERHEAD) * share
