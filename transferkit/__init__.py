"""transferkit: measure how transferable the features of a neural network are.

A rebuilding of Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep neural networks?" (NeurIPS
2014, arXiv 1411.1792). `import transferkit as tk` gives the names of the stub, each imported when it is first used.

Modules stand on floors and import downwards; those of one floor may know each other:

    commands, session                   what people type, on the command line and in a notebook
    console, report                     what people see
    figures                             figures 1 to 3, random filters, the first layer
    training                            from a half of the classes to a trained network, and sweeps of them
    results                             receipts as a table, paired differences, intervals
    network                             the eight layers, torchvision's nets in stages, weights from files
    disk                                prepared data, the store of receipts and weights: the only code that knows paths
    treatments, splits, specs, config, gabor        what is planned and computed, without torch
    errors, randomness, hardware        the ground

To read the experiment from label to figure, in this order: treatments, splits, specs, network/eight, training/surgery,
training/loop, training/experiment, training/sweep, disk/store, results/table, results/estimate, gabor/gabor, gabor/fit,
figures/figure2.
"""

from typing import Any

import lazy_loader

__version__ = "0.1.0"

_own, _, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """A name of the library, or one that a package beside it lends (entry points "transferkit.names")."""
    lent = {} if name in __all__ or name.startswith("_") else _lent()
    return lent[name].load() if name in lent else _own(name)


def __dir__() -> list[str]:
    return [*__all__, *_lent()]


def _lent() -> dict[str, Any]:
    from importlib.metadata import entry_points  # here, because it is slow to import

    return {entry.name: entry for entry in entry_points(group="transferkit.names")}
