"""The Gabor microscope: a widget that lays a Gabor over a filter of conv1."""

from transferkit.widgets.widget import microscope

__all__ = ["microscope"]
