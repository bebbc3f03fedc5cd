"""From a half of the classes to a trained network, and sweeps of many.

machine          device, precision, threads, versions
distributed      several processes that train one network
data, examples   a half of the classes; what the trained layers read, in batches
optimiser        gradient descent with momentum
cuda_graphs      a step that a GPU replays
loop             the training loop
surgery          chop, copy, freeze; the account of every tensor and the audit
study            what all networks of a grid share
experiment       one run from prepared data to its receipt
sweep, workers   many runs, on processes here or on a cluster
forecast         how long they will take
"""
