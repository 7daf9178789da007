"""How a member ended. A numerical outcome is a value, not an exception."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The end of one member; `text` says what happened and what to try."""

    OK = 0
    STEP_TOO_SMALL = 1
    TOO_MANY_STEPS = 2
    NOT_FINITE_AT_START = 3

    @property
    def word(self) -> str:
        """The name used in files: `ok`, `step_too_small`, ..."""
        return self.name.lower()

    @property
    def text(self) -> str:
        """What happened, and what to try."""
        return _TEXTS[self]


_TEXTS = {
    Status.OK: "reached the end",
    Status.STEP_TOO_SMALL: "the step size fell to rounding level; the equations may have a singularity there, "
    "try another parameter value or a larger rtol",
    Status.TOO_MANY_STEPS: "the step limit was reached; try a larger solver.max_steps or a larger rtol",
    Status.NOT_FINITE_AT_START: "a value or a rate was infinite or not a number at the start or after an event; "
    "try other initial values or parameters (a zero in a denominator?)",
}
