"""How a member ended. A numerical outcome is a value, not an exception."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The end of one member; `text` says what happened and what to try."""

    OK = 0
    STEP_TOO_SMALL = 1
    TOO_MANY_STEPS = 2
    NOT_FINITE_AT_START = 3
    ENDED_BY_EVENT = 4
    EVENTS_WITHOUT_END = 5
    NO_REST = 6
    NO_CONSISTENT_START = 7
    UNDEFINED_EVENT = 8

    @property
    def word(self) -> str:
        """The name used in files: `ok`, `step_too_small`, ..."""
        return self.name.lower()

    @property
    def arrived(self) -> bool:
        """Whether the member came to its end as the model has it: this is no failure."""
        return self in {Status.OK, Status.ENDED_BY_EVENT}

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
    Status.ENDED_BY_EVENT: "an event of the model that ends the simulation",
    Status.EVENTS_WITHOUT_END: "events set each other off at one time without end; "
    "let what an event sets not bring its own trigger from true to false and back",
    Status.NO_REST: "no steady state was found; a quantity may grow without end or swing for ever, "
    "try another guess, or simulate for a long time and look",
    Status.NO_CONSISTENT_START: "the constraints could not be made to hold, or fast reactions came to no rest, at the "
    "start or after an event; try a first guess nearer to a solution, or look whether there is one (two constraints "
    "that say the same?)",
    Status.UNDEFINED_EVENT: "the delay of an event was negative or not a number, or its priority was not a number; "
    "look what it is computed from",
}


def told(status: Status, t: float, time_unit: str, detail: str) -> str:
    """The cause for which a member ended early, in one line."""
    return f"stopped at t = {t:.6g} {time_unit}: {status.word} ({detail}); {status.text}"
