"""transferkit: measure how transferable the features of a neural network are.

A rebuilding of Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep neural
networks?" (NeurIPS 2014, arXiv 1411.1792). Modules stand on floors, and each imports strictly lower
floors only; nothing is imported here, so that a module costs only what it needs.

ground   errors, then atomic, clock, locks, hardware, installed, family, pages, ranks
floor 0  treatments, splits, manifest, streams, work, lesson_times, then nets, checkpoints, then config
floor 1  data, views, store, machine, gabor, foreign, then network, descent, examples, replay, steps
floor 2  surgery, training, mean_image, filters, first_layer, patches, calibration, cka, results, prediction,
         then conduct, study
floor 3  authors, then experiment, figures, claims
floor 4  representations, loose_freeze, then workload, anatomy, abreast, then sweep, workers, widgets, forecast
floor 5  report, console, progress, evidence, then lesson, lesson_studies, checks, doctor
floor 6  batch, grading, then commands, then __main__
"""

__version__ = "0.1.0"
