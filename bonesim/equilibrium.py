"""Bringing the members of a batch to rest before a simulation begins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from bonesim.model.check import well_posed
from bonesim.model.clock import never_rests
from bonesim.model.ode import OdeModel
from bonesim.model.past import without_delays
from bonesim.solve.rest import Rest
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.steady import relax
from bonesim.system import Batch, Kernels

CLOSER = 1e-3
"""The tolerance of the rest over that of the simulation, so that what is left of the way is not seen in it."""

CLOSEST = 1e-12


def closer(settings: Settings) -> Settings:
    """Settings with which the rest before a simulation is found."""
    rtol = max(CLOSER * settings.rtol, min(CLOSEST, settings.rtol))
    return replace(
        settings, rtol=rtol, atol=None if settings.atol is None else np.asarray(settings.atol) * (rtol / settings.rtol)
    )


def equilibrated(
    model: OdeModel, kernels: Kernels, batch: Batch, settings: Settings, held: Collection[str] = ()
) -> tuple[Batch, Rest]:
    """The batch with each member at the rest it comes to from its initial values; NaN where there is none.

    States that are `held` stay at their initial values.

    Raises
    ------
    InputError
        If what rests now will not, since a rate changes with time itself, or if constraints determine a state.
    UnsupportedModelError
        If the model has delayed values: the way to a rest is another with them.
    """
    without_delays(model.without_constraints("a steady state"), "a start from rest")
    rest = relax(kernels, batch, closer(settings), held)
    if rest.drifts.any():
        raise never_rests(well_posed(model))
    return replace(batch, initial=rest.y), rest


def blame(solution: Solution, rest: Rest) -> None:
    """Members that found no rest say so, in place of the NaN with which they began."""
    for member in np.flatnonzero(rest.status):
        solution.status[member] = rest.status[member]
        solution.cause[int(member)] = rest.cause[int(member)]
