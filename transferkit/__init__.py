"""transferkit: measure how transferable the features of a neural network are.

A rebuilding of Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep neural
networks?" (NeurIPS 2014, arXiv 1411.1792). Modules stand on floors, and each imports strictly lower
floors only; nothing is imported here, so that a module costs only what it needs.

floor 0  errors, atomic, manifest, treatments, splits, config
floor 1  network, data, store
floor 2  surgery, training, filters, results
floor 3  experiment, figures
floor 4  sweep
floor 5  __main__
"""

__version__ = "0.1.0"
