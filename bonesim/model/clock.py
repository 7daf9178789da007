"""Which equation makes rates follow the clock, where they do."""

from __future__ import annotations

from bonesim.errors import InputError
from bonesim.model.expr import TIME, walk
from bonesim.model.ode import OdeModel
from bonesim.model.smooth import read_by_rates


def never_rests(model: OdeModel) -> InputError:
    """The error that names the equation of time itself on which a rate rests; rules stand in order of use."""
    what, _, origin = next(read for read in read_by_rates(model) if TIME in walk(read[1]))
    return InputError(
        f"the model never rests: {what} depends on time itself",
        place=origin.place,
        remedy="put a constant in the place of time, or simulate for as long as it matters",
    )
