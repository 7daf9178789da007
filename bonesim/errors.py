"""Every error that bonesim raises on purpose.

    BonesimError                  exit code 1
    |-- InputError                exit code 2; says what is wrong, where it stands, what to do instead
    |   `-- UnsupportedModelError a construct of a model that we do not do, by name
    |-- SimulationError           exit code 3; carries the status and the partial result
    `-- InternalError             exit code 1; a promise of ours is broken (a gap in the dose ledger)

A message is `file:line: key: problem`, with `  try: remedy` on the next line; parts that are not known are left out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

LISTED = 12
"""How many known names a remedy shows at most."""

SHORTEST = 3
"""How many characters a user's text has at least that is looked for inside known names."""

CLIPPED = 60
"""How many characters of a user's text a message quotes at most."""


@dataclass(frozen=True)
class Place:
    """Where something stands; prints as `file:line: key`, with only the parts that are known.

    Parameters
    ----------
    file
        Path as the user gave it.
    line
        Line in that file, counted from 1.
    key
        Dotted path inside the document, such as `doses[0].amount`.
    """

    file: str | None = None
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        line = None if self.line is None else str(self.line) if self.file else f"line {self.line}"
        head = ":".join(part for part in (self.file, line) if part)
        return ": ".join(part for part in (head, self.key) if part)


class BonesimError(Exception):
    """Whatever bonesim raises on purpose; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 1


class InputError(BonesimError, ValueError):
    """What is wrong, where it stands, and what to do instead.

    It is a `ValueError` too, so that a schema may raise it while checking a field.
    """

    exit_code = 2

    def __init__(self, problem: str, *, place: Place | None = None, remedy: str | None = None) -> None:
        self.problem = problem
        self.place = place
        self.remedy = remedy
        self._parts: tuple[InputError, ...] = ()
        super().__init__(problem)

    def __str__(self) -> str:
        where = str(self.place) if self.place else ""
        head = f"{where}: {self.problem}" if where else self.problem
        return f"{head}\n  try: {self.remedy}" if self.remedy else head

    @property
    def parts(self) -> tuple[InputError, ...]:
        """The single errors that this one joins; of a single error, itself."""
        return self._parts or (self,)

    @staticmethod
    def together(errors: Sequence[InputError]) -> InputError:
        """One error that prints all of `errors`, one after the other; a single one is returned unchanged.

        The class is that of the parts where they all share it, so that a model refused for two reasons is still
        an `UnsupportedModelError`.

        Raises
        ------
        ValueError
            If there is no error to join.
        """
        parts = tuple(part for error in errors for part in error.parts)
        if not parts:
            raise ValueError("there is no error to join")
        if len(parts) == 1:
            return parts[0]
        shared = {type(part) for part in parts}
        joined = (shared.pop() if len(shared) == 1 else InputError)("\n".join(map(str, parts)))
        joined._parts = parts
        return joined


class UnsupportedModelError(InputError):
    """A construct of a model that bonesim refuses; the problem names it."""


class SimulationError(BonesimError):
    """A run that did not reach its end.

    Parameters
    ----------
    message
        What stopped, when and why.
    status
        The `solve.status.Status` of the failed member.
    result
        The dataset up to the failure, NaN afterwards.
    """

    exit_code = 3

    def __init__(self, message: str, *, status: IntEnum | None = None, result: Any = None) -> None:
        self.status = status
        self.result = result
        super().__init__(message)


class InternalError(BonesimError):
    """A fault of bonesim itself, never of the input."""


def closest(word: str, known: Iterable[str]) -> str:
    """The remedy for an unknown name: the nearest known one, those that contain it, or else all that is known.

    Capital letters do not count as a difference, so `obp` finds `OBp`.
    """
    names = list(dict.fromkeys(known))
    if not names:
        return "leave it out; no name is known here"
    folded = {name.casefold(): name for name in reversed(names)}
    near = difflib.get_close_matches(word[:CLIPPED].casefold(), folded, n=1)
    if near:
        return f"did you mean '{folded[near[0]]}'?"
    if len(word) >= SHORTEST and (holding := [name for name in names if word.casefold() in name.casefold()]):
        if len(holding) == 1:
            return f"did you mean '{holding[0]}'?"
        names = holding
    more = f", ... ({len(names)} in all)" if len(names) > LISTED else ""
    return f"one of {', '.join(names[:LISTED])}{more}"


def quoted(text: str) -> str:
    """A user's text in single quotes for a message, on one line and not longer than a line."""
    line = "".join(c if c.isprintable() else "?" for c in text)
    return f"'{line}'" if len(line) <= CLIPPED else f"'{line[: CLIPPED - 3]}...'"
