"""Failures that a user can mend, each told in one sentence: the bad value, what is allowed, what to do."""


class TransferkitError(Exception):
    """Something failed; the command line prints the sentence and exits with 1."""


class UsageError(TransferkitError, ValueError):
    """A value that was asked for does not exist or is not allowed; the command line exits with 2."""


class DataError(TransferkitError):
    """A prepared data set is missing, damaged or does not fit what was asked of it."""


class StoreError(TransferkitError):
    """The work folder could not be read or written."""


class TrainingError(TransferkitError):
    """A network could not be trained, or what was frozen has moved."""


class BatchError(TransferkitError):
    """Notebooks of a batch did not run to their end."""


class GradingError(TransferkitError):
    """Submissions of a class could not be graded."""


class MachineError(TransferkitError):
    """This machine lacks something that the library or the lessons need."""
