"""`bonesim sweep`: run many variants of a scenario into one store, and print what came of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from bonesim.cli.console import Page, note, percent, print_json, with_unit, working
from bonesim.cli.files import check_folder, find_scenario
from bonesim.cli.run import SOME_FAILED
from bonesim.errors import InputError, Place

if TYPE_CHECKING:
    import xarray as xr

    from bonesim.sweep.forecast import Forecast
    from bonesim.sweep.plan import Plan

SHOWN = 20
"""Failed members that are listed; all are in the store and in the JSON document."""

DIFFERENCES = {"against_vehicle_percent": "at the end", "largest_against_vehicle_percent": "at most"}
"""Which difference to the vehicle -> how the page calls it."""


@click.command("sweep", epilog="\b\nExample:\n  bonesim sweep ovx_m2_dose_response.yaml -o doses.zarr --plot")
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "-o", "--output", "store", metavar="OUT.zarr", type=Path, required=True, help="Store for the results; made anew."
)
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Change one key of the scenario; repeatable."
)
@click.option("--executor", default="local", metavar="local|dask", help="Who runs the members; dask comes later.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a dask cluster; comes later.")
@click.option("--resume", is_flag=True, help="Go on with a sweep that was stopped; a new one is begun.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="How many share the members; all by default.")
@click.option("--float64", "exact", is_flag=True, help="Keep courses in 8 bytes a number instead of 4.")
@click.option("--plot", is_flag=True, help="Draw figures beside OUT.zarr as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON instead of tables.")
def command(
    scenario: str,
    store: Path,
    settings: tuple[str, ...],
    executor: str,
    scheduler: str | None,
    resume: bool,
    threads: int | None,
    exact: bool,
    plot: bool,
    as_json: bool,
) -> int:
    """Run every member of the section `sweep` of a scenario.

    SCENARIO is a YAML file, or the name of one that comes with bonesim, with a section such as

    \b
      sweep:
        vary:
          "doses[0].amount": [10 ug, 100 ug]
          hill: {low: 1, high: 2, count: 5}

    Each member is solved beside its vehicle arm; OUT.zarr keeps all courses (open it with xarray) and a manifest. A
    store that is there already is never overwritten.
    """
    started = perf_counter()
    if scheduler is not None:
        problem = "a scheduler belongs to the executor 'dask', which comes with a later version"
        raise InputError(problem, place=Place(key="--scheduler"), remedy="leave it out")
    check_folder(store)
    path = find_scenario(scenario)
    with working("reading"):
        import bonesim

        loaded = bonesim.load_scenario(path, settings)
    dtype = "float64" if exact else "float32"
    with _progress() as progress, _told_how_to_resume(store) as starting:
        study = bonesim.sweep(
            loaded,
            executor,
            store,
            resume=resume,
            threads=threads,
            dtype=dtype,
            starting=starting,
            progress=progress,
        )
    seconds = perf_counter() - started
    with working("writing"):
        from bonesim.sweep.report import study_summary

        figures = _figures(study, store) if plot else []
    found = study_summary(study, {"total": round(seconds, 4)})
    if as_json:
        print_json(found)
    else:
        _print(found, store, figures)
    return _failures(found["failed"])


def _failures(failed: Sequence[Mapping[str, Any]]) -> int:
    """Tell on standard error which members failed; returns the exit code."""
    for one in failed[:SHOWN]:
        click.echo(f"member {one['member']} ({_values(one)}), arm {one['arm']}: {one['cause']}", err=True)
    if len(failed) > SHOWN:
        click.echo(f"and {len(failed) - SHOWN} more; all are in the store", err=True)
    return SOME_FAILED if failed else 0


def _print(found: Mapping[str, Any], store: Path, figures: list[Path]) -> None:
    page = Page()
    page.title(found["title"])
    page.gap()
    columns = [f"{word}, {percent} %" for word in DIFFERENCES.values() for percent in ("5", "50", "95")]
    page.text("difference to vehicle: quantiles over the members", 0)
    page.table(["output", *columns], [_row(name, output) for name, output in found["outputs"].items()], columns)
    page.gap()
    page.pairs([*_facts(found), ("store", str(store)), *(("figure", str(file)) for file in figures)])


def _row(name: str, output: Mapping[str, Any]) -> list[str]:
    numbers = [output[kind][percent] for kind in DIFFERENCES for percent in ("5", "50", "95")]
    return [with_unit(name, output["unit"]), *map(percent, numbers)]


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    design, failed = found["design"], len(found["failed"])
    seed = "" if design["kind"] == "grid" else f", seed {design['seed']}"
    yield "members", f"{found['members']}, {design['kind']}{seed}"
    for position, axis in enumerate(design["axes"]):
        yield "" if position else "varied", _axis(axis)
    if failed:
        yield "failed", f"{failed} of {found['members']}"
    first = next(iter(found["outputs"]))
    for kind, word in DIFFERENCES.items():
        for name, one in found["extremes"][kind].items():
            text = f"{first} {percent(one['percent'])} {word}: member {one['member']} ({_values(one)})"
            yield name, text
    seconds = found["timing"]["total"]
    yield "time", f"{seconds:.1f} s, {_rate(found['members'] / seconds)}"


def _rate(speed: float) -> str:
    return f"{speed:.0f} members/s" if speed >= 100 else f"{speed:.3g} members/s"


def _axis(axis: Mapping[str, Any]) -> str:
    unit = "" if axis["unit"] == "dimensionless" else f" {axis['unit']}"
    scale = ", by ratio" if axis["scale"] == "log" else ""
    if "levels" in axis:
        low, high = min(axis["levels"]), max(axis["levels"])
        if low == high:
            return f"{axis['path']}: {low:g}{unit}"
        return f"{axis['path']}: {len(axis['levels'])} values, {low:g} to {high:g}{unit}{scale}"
    return f"{axis['path']}: {axis['low']:g} to {axis['high']:g}{unit}{scale}"


def _values(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} {_short(text)}" for path, text in one["values"].items())


def _short(written: str) -> str:
    """A value with the digits that a reader needs."""
    value, _, unit = written.partition(" ")
    return f"{float(value):.6g} {unit}".strip()


def _figures(study: xr.Dataset, store: Path) -> list[Path]:
    from bonesim.plot import save_study_figures

    return save_study_figures(study, store.parent, store.name.removesuffix(".zarr"))


@contextmanager
def _told_how_to_resume(store: Path) -> Iterator[Callable[[Plan, Forecast], None]]:
    """Say on standard error what is about to be run and, if it ends early by whatever cause, what is left to do."""
    begun = False

    def starting(planned: Plan, needs: Forecast) -> None:
        nonlocal begun
        begun = True
        for text in (needs.text, *planned.notices):
            note(text)

    try:
        yield starting
    except BaseException:
        from bonesim.sweep.manifest import MANIFEST, members_done, read_manifest

        if begun and (store / MANIFEST).exists():
            done, members = members_done(read_manifest(store))
            state = f"{store} is incomplete, {done} of {members} members done"
            note(f"stopped; {state}; the same command with --resume goes on with it")
        raise


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Members done, rate and time left on standard error, if somebody may be watching."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Members a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{_rate(task.speed)}, left" if task.speed else "")

    columns = (MofNCompleteColumn(), BarColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("members", total=None)

        def advance(done: int, members: int) -> None:
            bar.update(task, completed=done, total=members)

        yield advance
