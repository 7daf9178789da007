"""`bonesim simulate`: a model by itself, without scenario."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bonesim.cli.console import emit, note, print_json, working
from bonesim.cli.errors import placed
from bonesim.cli.files import refuse_scenario, write_file
from bonesim.errors import InputError, Place, SimulationError

if TYPE_CHECKING:
    import xarray as xr

    from bonesim.model.ode import OdeModel, Parameter, State


MOST_POINTS = 10_000_000
READINGS = ("amount", "concentration")


@click.command(
    "simulate",
    epilog="\b\nExample:\n  bonesim simulate lemaire2004 --until 140 --points 141 --select OBa,OCa --csv cells.csv",
)
@click.argument("model", metavar="MODEL")
@click.option("--until", metavar="T", help="End: a number in the model's time unit, or e.g. '20 week'.")
@click.option("--points", metavar="N", type=int, default=101, show_default=True, help="How many times.")
@click.option("--select", metavar="A,B", help="Quantities to report; all states where it is left out.")
@click.option("--species", type=click.Choice(READINGS), help="What to report of species; what symbols mean otherwise.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Parameter or initial value; repeatable.")
@click.option("--rtol", type=float, show_default="1e-6, of a steady state 1e-9", help="Relative tolerance.")
@click.option("--equilibrate", is_flag=True, help="Bring the model to rest first and start from there.")
@click.option("--hold", metavar="A,B", help="States that keep their start while the others come to rest.")
@click.option("--accuracy", is_flag=True, help="Solve again with a hundredth of the tolerance; tell the difference.")
@click.option("--steady", is_flag=True, help="In place of a course: where the model rests, and whether it stays there.")
@click.option("--csv", "table", metavar="OUT", type=Path, help="Write the table to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with units, instead of CSV.")
def command(
    model: str,
    until: str | None,
    points: int,
    select: str | None,
    species: str | None,
    settings: tuple[str, ...],
    rtol: float | None,
    equilibrate: bool,
    hold: str | None,
    accuracy: bool,
    steady: bool,
    table: Path | None,
    as_json: bool,
) -> int:
    """Solve a model from time 0 to T and print a table as CSV.

    MODEL is the id of a model of the library (`bonesim models`), or an SBML or Antimony file. The N times lie evenly
    from 0 to T, both included. With --steady there is no T: the table has one value for each quantity.
    """
    _check(until, points, rtol, steady)
    if hold is not None and not (steady or equilibrate):
        problem = "states are held while a model comes to rest, so this would change nothing"
        raise InputError(problem, place=Place(key="--hold"), remedy="leave it out, or add --equilibrate or --steady")
    with working("solving"):
        with placed("model"):
            refuse_scenario(model)
            from bonesim.simulate import load_model

            loaded = load_model(model)
        values = _values(loaded, settings)
        chosen: dict[str, Any] = {
            "outputs": _names(loaded, select, "--select"),
            "parameters": {name: value for name, value in values.items() if not _is_state(loaded, name)},
            "initial": {name: value for name, value in values.items() if _is_state(loaded, name)},
        }
        if rtol is not None:
            chosen["rtol"] = rtol
        if hold is not None:
            chosen["hold"] = _names(loaded, hold, "--hold")
        failure = None
        try:
            if until is None:
                from bonesim.steady import steady_state

                result = steady_state(loaded, **chosen)
            else:
                result = _course(loaded, until, points, chosen | {"equilibrate": equilibrate, "accuracy": accuracy})
        except SimulationError as error:
            result, failure = error.result, error
        if species is not None:
            from bonesim.results.species import as_read

            with placed("--species"):
                result = as_read(result, species)
    for remark in loaded.remarks:
        note(remark)
    _report(result, table, as_json)
    if failure:
        raise failure
    return 0


def _check(until: str | None, points: int, rtol: float | None, steady: bool) -> None:
    """Refuse flags that do not go together, or are out of range."""
    context = click.get_current_context()
    if steady:
        for name in ("until", "points", "equilibrate", "accuracy"):
            if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
                problem = "a steady state has no course, so this would change nothing"
                raise InputError(problem, place=Place(key=f"--{name}"), remedy=f"leave --{name} or --steady out")
    elif until is None:
        parameter = next(one for one in context.command.params if one.name == "until")
        raise click.MissingParameter(ctx=context, param=parameter)
    if not 2 <= points <= MOST_POINTS:
        problem = f"{points} is out of range"
        raise InputError(problem, place=Place(key="--points"), remedy=f"a whole number from 2 to {MOST_POINTS}")
    if rtol is not None:
        with placed("--rtol"):
            from bonesim.solve.settings import Settings

            Settings(rtol=rtol)


def _course(model: OdeModel, until: str, points: int, chosen: dict[str, Any]) -> xr.Dataset:
    import numpy as np

    from bonesim.simulate import simulate

    return simulate(model, np.linspace(0.0, _end(until, model.time_unit), points), **chosen)


def _end(text: str, unit: str) -> float:
    """The end in the model's time unit.

    Raises
    ------
    InputError
        If it is no time after 0, or none that steps lead to.
    """
    from bonesim.simulate import LATEST, SHORTEST
    from bonesim.units import Quantity

    place = Place(key="--until")
    try:
        end = float(text)
    except ValueError:
        try:
            end = Quantity.parse(text, example=unit).to(unit)
        except InputError as error:
            raise InputError(error.problem, place=place, remedy=error.remedy or f"a number of {unit}") from None
    if not (math.isfinite(end) and end > 0):
        raise InputError(f"'{text}' is no time after 0", place=place, remedy="--until 140")
    if not SHORTEST <= end <= LATEST:
        raise InputError(f"'{text}' is out of range", place=place, remedy=f"{SHORTEST:g} to {LATEST:g} {unit}")
    return end


def _names(model: OdeModel, listed: str | None, flag: str) -> list[str] | None:
    """The names that a flag lists, all of them known, no quantity twice."""
    if listed is None:
        return None
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if not names:
        example = ",".join(state.id for state in model.states[:2])
        raise InputError("no name", place=Place(key=flag), remedy=f"{flag} {example}")
    known: dict[str, str] = {}
    for name in names:
        symbol = _resolved(model, name, flag)
        if symbol in known:
            twice = name == known[symbol]
            problem = f"'{name}' is named twice" if twice else f"'{name}' and '{known[symbol]}' are one quantity"
            raise InputError(problem, place=Place(key=flag), remedy="name it once")
        known[symbol] = name
    return names


def _values(model: OdeModel, settings: tuple[str, ...]) -> dict[str, float]:
    values: dict[str, float] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not name:
            raise InputError("no name", place=Place(key=f"--set {setting}"), remedy="--set NAME=VALUE")
        if not equals:
            raise InputError("no value", place=Place(key=f"--set {setting}"), remedy=f"--set {setting}=VALUE")
        place = Place(key=f"--set {name}")
        if name in values:
            raise InputError("set twice", place=place, remedy="set it once")
        unit = _settable(model, name).unit or "dimensionless"
        values[name] = _number(text)
        if not math.isfinite(values[name]):
            problem = f"'{text}' is not a finite number"
            raise InputError(problem, place=place, remedy=f"a number in the model's unit, {unit}")
    return values


def _number(text: str) -> float:
    """The number, NaN where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _resolved(model: OdeModel, name: str, flag: str) -> str:
    with placed(flag):
        return model.resolve(name)


def _settable(model: OdeModel, name: str) -> State | Parameter:
    """The state or parameter of that name, which nothing else computes."""
    from bonesim.model.ode import Parameter, Rule

    flag = f"--set {name}"
    symbol = model.by_id[_resolved(model, name, flag)]
    if isinstance(symbol, Rule) or (isinstance(symbol, Parameter) and symbol.initial is not None):
        problem = "it is computed from other quantities, so it cannot be set"
        raise InputError(problem, place=Place(key=flag), remedy="set what it is computed from")
    return symbol


def _is_state(model: OdeModel, name: str) -> bool:
    from bonesim.model.ode import State

    return isinstance(model.by_id[model.resolve(name)], State)


def _report(result: xr.Dataset, table: Path | None, as_json: bool) -> None:
    from bonesim.cli import course, rest
    from bonesim.results.dataset import own_names

    form = course if own_names(result)["time"] in result.dims else rest
    if table is not None:
        write_file(table, form.csv_text(result))
    if as_json:
        print_json(form.document(result))
    elif table is None:
        emit(form.csv_text(result))
    for remark in form.remarks(result):
        note(remark)
