"""What lessons do beside the library: predictions, a training that is watched, controls, series of the evidence."""
