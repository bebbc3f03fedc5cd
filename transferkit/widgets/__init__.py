"""The Gabor microscope: the filters of conv1 beside Gabors that the reader sets, live in Jupyter or as a picture."""

from transferkit.widgets.picture import describe_microscope, microscope_picture
from transferkit.widgets.view import microscope

__all__ = ["describe_microscope", "microscope", "microscope_picture"]
