"""What learners handle in Jupyter: the Gabor microscope, sliders for a prediction, and a training they can watch."""

from transferkit.widgets.live import LiveTraining
from transferkit.widgets.picture import describe_microscope, microscope_picture
from transferkit.widgets.prediction import PredictionSliders, predict
from transferkit.widgets.view import microscope

__all__ = ["LiveTraining", "PredictionSliders", "describe_microscope", "microscope", "microscope_picture", "predict"]
