"""Failures of the course's own commands that a user can correct; the command line prints their message."""

from transferkit.errors import TransferkitError


class BatchError(TransferkitError):
    """Some notebooks of a batch did not run to their end."""


class GradingError(TransferkitError):
    """Some submissions of a class could not be graded."""


class MachineError(TransferkitError):
    """This machine lacks something that the library or the lessons need."""
