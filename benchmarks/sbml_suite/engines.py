"""The engines that are put to the test, each a function from a case to its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

import bonesim
from benchmarks.sbml_suite.cases import Case, Settings


class Refused(Exception):
    """The engine says that it does not do what the model asks for."""


@dataclass(frozen=True)
class Options:
    """How to solve: tolerance (each engine's own where there is none) and, of ours, the back end."""

    rtol: float | None = None
    backend: str = "auto"


Ask: TypeAlias = Callable[[Case, Settings, Options], np.ndarray]
"""(time, name) values of a case's variables; raises Refused, or whatever the engine raises."""


def ours(case: Case, settings: Settings, options: Options) -> np.ndarray:
    """bonesim: load the file, simulate, and read amounts and concentrations as the case asks."""
    tolerance = {} if options.rtol is None else {"rtol": options.rtol}
    try:
        model = bonesim.load_model(case.model)
    except bonesim.UnsupportedModelError as error:
        raise Refused(str(error)) from error
    result = bonesim.simulate(model, settings.times, settings.names, backend=options.backend, **tolerance)

    def read(name: str) -> np.ndarray:
        if name in settings.amounts:
            return bonesim.amount(result, name).values
        return (bonesim.concentration(result, name) if name in settings.concentrations else result[name]).values

    return np.stack([read(name) for name in settings.names], axis=1)


def libroadrunner(case: Case, settings: Settings, options: Options) -> np.ndarray:
    """libRoadRunner with CVODE, its absolute tolerance a thousandth of the relative one."""
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    try:
        engine = roadrunner.RoadRunner(str(case.model))
    except RuntimeError as error:
        if str(error).startswith("Unable to support"):
            raise Refused(str(error)) from error
        raise
    if options.rtol is not None:
        engine.integrator.relative_tolerance = options.rtol
        engine.integrator.absolute_tolerance = 1e-3 * options.rtol
    chosen = [f"[{name}]" if name in settings.concentrations else name for name in settings.names]
    engine.timeCourseSelections = ["time", *chosen]
    times = settings.times
    return np.array(engine.simulate(times[0], times[-1], len(times)))[:, 1:]


ENGINES: Mapping[str, Ask] = {"bonesim": ours, "libroadrunner": libroadrunner}
