"""transferkit: measure how transferable the features of a neural network are.

A rebuilding of Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep neural
networks?" (NeurIPS 2014, arXiv 1411.1792). Modules stand on floors, and each imports strictly lower
floors only; nothing is imported here, so that a module costs only what it needs.

ground   errors, then atomic, locks, hardware
floor 0  treatments, splits, config, manifest, streams, work
floor 1  network, data, store, gabor, foreign
floor 2  surgery, training, filters, first_layer, patches, calibration, results
floor 3  authors, then experiment, figures, claims
floor 4  workload, then sweep, workers, widgets, forecast
floor 5  report, console, evidence
floor 6  batch, then commands, then __main__
"""

__version__ = "0.1.0"
