"""The story of `bonesim verify`: what papers print, and what other engines make of our equations, against ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from bonesim.compose.card import Card, Conditions, Published, load_card
from bonesim.errors import InputError, Place, closest
from bonesim.experiment import experiment, reproduced
from bonesim.referee import REFEREES, NoAnswer, Question, Referee
from bonesim.resources import model_ids
from bonesim.sbml.write import write_sbml
from bonesim.simulate import simulate
from bonesim.solve.settings import default_atol

AGREES = 1e-6
"""By how much an engine may differ, over the largest value of a quantity."""

RTOL = 1e-12
"""At which both are asked: a relaxation oscillation makes ten thousand times as much of an error in two turns."""

STEPS = 10_000_000
"""Enough for pulses every day at that tolerance."""

INTERVALS, SHORT_OF = 100, 0.99731
"""Equal intervals of the comparison, and the part of the horizon they take: engines differ in whether an output at the
time of a dose comes before it or after, and these times are no whole days."""

HORIZON = 100.0
"""In the model's unit of time, of a model whose card names no time."""


@dataclass(frozen=True)
class Check:
    """One comparison; for an engine at the place where it lies farthest from ours."""

    model: str
    quantity: str
    published: float | None
    ours: float | None
    tolerance: float
    source: str
    kind: Literal["published", "engine"]
    passed: bool

    def document(self) -> dict[str, Any]:
        """The row as JSON values."""
        return asdict(self)


def verify(models: Sequence[str] | None = None, *, engines: bool = True) -> list[Check]:
    """Every published value of the models, then each engine that is installed under each set of conditions.

    Parameters
    ----------
    models
        Ids of the library; all of them where there are none.
    engines
        Whether to ask other engines.

    Raises
    ------
    InputError
        If the library has no such model; before anything is computed.
    """
    known = model_ids()
    if unknown := [one for one in models or () if one not in known]:
        place = Place(key="models")
        errors = [InputError(f"no model '{one}'", place=place, remedy=closest(one, known)) for one in unknown]
        raise InputError.together(errors)
    referees = [one for one in REFEREES if engines and one.version]
    return [check for model_id in models or known for check in _checks(model_id, referees)]


def _checks(model_id: str, referees: Sequence[Referee]) -> Iterator[Check]:
    card = load_card(model_id)
    runs = [_ours(model_id, *one) for one in _experiments(card)] if referees else []
    with ThreadPoolExecutor(max_workers=max(1, len(referees))) as pool:
        asked = [pool.submit(referee.courses, [run.question for run in runs]) for referee in referees]
        values = reproduced(model_id, card.published)
    yield from (_published(model_id, row, ours) for row, ours in zip(card.published, values, strict=True))
    answers = [one.result() for one in asked]
    for number, run in enumerate(runs):
        for referee, courses in zip(referees, answers, strict=True):
            yield _engine(model_id, run, f"{referee.name} {referee.version}", courses[number])


def _experiments(card: Card) -> list[tuple[str, Conditions, float]]:
    """Each set of conditions that a card names, once, with a label and the longest time that it is asked for."""
    named: list[tuple[str, Conditions, float]] = [(row.quantity, row, row.time or 0.0) for row in card.published]
    for figure in card.figures:
        named += [(": ".join(filter(None, (figure.id, run.label))), run, figure.until) for run in figure.runs]
    found: dict[str, tuple[str, Conditions, float]] = {}
    for label, conditions, end in named:
        bare = conditions.conditions
        label, _, longest = found.setdefault(bare.model_dump_json(), (label, bare, 0.0))
        found[bare.model_dump_json()] = label, bare, max(longest, end)
    return [(label, bare, end or HORIZON) for label, bare, end in found.values()]


def _published(model_id: str, row: Published, ours: float) -> Check:
    passed = abs(ours - row.value) <= max(row.absolute, row.tolerance * abs(row.value))
    measure = "" if row.measure == "value" else f", {row.measure.replace('_', ' ')} until"
    quantity = f"{row.quantity}{measure}, {row.at.replace('_', ' ')}"
    return Check(model_id, quantity, row.value, ours, row.tolerance, row.source, "published", passed)


@dataclass(frozen=True)
class _Run:
    """Our courses under a set of conditions, (time, state), and what asks an engine for the same."""

    label: str
    time_unit: str
    times: np.ndarray
    courses: np.ndarray
    question: Question


def _ours(model_id: str, label: str, conditions: Conditions, end: float) -> _Run:
    model = experiment(model_id, conditions)
    names = tuple(state.id for state in model.states)
    times = np.linspace(0.0, SHORT_OF * end, INTERVALS + 1)
    result = simulate(model, times, names, rtol=RTOL, max_steps=STEPS)
    courses = np.stack([result[name].values for name in names], axis=1)
    size = np.max(np.abs(courses), axis=0)
    atol = default_atol(RTOL, np.minimum(size, 1.0))  # below the seed of what grows from nearly nothing
    question = Question(write_sbml(model), INTERVALS, float(times[-1]), names, RTOL, tuple(atol.tolist()))
    return _Run(label, model.time_unit, times, courses, question)


def _engine(model_id: str, run: _Run, engine: str, theirs: np.ndarray | NoAnswer) -> Check:
    if isinstance(theirs, NoAnswer):
        return Check(model_id, run.label, None, None, AGREES, f"{engine}: {theirs}", "engine", False)
    size = np.max(np.abs(run.courses), axis=0)
    # The first time is left out: engines write doses at 0 before or after them.
    apart = np.abs(run.courses - theirs)[1:] / np.where(size > 0, size, 1.0)
    time, state = np.unravel_index(int(np.argmax(np.where(np.isnan(apart), np.inf, apart))), apart.shape)
    quantity = f"{run.label}: {run.question.names[state]}, {run.time_unit} {run.times[time + 1]:.4g}"
    passed = bool(apart[time, state] <= AGREES)
    values = float(theirs[time + 1, state]), float(run.courses[time + 1, state])
    return Check(model_id, quantity, *values, AGREES, engine, "engine", passed)
