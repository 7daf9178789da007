"""Steady states: where a model rests for each set of parameters, and whether it would stay there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.errors import InputError, SimulationError
from bonesim.model.check import well_posed
from bonesim.model.clock import never_rests
from bonesim.model.ode import OdeModel
from bonesim.results.dataset import CONVENTIONS, RESERVED, check_names, flags
from bonesim.results.provenance import versions
from bonesim.results.species import Readings
from bonesim.simulate import Values, build_kernels, held_states, load_model, members, named, rows
from bonesim.solve.rest import Rest, Stability
from bonesim.solve.settings import Settings
from bonesim.solve.status import Status
from bonesim.solve.steady import find_rest
from bonesim.system import Batch

if TYPE_CHECKING:
    import xarray as xr

FOUND_BY = ("newton", "continuation")


def steady_state(
    model: OdeModel | str | Path,
    outputs: Sequence[str] | None = None,
    *,
    parameters: Mapping[str, Values] | None = None,
    initial: Mapping[str, Values] | None = None,
    guess: Mapping[str, Values] | None = None,
    hold: Sequence[str] = (),
    rtol: float = 1e-9,
    atol: float | None = None,
    backend: str = "numpy",
) -> xr.Dataset:
    """Where a model rests: states at which every rate is 0, searched from the initial values.

    Parameters
    ----------
    model : a model, the id of one of the library, or a file
    outputs : names of states, parameters or rules; by default all states
    parameters, initial : as for `simulate`, one number or one for each of n members; `initial` says how much there is
        of what is conserved
    guess : states from which the search begins, by name, where that is not at the initial values: of several rests the
        one near by is found, which need not be the one that the model comes to in time
    hold : states that stay at their initial values while the others come to rest, running totals for example
    rtol, atol : a point is at rest if no rate is larger than what it changes by when one state moves by its
        tolerance, atol + rtol |y|, and if Newton's next correction is within that tolerance too
    backend : as for `simulate`

    Events do not happen, the parameters are those of the start, and time stands still at 0: conditions on time are as
    they are then.

    Returns
    -------
    xarray.Dataset
        No dimension, or (member,) if any value was a sequence. Beside the outputs: `residual` (at most 1),
        `growth_rate` (largest real part of the Jacobian's eigenvalues, those of conserved totals left out),
        `stability` (stable; neutral: some disturbance, that of a conserved total for example, neither grows nor dies
        out; unstable), `stable`, `conserved` (how many totals), `found_by`, `status` and `cause`. A member without a
        rest is NaN.

    Raises
    ------
    InputError
        For an unknown name, values of different lengths, a model in which a rate changes with time itself, or one with
        constraints.
    SimulationError
        If the only member finds no rest.
    """
    if not isinstance(model, OdeModel):
        model = load_model(model)
    model.without_constraints("a steady state")
    names, symbols = named(model, outputs, "outputs")
    parameters, initial = rows(model, parameters or {}, "parameter"), rows(model, initial or {}, "state")
    near = rows(model, guess or {}, "state")
    held = held_states(model, hold)
    readings = Readings.of(model, names, symbols)
    kernels = build_kernels(model, [*symbols, *readings.varying], backend)
    batch, start = _starts(members(kernels, model, (0.0, 1.0), parameters, initial), model, near)
    settings = Settings(rtol=rtol, atol=atol)
    rest = find_rest(kernels, batch, settings, start, held)
    if rest.drifts.any():
        raise never_rests(well_posed(model))
    single = all(np.ndim(value) == 0 for value in (*parameters.values(), *initial.values(), *near.values()))
    how = {"backend": kernels.backend, "rtol": rtol}
    dataset = _dataset(model, names, symbols, rest, how)
    dataset = readings.added_to(dataset, batch.parameters, rest.observed[len(names) :])
    if single:
        dataset = dataset.isel(member=0, drop=True)
        if rest.cause:
            raise SimulationError(f"the model {rest.cause[0]}", status=Status(rest.status[0]), result=dataset)
    return dataset


def _starts(batch: Batch, model: OdeModel, guess: Mapping[str, np.ndarray]) -> tuple[Batch, np.ndarray]:
    """The batch, and (state, member) where the search begins; a guess for n members makes n of one."""
    counts = {len(value) for value in guess.values() if np.ndim(value)} | ({batch.members} - {1})
    if len(counts) > 1:
        raise InputError(
            f"values for {' and '.join(map(str, sorted(counts)))} members were given together",
            remedy="give each name one value, or one for each member",
        )
    count = counts.pop() if counts else 1
    if count > batch.members:
        p, y = (np.repeat(rows, count, axis=1) for rows in (batch.parameters, batch.initial))
        batch = replace(batch, parameters=p, initial=y)
    start = batch.initial.copy()
    for row, state in enumerate(model.states):
        if state.id in guess:
            start[row] = guess[state.id]
    return batch, start


def _dataset(
    model: OdeModel, names: Sequence[str], symbols: Sequence[str], rest: Rest, how: Mapping[str, Any]
) -> xr.Dataset:
    import xarray as xr

    found = _findings(rest, model.time_unit)
    check_names(names, (*RESERVED, *found))
    for name, symbol, values in zip(names, symbols, rest.observed[: len(names)], strict=True):
        quantity = model.by_id[symbol]
        attrs = {"units": quantity.unit or "dimensionless", "long_name": quantity.label or name, "role": "output"}
        found[name] = ("member", values, attrs)
    about = {
        "Conventions": CONVENTIONS,
        "title": model.name or model.id,
        "model": model.id,
        "model_hash": model.content_hash,
        "time_units": model.time_unit,
        "versions": json.dumps(versions()),
    }
    member = ("member", np.arange(len(rest.status)), {"long_name": "member of the run"})
    return xr.Dataset({name: found[name] for name in (*names, *found)}, {"member": member}, about | dict(how))


def _findings(rest: Rest, time_unit: str) -> dict[str, Any]:
    """What is known of the rests beside their values, as variables of a dataset."""
    character = rest.character
    stability = flags({code.value: code.name.lower() for code in Stability}, "what becomes of a small disturbance")
    status = flags({code.value: code.word for code in Status}, "how the search ended")
    cause = np.array([rest.cause.get(member, "") for member in range(len(rest.status))], dtype=object)
    growth = {"units": f"1/{time_unit}", "long_name": "fastest growth of a small disturbance"}
    residual = {"units": "dimensionless", "long_name": "rates that are left, over the tolerance"}
    return {
        "residual": ("member", rest.residual, residual),
        "growth_rate": ("member", character.growth, growth),
        "stability": ("member", character.stability, stability),
        "stable": ("member", character.stability == Stability.STABLE, {"long_name": "whether a disturbance dies out"}),
        "conserved": ("member", character.conserved, {"long_name": "number of conserved totals"}),
        "found_by": ("member", rest.followed.astype(np.int8), flags(dict(enumerate(FOUND_BY)), "how it was found")),
        "status": ("member", rest.status, status),
        "cause": ("member", cause, {"long_name": "why there is no rest"}),
    }
