"""The story of `bonesim export`: a scenario or a model as one flat SBML file that other simulators run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bonesim.model.ode import OdeModel, Parameter
from bonesim.sbml.write import write_sbml
from bonesim.scenario.load import load_scenario
from bonesim.scenario.problem import DOSED, Problem
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.simulate import load_model


def export_sbml(source: Scenario | OdeModel | str | Path) -> str:
    """SBML Level 3 Version 2 of a scenario's dosed arm, doses and contexts as timed events, or of a model.

    Parameters
    ----------
    source
        A scenario, a model, the path of a scenario (`.yaml`, `.yml`), the id of a model of the library, or the path
        of a model file.

    Raises
    ------
    InputError
        If the source cannot be read or resolved.
    """
    return write_sbml(flat_model(source))


def flat_model(source: Scenario | OdeModel | str | Path) -> OdeModel:
    """The model that `export_sbml` writes. Parameters and errors as there."""
    if isinstance(source, OdeModel):
        return source
    if not isinstance(source, Scenario) and Path(source).suffix.lower() in {".yaml", ".yml"}:
        source = load_scenario(source)
    return _of_arm(resolve(source), DOSED) if isinstance(source, Scenario) else load_model(source)


def _of_arm(problem: Problem, arm: str) -> OdeModel:
    """The scenario's model with the values of one arm."""
    number = problem.arms.index(arm)

    def valued(parameter: Parameter) -> Parameter:
        values = problem.arm_values.get(parameter.id)
        return replace(parameter, value=values[number]) if values else parameter

    return problem.model.with_(name=problem.title, parameters=tuple(map(valued, problem.model.parameters)))
