"""What a caller may choose about the integration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonesim.errors import InputError, closest
from bonesim.solve.methods.rosenbrock import METHODS, RODAS5P, Rosenbrock


@dataclass(frozen=True)
class Settings:
    """Tolerances, method and limits.

    rtol : relative tolerance of each state and step
    atol : (state,) absolute tolerances in the states' units, one number for all, or None: derived for each
        member by `default_atol`
    method : `auto` (rodas5p) or the name of a method
    max_steps : steps, taken or refused, after which a member is given up; ten times as many with a queue of events
    seed : of the lots that decide between events that are due together with equal priority
    """

    rtol: float = 1e-6
    atol: np.ndarray | float | None = None
    method: str = "auto"
    max_steps: int = 100_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.rtol, float | int):
            raise InputError(f"rtol {self.rtol!r} is no number", remedy="e.g. 1e-6")
        if not 1e-13 <= self.rtol <= 0.1:
            raise InputError(f"rtol {self.rtol:g} is out of range", remedy="a value between 1e-13 and 0.1, e.g. 1e-6")
        if self.method not in {"auto", *METHODS}:
            raise InputError(f"unknown method '{self.method}'", remedy=closest(self.method, ["auto", *METHODS]))
        if not 1 <= self.max_steps < 2**31:
            raise InputError(f"max_steps {self.max_steps} is out of range", remedy="a positive whole number")
        if not isinstance(self.seed, int | np.integer) or self.seed < 0:
            raise InputError(f"seed {self.seed!r} is out of range", remedy="a whole number from 0 on")
        if self.atol is not None and not _sizes(self.atol):
            raise InputError("atol is negative or not a number", remedy="leave it out, or give positive numbers")

    @property
    def tableau(self) -> Rosenbrock:
        """The method to use."""
        return RODAS5P if self.method == "auto" else METHODS[self.method]


def check_threads(threads: int | None) -> None:
    """Raise InputError where no thread would do the work; None is for all processors."""
    if threads is not None and threads < 1:
        problem = f"threads {threads} is out of range"
        raise InputError(problem, remedy="1 or more; leave it out for all processors")


def _sizes(values: object) -> bool:
    """Whether all of some values are numbers of at least 0."""
    try:
        return bool(np.all(np.asarray(values, float) >= 0))
    except (TypeError, ValueError):
        return False


def default_atol(rtol: float, size: np.ndarray) -> np.ndarray:
    """(state, member) absolute tolerances: rtol times a thousandth of the size a state is known to have.

    `size` is (state, member). A state of unknown size (0: it starts empty) gets that of the smallest known one, so
    that it is resolved as soon as it matters. Each member's tolerances follow from its own values alone.
    """
    known = np.where(size > 0, size, np.inf)
    smallest = known.min(axis=0, initial=np.inf)
    smallest = np.where(np.isfinite(smallest), smallest, 1.0)
    return 1e-3 * rtol * np.where(size > 0, size, smallest)
