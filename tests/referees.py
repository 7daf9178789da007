"""libRoadRunner as a referee of models with events: the same from their Antimony text and from what we write."""

from __future__ import annotations

import numpy as np
import roadrunner
import xarray as xr

from bonesim.model.ode import OdeModel
from bonesim.sbml.antimony import antimony_to_sbml
from bonesim.sbml.read import read_sbml
from bonesim.sbml.write import write_sbml


def agrees(text: str, ode: OdeModel, ours: xr.Dataset, *, longest_step: float, least_size: float = 0.0) -> None:
    """Fail unless the written model reads back, and the engine has our courses of all symbols, text and written.

    A quantity may be off by 2e-6 of its largest size, or of `least_size`; steps of the engine are no longer than
    `longest_step`.
    """
    written = write_sbml(ode)
    assert read_sbml(written, file="m.xml").with_(id=ode.id) == ode
    times, symbols = ours["time"].values, [symbol.id for symbol in ode.symbols()]
    for sbml in (antimony_to_sbml(text, file="m.ant"), written):
        runner = roadrunner.RoadRunner(sbml)
        runner.integrator.absolute_tolerance = 1e-12
        runner.integrator.relative_tolerance = 1e-10
        runner.integrator.maximum_time_step = longest_step
        runner.timeCourseSelections = ["time", *symbols]
        theirs = np.array(runner.simulate(times[0], times[-1], len(times)))
        for column, symbol in enumerate(symbols, start=1):
            size = max(np.abs(theirs[:, column]).max(), least_size)
            np.testing.assert_allclose(ours[symbol].values, theirs[:, column], rtol=0, atol=2e-6 * size, err_msg=symbol)
