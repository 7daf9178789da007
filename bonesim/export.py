"""The story of `bonesim export`: a scenario or a model as a file that other simulators run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bonesim.compose.card import load_card
from bonesim.model.ode import OdeModel, Parameter
from bonesim.resources import model_ids
from bonesim.results.provenance import versions
from bonesim.sbml.antimony_write import write_antimony
from bonesim.sbml.build import initial_values
from bonesim.sbml.omex import SBML, SEDML, YAML, Entry, write_omex
from bonesim.sbml.sedml import Course, write_sedml
from bonesim.sbml.write import write_sbml
from bonesim.scenario.load import load_scenario
from bonesim.scenario.problem import DOSED, Problem
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.simulate import load_model
from bonesim.solve.settings import Settings, default_atol

Source: TypeAlias = Scenario | OdeModel | str | Path
"""A scenario, a model, the path of a scenario (`.yaml`, `.yml`), the id of a model of the library, or a model file."""

HORIZON, POINTS = 100.0, 1000
"""Time that a model without a scenario is solved for, in its own unit, and intervals of its output."""


def export_sbml(source: Source) -> str:
    """SBML Level 3 Version 2 of a scenario's dosed arm, doses and contexts as timed events, or of a model.

    Raises
    ------
    InputError
        If the source cannot be read or resolved.
    """
    return write_sbml(flat_model(source))


def export_antimony(source: Source) -> str:
    """The same as Antimony text. Errors as there, and InputError for what Antimony has no words for."""
    return write_antimony(flat_model(source))


def export_omex(source: Source) -> bytes:
    """A COMBINE archive: the SBML, a SED-ML file that solves it as `bonesim run` would, and the scenario.

    Of a model alone all states are reported, until the longest time that its card names. Errors as in `export_sbml`.
    """
    source = _loaded(source)
    if isinstance(source, OdeModel):
        model = source
        end, points, rtol = _horizon(model.id), POINTS, Settings().rtol
        shown = [(state.id, state.label or state.id) for state in model.states]
        entries = []
    else:
        problem = resolve(source)
        model = _of_arm(problem, DOSED)
        end, points, rtol = problem.t_out[-1], len(problem.t_out) - 1, problem.solver.get("rtol", Settings().rtol)
        shown = [(one.symbol, one.label) for one in problem.outputs if one.role == "output"]
        entries = [Entry("scenario.yaml", YAML, problem.scenario_text)]
    course = Course(end, points, shown, rtol, _atol(model, rtol))
    entries = [
        Entry("model.xml", SBML, write_sbml(model)),
        Entry("simulation.sedml", SEDML, write_sedml("model.xml", course), master=True),
        *entries,
    ]
    return write_omex(entries, model.name or model.id, {"creator": f"bonesim {versions(['bonesim'])['bonesim']}"})


def flat_model(source: Source) -> OdeModel:
    """The model that `export_sbml` writes. Errors as there."""
    source = _loaded(source)
    return source if isinstance(source, OdeModel) else _of_arm(resolve(source), DOSED)


def _loaded(source: Source) -> Scenario | OdeModel:
    if isinstance(source, Scenario | OdeModel):
        return source
    return load_scenario(source) if Path(source).suffix.lower() in {".yaml", ".yml"} else load_model(source)


def _horizon(model_id: str) -> float:
    """The longest time that the card of a model names."""
    if model_id not in model_ids():
        return HORIZON
    card = load_card(model_id)
    return max([row.time or 0.0 for row in card.published] + [figure.until for figure in card.figures]) or HORIZON


def _atol(model: OdeModel, rtol: float) -> float:
    """The least of the tolerances that states have here, since SED-ML has one for all."""
    values = initial_values(model)
    size = np.abs([values[state.id] for state in model.states])
    return float(np.min(default_atol(rtol, np.where(np.isfinite(size), size, 0.0)), initial=1.0))


def _of_arm(problem: Problem, arm: str) -> OdeModel:
    """The scenario's model with the values of one arm."""
    number = problem.arms.index(arm)

    def valued(parameter: Parameter) -> Parameter:
        values = problem.arm_values.get(parameter.id)
        return replace(parameter, value=values[number]) if values else parameter

    return problem.model.with_(name=problem.title, parameters=tuple(map(valued, problem.model.parameters)))
