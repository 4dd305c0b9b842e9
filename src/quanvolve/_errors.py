"""The errors `quanvolve` raises on purpose.

Each message names what was given, what was expected and what to do. All of them are also `ValueError`s, so code
that knows nothing of this package can still catch them.
"""


class QuanvolveError(ValueError):
    """The base of every error raised on purpose by this package.

    Args:
        message: what is wrong; names of arguments stand in backquotes, with or without a value: `` `resume=True` ``.
        arguments: those of them that only the caller can spell: the command line writes them as its options.

    Examples:
        >>> error = QuanvolveError("nothing has begun there: leave out `resume`", arguments=("resume",))
        >>> str(error), error.arguments
        ('nothing has begun there: leave out `resume`', ('resume',))
    """

    def __init__(self, message: str = "", *, arguments: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.arguments = arguments


class CaptureError(QuanvolveError):
    """A circuit function that cannot be turned into a circuit description."""


class PlanError(QuanvolveError):
    """A circuit that a plan, or none of the plans, can evaluate."""


class NoPlanError(PlanError):
    """A circuit that none of the plans can evaluate."""


class DataError(QuanvolveError):
    """A data set or an input file that is missing, damaged or of the wrong form."""


class ModelError(QuanvolveError):
    """A saved model, run folder or checkpoint that is missing, damaged or foreign."""
