"""The problems of `problems.yaml`, and what an engine is handed: one model, many members, the times to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from bonesim.export import flat_model
from bonesim.model.expr import Call, Expr, Num, Sym
from bonesim.model.ode import OdeModel, TimedEvent
from bonesim.resources import model_ids, scenario_files
from bonesim.simulate import build_kernels, load_model, members
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.yamlio import read

FILE = Path(__file__).with_name("problems.yaml")
OUTPUTS = 101
LOW, HIGH, SEED = 0.8, 1.25, 20240607
ATOL_OF_SIZE = 1e-3
"""Absolute tolerance of a state over rtol and the largest value it takes; the same for every engine."""


@dataclass(frozen=True)
class Bar:
    """A ratio to reach against libRoadRunner at an equal error, and one to hope for."""

    error: float
    backend: str
    bar: float
    goal: float | None = None


@dataclass(frozen=True)
class Problem:
    """A flat model with its doses as timed events, what varies between members, and the bars that are set for it.

    source : the library's id of the model without these doses; empty for a scenario
    """

    id: str
    title: str
    model: OdeModel
    end: float
    vary: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    source: str = ""

    @property
    def t_out(self) -> np.ndarray:
        """(time,) output times, from 0 to the end."""
        return np.linspace(0.0, self.end, OUTPUTS)

    @property
    def outputs(self) -> tuple[str, ...]:
        """All states: what the error is taken over."""
        return tuple(state.id for state in self.model.states)

    def values(self, count: int) -> dict[str, np.ndarray]:
        """Varied parameters of `count` members; the first members are the same for every count."""
        factors = np.random.default_rng(SEED).uniform(np.log(LOW), np.log(HIGH), (count, len(self.vary)))
        return {name: self._nominal(name) * np.exp(column) for name, column in zip(self.vary, factors.T, strict=True)}

    def task(self, count: int) -> Task:
        """The problem with `count` members, ready for any engine."""
        kernels = build_kernels(self.model, self.outputs, "numpy")
        batch = members(kernels, self.model, self.t_out, self.values(count))
        return Task(self, batch.parameters, batch.initial)

    @cached_property
    def sizes(self) -> np.ndarray:
        """(state,) the largest value each state of the nominal member takes at an output time; 1 where it stays 0."""
        kernels = build_kernels(self.model, self.outputs)
        solution = integrate(kernels, members(kernels, self.model, self.t_out, {}), Settings(rtol=1e-6), threads=1)
        size = np.abs(solution.y[:, :, 0]).max(axis=0)
        return np.where(size > 0, size, 1.0)

    def _nominal(self, name: str) -> float:
        return next(parameter.value for parameter in self.model.parameters if parameter.id == name)


@dataclass(frozen=True)
class Task:
    """A problem whose members are numbers. Plain data, so that it can be handed to another process.

    parameters : (parameter, member), computed ones included
    initial : (state, member)
    """

    problem: Problem
    parameters: np.ndarray
    initial: np.ndarray

    @property
    def model(self) -> OdeModel:
        """The flat model, doses as timed events."""
        return self.problem.model

    @property
    def t_out(self) -> np.ndarray:
        """(time,) output times."""
        return self.problem.t_out

    @property
    def sizes(self) -> np.ndarray:
        """(state,) what absolute tolerances are scaled by."""
        return self.problem.sizes

    @property
    def count(self) -> int:
        """How many members there are."""
        return int(self.initial.shape[1])

    def atol(self, rtol: float) -> np.ndarray:
        """(state,) absolute tolerances."""
        return ATOL_OF_SIZE * rtol * self.sizes

    def differing(self) -> tuple[list[str], np.ndarray]:
        """Names and values (name, member) of all that is not as the model itself has it, initial values included."""
        kernels = build_kernels(self.model, self.problem.outputs, "numpy")
        nominal = members(kernels, self.model, self.t_out, {})
        mine = np.concatenate([self.parameters, self.initial])
        theirs = np.concatenate([nominal.parameters, nominal.initial])
        rows = np.flatnonzero((mine != theirs).any(axis=1))
        names = [parameter.id for parameter in self.model.parameters] + list(self.problem.outputs)
        return [names[row] for row in rows], mine[rows]


def load_problems() -> tuple[dict[str, Problem], list[str]]:
    """Problems by id, and what is left out because this library lacks the model."""
    found, absent = {}, []
    for entry in read(FILE).data["problems"]:
        known = entry["model"] in model_ids() if "model" in entry else entry["scenario"] in _scenarios()
        if known:
            found[entry["id"]] = _problem(entry)
        else:
            absent.append(entry["id"])
    return found, absent


def _problem(entry: Mapping[str, Any]) -> Problem:
    model = load_model(entry["model"]) if "model" in entry else flat_model(_scenarios()[entry["scenario"]])
    jumps = tuple(_jump(number, jump) for number, jump in enumerate(entry.get("jumps", [])))
    start = {name: Num(float(value)) for name, value in entry.get("start", {}).items()}
    states = tuple(replace(state, initial=start.get(state.id, state.initial)) for state in model.states)
    return Problem(
        id=entry["id"],
        title=entry["title"],
        model=model.with_(states=states, events=(*model.events, *jumps)),
        end=float(entry["end"]),
        vary=tuple(entry["vary"]),
        bars=tuple(Bar(**bar) for bar in entry.get("bars", [])),
        source=entry.get("model", ""),
    )


def _jump(number: int, jump: Mapping[str, Any]) -> TimedEvent:
    """One entry of `jumps` as a timed event."""
    sets: list[tuple[str, Expr]] = [(name, Num(float(value))) for name, value in jump.get("set", {}).items()]
    adds: list[tuple[str, Expr]] = [
        (name, Call("add", (Sym(name), Num(float(value))))) for name, value in jump.get("add", {}).items()
    ]
    every = Num(float(jump["every"])) if "every" in jump else None
    changes = tuple(chain(sets, adds))
    return TimedEvent(f"jump_{number}", Num(float(jump["at"])), changes, every, int(jump.get("count", 1)))


def _scenarios() -> dict[str, Path]:
    return {file.stem: file for file in scenario_files()}
