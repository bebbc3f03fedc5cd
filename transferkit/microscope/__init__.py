"""The Gabor microscope: a widget that lays a Gabor over a filter of conv1."""

from transferkit.microscope.picture import describe_microscope, microscope_picture
from transferkit.microscope.widget import microscope

__all__ = ["describe_microscope", "microscope", "microscope_picture"]
