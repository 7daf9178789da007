"""Plain simulation of a model: one parameter set or a batch of them, on the same path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.accuracy import error_estimates, with_estimates
from bonesim.equilibrium import blame, equilibrated
from bonesim.errors import InputError, Place, SimulationError, closest
from bonesim.model.ode import OdeModel, Parameter, State
from bonesim.model.past import has_delays
from bonesim.resources import model_ids
from bonesim.results.species import Readings
from bonesim.sbml.library import read_library_model
from bonesim.sensitivity import Asked
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.system import Batch, Kernels

if TYPE_CHECKING:
    import xarray as xr

BACKENDS = ("numpy", "llvm")
Values = float | Sequence[float] | np.ndarray

LATEST, SHORTEST, SHORTEST_SHARE = 1e300, 1e-270, 1e-12
"""Times of a simulation, in size, and the least it may take, by itself and over its latest time.

So a first step, 1e-26 of the whole, and the reciprocals of steps are numbers, and the smallest step, 1e-14 of the time
at which it is taken (`solve.controller`), is a hundredth of the whole at most.
"""


def load_model(source: str | Path) -> OdeModel:
    """A model of the library by its id, or one from an SBML or Antimony file.

    Raises
    ------
    InputError
        If there is no such model or file, or the file cannot be read as a model.
    UnsupportedModelError
        If the file uses a part of SBML that is not supported; the construct is named with its place.
    """
    text = str(source)
    if text in model_ids():
        return read_library_model(text)
    if not Path(source).suffix and not Path(source).exists():
        raise InputError(f"the library has no model '{text}'", remedy=closest(text, model_ids()))
    from bonesim.sbml.read import read_model

    return read_model(Path(source))


def simulate(
    model: OdeModel | str | Path,
    times: Sequence[float] | np.ndarray,
    outputs: Sequence[str] | None = None,
    *,
    parameters: Mapping[str, Values] | None = None,
    initial: Mapping[str, Values] | None = None,
    rtol: float = 1e-6,
    atol: float | None = None,
    method: str = "auto",
    max_steps: int = 100_000,
    backend: str = "auto",
    threads: int | None = None,
    equilibrate: bool = False,
    hold: Sequence[str] = (),
    sensitivities: Sequence[str] = (),
    accuracy: bool = False,
    seed: int = 0,
) -> xr.Dataset:
    """Solve a model over `times`.

    Parameters
    ----------
    model : a model, the id of one of the library, or a file
    times : (time,) increasing, in the model's own time unit; the first is the start. One that is there twice gives the
        values before the events of that time, then those after; once, those after
    outputs : names of states, parameters or rules; by default all states
    parameters : values by name, one number or one for each of n members, as if edited in the model before
        initialisation (initial assignments follow from them)
    initial : initial values of states by name, one number or n; they win last
    rtol, atol : tolerances; without `atol` each state has its own, from its size
    method : `auto`, `rodas5p`, `rodas4` or `rodas4p`
    max_steps : steps, taken or refused, after which a member is given up; ten times as many with a queue of events
    backend : `auto`, `llvm` or `numpy`
    threads : how many share the members of a large batch; by default one for each processor
    equilibrate : start from the rest that each member comes to from its initial values, without events and with time
        standing still at the start; these then say only which rest that is, and how much there is of what is conserved
    hold : states that stay at their initial values while the others come to rest, running totals for example
    sensitivities : names of parameters, and of states whose initial value is meant, by which to differentiate
    accuracy : solve again with a hundredth of `rtol`, and keep the largest difference of each output, over its
        largest size, as its attribute `error_estimate`
    seed : of the lots that decide which of several events of one priority happens first; each member draws its own, by
        its number

    Timed events of the model that lie before the first of `times` do not happen: the initial values hold there.

    Returns
    -------
    xarray.Dataset
        Dimensions (time,), or (member, time) if any value was a sequence. `status` says how each member ended;
        a member that failed is NaN from its end on. With `sensitivities`, `NAME_sensitivity` of each output has the
        dimensions (parameter, time) or (parameter, member, time).

    Raises
    ------
    InputError
        For an unknown name, values of different lengths, or times that do not increase, or that no steps lead to.
    UnsupportedModelError
        If sensitivities are asked for across a jump of the rates that a state meets.
    SimulationError
        If the only member of a plain simulation fails; it carries status and the partial result.
    """
    if not isinstance(model, OdeModel):
        model = load_model(model)
    names, symbols = named(model, outputs, "outputs")
    held = held_states(model, hold)
    if held and not equilibrate:
        problem = "states are held while a model comes to rest, so this would change nothing"
        raise InputError(problem, place=Place(key="hold"), remedy="leave it out, or equilibrate=True")
    parameters, initial = rows(model, parameters or {}, "parameter"), rows(model, initial or {}, "state")
    single = all(np.ndim(value) == 0 for value in (*parameters.values(), *initial.values()))
    settings = Settings(rtol=rtol, atol=atol, method=method, max_steps=max_steps, seed=seed)
    asked = Asked.of(model, named(model, sensitivities, "sensitivities")[0], symbols) if len(sensitivities) else None
    solved = asked.found.model if asked else model
    readings = Readings.of(solved, names, symbols)
    beside = [*readings.varying, *(asked.observables if asked else ())]
    kernels = build_kernels(solved, [*symbols, *beside], backend, method)
    batch = members(kernels, solved, times, parameters, {**initial, **(asked.initial(initial) if asked else {})})
    rest = None
    if equilibrate:
        near = asked.settings(kernels, batch, settings) if asked else settings
        batch, rest = equilibrated(solved, kernels, batch, near, asked.beside(held) if asked else held)
    if asked:
        settings = asked.settings(kernels, batch, settings)
    from bonesim.results.provenance import how_solved

    solution = integrate(kernels, batch, settings, threads=threads)
    if rest:
        blame(solution, rest)
    dataset = _dataset(model, names, kernels, solution, single, how_solved(kernels, settings, solution))
    sizes, slopes = np.split(solution.y[:, len(names) :], [len(readings.varying)], axis=1)
    dataset = readings.added_to(dataset, batch.parameters, sizes.transpose(1, 2, 0))
    if asked:
        dataset = asked.added_to(dataset, names, slopes, single)
    if accuracy:
        dataset = with_estimates(dataset, names, error_estimates(kernels, batch, settings, solution, threads), settings)
    if single and not solution.ok:
        raise SimulationError(f"the simulation {solution.cause[0]}", status=Status(solution.status[0]), result=dataset)
    return dataset


def named(model: OdeModel, names: Sequence[str] | None, what: str) -> tuple[tuple[str, ...], list[str]]:
    """Names that were asked for, and their ids; where there are none all states, for amounts their concentrations."""
    if isinstance(names, str):
        raise InputError(f"{what} is one text", place=Place(key=what), remedy=f"a list, e.g. ['{names}']")
    if names is None:
        read = {one.amount: one.id for one in model.species if one.amount}
        names = [read.get(state.id, state.id) for state in model.states]
    chosen = tuple(names)
    return chosen, [model.resolve(name) for name in chosen]


def held_states(model: OdeModel, names: Sequence[str]) -> list[str]:
    """Ids of states that are held."""
    _, ids = named(model, names, "hold")
    for name, symbol in zip(names, ids, strict=True):
        if not isinstance(model.by_id[symbol], State):
            remedy = closest(name, sorted(state.id for state in model.states))
            raise InputError(f"'{name}' is no state of the model", place=Place(key="hold"), remedy=remedy)
    return ids


def build_kernels(model: OdeModel, observables: Sequence[str], backend: str = "auto", method: str = "auto") -> Kernels:
    """Kernels of a model by the named back end for one method.

    `auto` is `llvm` where llvmlite is installed and the model has neither delayed values nor events that wait in a
    queue, else `numpy`; never a question of how many members there are.
    """
    if backend not in {"auto", *BACKENDS}:
        raise InputError(f"unknown back end '{backend}'", remedy=closest(backend, ["auto", *BACKENDS]))
    plain_only = _plain_only(model)
    if plain_only and backend == "llvm":
        raise InputError(plain_only, place=Place(key="backend"), remedy="leave it out, or numpy")
    if backend == "numpy" or plain_only or find_spec("llvmlite") is None:
        from bonesim.codegen.backends import numpy

        return numpy.build(model, observables)
    from bonesim.codegen.backends import llvm

    return llvm.build(model, observables, Settings(method=method).tableau)


def _plain_only(model: OdeModel) -> str:
    """Why only the loop in NumPy solves a model; empty where both do."""
    if model.queued:
        event = next(event for event in model.state_events if event.waits)
        return f"the back end llvm has no queue, in which event '{event.id}' waits"
    return "the back end llvm knows no delayed values, which the model has" if has_delays(model) else ""


def members(
    kernels: Kernels,
    model: OdeModel,
    times: Sequence[float] | np.ndarray,
    parameters: Mapping[str, Values],
    initial: Mapping[str, Values] | None = None,
) -> Batch:
    """The batch in which each member has its own parameters and initial values; scalars hold for all members."""
    t_out = _times(times)
    given = {**rows(model, parameters, "parameter"), **rows(model, initial or {}, "state")}
    lengths = {len(np.atleast_1d(value)) for value in given.values() if np.ndim(value)}
    if len(lengths) > 1:
        raise InputError(
            f"values for {' and '.join(map(str, sorted(lengths)))} members were given together",
            remedy="give each name one value, or one for each member",
        )
    count = lengths.pop() if lengths else 1
    p = np.empty((len(model.parameters), count))
    for row, parameter in enumerate(model.parameters):
        p[row] = given.get(parameter.id, parameter.value)
    y = np.empty((len(model.states), count))
    with np.errstate(all="ignore"):
        kernels.functions.initialise(p, y)
    for row, state in enumerate(model.states):
        if state.id in given:
            y[row] = given[state.id]
    return Batch(p, y, t_out)


def _times(times: Sequence[float] | np.ndarray) -> np.ndarray:
    t_out = _numbers(times)
    good = t_out is not None and t_out.ndim == 1 and len(t_out) > 1
    if t_out is None or not good or not np.all(np.isfinite(t_out)) or not _increase(t_out):
        problem = "times must be two or more finite numbers that increase, each at most twice"
        raise InputError(problem, place=Place(key="times"), remedy="e.g. range(101)")
    start, end = t_out[0].item(), t_out[-1].item()
    latest = max(-start, end)
    if latest > LATEST or end - start < max(SHORTEST, SHORTEST_SHARE * latest):
        problem = f"no steps lead from {start} to {end}, which is too far or too near for numbers"
        raise InputError(problem, place=Place(key="times"), remedy="begin at 0, or count in another unit of time")
    return t_out


def _increase(times: np.ndarray) -> bool:
    """Whether times never fall, the last lies behind the first, and none is there three times."""
    return bool(np.all(times[1:] >= times[:-1]) and np.all(times[2:] > times[:-2]) and times[-1] > times[0])


def rows(model: OdeModel, values: Mapping[str, Values], kind: str) -> dict[str, np.ndarray]:
    """Values by flat id; every name must be one that may be set."""
    symbols: tuple[Parameter | State, ...] = model.parameters if kind == "parameter" else model.states
    wanted = {symbol.id: symbol for symbol in symbols}
    rows = {}
    for name, value in values.items():
        symbol = model.resolve(name)
        amount = next((one.amount for one in model.species if one.id == symbol), None)
        if amount is not None:
            problem = (
                f"'{name}' is a concentration where the size of the compartment changes, so its amount is set instead"
            )
            raise InputError(
                problem, remedy=f"set '{model.public_name(amount)}', which is the concentration times the size"
            )
        if symbol not in wanted:
            raise InputError(f"'{name}' is no {kind} of the model", remedy=closest(name, sorted(wanted)))
        found = wanted[symbol]
        if isinstance(found, State) and found.fast is not None:
            problem = f"'{name}' follows fast reactions, so that an initial value alone would change nothing"
            raise InputError(problem, remedy="set the totals that they leave as they are, or the values in the file")
        if isinstance(found, Parameter) and found.initial is not None:
            problem = f"'{name}' is computed by an initial assignment, so a value for it would change nothing"
            raise InputError(problem, remedy="set what it is computed from")
        numbers = _numbers(value)
        if numbers is None or numbers.ndim > 1 or not numbers.size or not np.all(np.isfinite(numbers)):
            problem = "not a finite number, nor a list with one for each member"
            raise InputError(problem, place=Place(key=name), remedy=f"{name}: 1.5, or {name}: [1.5, 2.0]")
        rows[symbol] = numbers
    return rows


def _numbers(value: object) -> np.ndarray | None:
    """An array of numbers, None if that is not what `value` holds."""
    try:
        return np.asarray(value, float)
    except (TypeError, ValueError, OverflowError):
        return None


def _dataset(
    model: OdeModel, names: Sequence[str], kernels: Kernels, solution: Solution, single: bool, how: dict[str, Any]
) -> xr.Dataset:
    from bonesim.results.dataset import OutputInfo, ends, to_dataset

    quantities = [model.by_id[symbol] for symbol in kernels.layout.observables[: len(names)]]
    return to_dataset(
        outputs=[
            OutputInfo(name, quantity.unit or "dimensionless", quantity.label or name)
            for name, quantity in zip(names, quantities, strict=True)
        ],
        t=solution.t,
        y=solution.y[:, : len(names)],
        arms=list(range(len(solution.status))),
        **ends(solution),
        attrs={
            "title": model.name or model.id,
            "model": model.id,
            "model_hash": model.content_hash,
            "remarks": list(model.remarks) or None,
            **how,
        },
        members_dim="member",
        time_unit=model.time_unit,
        squeeze=single,
        yields=True,
    )
