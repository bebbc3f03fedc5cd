"""The Gabor microscope: it lays a Gabor over a filter of conv1, in a notebook or on any page."""

from transferkit.widgets.microscope import Microscope, microscope

__all__ = ["Microscope", "microscope"]
