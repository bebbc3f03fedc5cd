"""Failures that a user can correct; each message says in one sentence what is wrong, what is allowed and what to do."""


class TransferkitError(Exception):
    """Something failed; the command line prints the message and exits with 1."""


class UsageError(TransferkitError, ValueError):
    """A value that the user gave does not exist or is not allowed; the command line exits with 2."""


class DataError(TransferkitError):
    """A prepared data set is missing or damaged, or does not fit its use."""


class StoreError(TransferkitError):
    """The work folder could not be read or written."""


class TrainingError(TransferkitError):
    """A network could not be trained, or a frozen layer has moved."""


class BatchError(TransferkitError):
    """Some notebooks of a batch did not run to their end."""


class GradingError(TransferkitError):
    """Some submissions of a class could not be graded."""


class MachineError(TransferkitError):
    """This machine lacks something that the library or the lessons need."""
