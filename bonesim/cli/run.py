"""`bonesim run`: solve a scenario, print what came of it, and keep it if asked to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from bonesim.cli.bands import DIFFERENCES, differences, in_a_row
from bonesim.cli.console import ROUNDING, Page, note, number, percent, print_json, with_unit, working
from bonesim.cli.copies import copies_told
from bonesim.cli.files import check_folder, find_scenario
from bonesim.errors import InputError, Place

if TYPE_CHECKING:
    import xarray as xr

    from bonesim.results.measured import Measured
    from bonesim.scenario.arms import Comparison

SOME_FAILED = 3
VEHICLE = "vehicle"


@click.command("run", epilog="\b\nExample:\n  bonesim run ovx_m2.yaml --set 'doses[0].amount=30 ug' -o out --plot")
@click.argument("scenario", metavar="SCENARIO")
@click.option("-o", "--output", "folder", metavar="DIR", type=Path, help="Folder for the results; made if need be.")
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Change one key of the scenario; repeatable."
)
@click.option("--plot", is_flag=True, help="Draw figures into DIR as well.")
@click.option("--data", metavar="MEASURED.csv", type=Path, help="Own measurements, held against the run and drawn.")
@click.option("--accuracy", is_flag=True, help="Solve again with a hundredth of the tolerance; tell the difference.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of tables.")
def command(
    scenario: str,
    folder: Path | None,
    settings: tuple[str, ...],
    plot: bool,
    data: Path | None,
    accuracy: bool,
    as_json: bool,
) -> int:
    """Solve all arms of a scenario, with bands over draws.

    SCENARIO is a YAML file, or the name of one that comes with bonesim. Beside the arm 'dosed' there is always
    'vehicle'; its section 'arms' adds others, its section 'uncertainty' the draws. With -o, DIR gets result.nc
    (netCDF4), summary.json and trajectories.csv; files of the same names are replaced. Nothing is written if the input
    is bad.
    """
    started = perf_counter()
    if plot and folder is None:
        raise InputError("figures need a folder", place=Place(key="--plot"), remedy="-o DIR")
    if folder is not None:
        check_folder(folder)
    path = find_scenario(scenario)
    with working("reading"):
        from bonesim.run import solve
        from bonesim.scenario.arms import compared
        from bonesim.scenario.load import load_scenario

        loaded = load_scenario(path, settings)
        comparison = compared(loaded)
        measured = _measured(data, comparison) if data else []
    if loaded.sweep:
        note("this runs the scenario as it stands; its section 'sweep' is for `bonesim sweep`")
    timing = {"read": perf_counter() - started}
    with working("solving"):
        from bonesim.results.measured import with_measured
        from bonesim.results.store import summary

        result = solve(comparison, accuracy=accuracy)
        result = with_measured(result, measured) if measured else result
        timing["solve"] = perf_counter() - started - timing["read"]
        found = summary(result, {stage: round(seconds, 4) for stage, seconds in timing.items()})
    files = _write(result, found, folder, plot) if folder else []
    if as_json:
        print_json(found)
    else:
        stages = timing | ({"write": perf_counter() - started - sum(timing.values())} if files else {})
        _print(loaded.title, found, files, stages)
    return _failures(found["status"])


def _measured(file: Path, comparison: Comparison) -> list[Measured]:
    """The user's measurements of outputs of the run."""
    from bonesim.results.measured import read_measured

    problem = comparison.arms[0].problem
    units = {output.name: output.unit for output in problem.outputs if output.role == "output"}
    return read_measured(file, units, [arm.name for arm in comparison.arms], problem.t_out[-1])


def _write(result: xr.Dataset, found: Mapping[str, Any], folder: Path, plot: bool) -> list[Path]:
    from bonesim.results.store import write_run

    figures: Callable[[Path], Iterable[Path]] | None = None
    with working("writing"):
        if plot:
            from bonesim.plot import save_figures

            def figures(draft: Path) -> Iterable[Path]:
                return save_figures(result, draft)

        return write_run(result, folder, found, figures)


def _failures(status: Mapping[str, Mapping[str, Any]]) -> int:
    """Tell on standard error which arms stopped early; returns the exit code."""
    failed = {arm: end for arm, end in status.items() if end["status"] != "ok"}
    for arm, end in failed.items():
        click.echo(f"arm {arm}: {end.get('cause') or end['status']}", err=True)
    own = {arm: end[VEHICLE] for arm, end in status.items() if VEHICLE in end}
    for arm, cause in own.items():
        click.echo(f"vehicle of arm {arm}: {cause}", err=True)
    drawn = {arm: end["members_failed"] for arm, end in status.items() if end.get("members_failed")}
    for arm, count in drawn.items():
        click.echo(f"arm {arm}: {count} of the draws stopped early", err=True)
    return SOME_FAILED if failed or own or drawn else 0


def _print(title: str, found: Mapping[str, Any], files: list[Path], stages: Mapping[str, float]) -> None:
    page = Page()
    page.title(title)
    page.gap()
    arms = [arm for arm in found["status"] if arm != VEHICLE]
    checked = any("error_estimate" in output for output in found["outputs"].values())
    numbers = ("start", "end", "change", VEHICLE, "vs vehicle", "at most", *["error"] * checked)
    columns = ["output", *["arm"] * (len(arms) > 1), *numbers]
    rows = [row for name, output in found["outputs"].items() for row in _rows(name, output, arms)]
    page.table(columns, rows, numbers)
    page.gap()
    if drawn := found["provenance"].get("uncertainty"):
        _print_bands(page, found, arms, drawn)
    if data := found.get("data"):
        _print_data(page, data)
    page.pairs([*_facts(found), ("time", _time(stages)), *_places(files)])


def _rows(name: str, output: Mapping[str, Any], arms: list[str]) -> Iterator[list[str]]:
    vehicle = output["arms"].get(VEHICLE, {}).get("final")
    for arm in arms:
        end = output["arms"][arm]
        yield [
            with_unit(name, output["unit"]),
            *[arm] * (len(arms) > 1),
            number(end.get("vehicle_baseline", output["baseline"])),
            number(end["final"]),
            percent(end["change_percent"]),
            number(end.get("vehicle_final", vehicle)),
            percent(end["against_vehicle_percent"]),
            _largest(end),
            *([number(output["error_estimate"], 2)] if "error_estimate" in output else []),
        ]


def _print_bands(page: Page, found: Mapping[str, Any], arms: list[str], drawn: Mapping[str, Any]) -> None:
    """What the draws say of the differences to the vehicle, or of the end where no arm differs from it."""
    draws = f"{drawn['members']} draws of {len(drawn['numbers'])} numbers from their ranges"
    ends = [(name, output, arm) for name, output in found["outputs"].items() for arm in arms]
    differ = any(output["arms"][arm]["largest_against_vehicle_percent"] for _, output, arm in ends)
    page.line(f"{draws}: 5 / 50 / 95 % of them{', and how many have the sign above' if differ else ''}", 0)
    numbers = DIFFERENCES if differ else ("end",)
    rows = [
        [
            with_unit(name, output["unit"]),
            *[arm] * (len(arms) > 1),
            *(differences(output["arms"][arm]) if differ else [in_a_row(output["arms"][arm]["quantiles"], number)]),
        ]
        for name, output, arm in ends
    ]
    page.table(["output", *["arm"] * (len(arms) > 1), *numbers], rows, numbers)
    page.gap()


def _print_data(page: Page, data: Sequence[Mapping[str, Any]]) -> None:
    """How far each measurement lies from the run."""
    numbers = ("day", "measured", "computed", "residual", "z")
    rows = [
        [
            point["output"],
            point["arm"],
            *(number(point[key]) for key in ("time_day", "value", "computed", "residual")),
            number(point["z"], 2),
        ]
        for point in data
    ]
    page.table(["data", "arm", *numbers], rows, numbers)
    page.gap()


def _largest(end: Mapping[str, Any]) -> str:
    """The largest difference to the vehicle on the way, which a course that ended long ago no longer shows."""
    size, time = end["largest_against_vehicle_percent"], end["largest_against_vehicle_time"]
    if size is None or time is None or abs(size) < ROUNDING:
        return percent(size)
    return f"{percent(size)} (day {time:.4g})"


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Ledger, classes of the numbers, and what of the catalogue does not act here."""
    lines = [line for line in found["ledger"] if line["scheduled"]]
    for line in lines:
        yield "ledger", _ledger_line(line)
    for text in dict.fromkeys(map(_flux, lines)):
        yield "flux", text
    if not lines:
        arrived = all(end["status"] == "ok" for end in found["status"].values())
        yield "ledger", "nothing is dosed" if arrived else "not balanced, an arm stopped early"
    for position, told in enumerate(_copies(found)):
        yield "" if position else "copies", told
    if own := found.get("own_vehicle"):
        told = f"{', '.join(own)}: against a vehicle of its own, with its subject, disease and model and no dose"
        yield "arms", told
    classes = Counter(origin["basis"] for origin in found["provenance"].get("numbers", {}).values())
    counts = ", ".join(f"{count} {basis}" for basis, count in sorted(classes.items()))
    yield "numbers", f"{counts}; origin of each under --json"
    if lines:
        yield "", "the sign of an effect follows from stated effects on cells, its size from assumed numbers"
    reasons = Counter(found["provenance"].get("edges_left_out", {}).values())
    for position, (reason, count) in enumerate(reasons.items()):
        effects = "1 effect" if count == 1 else f"{count} effects"
        yield "" if position else "left out", f"{effects} of the catalogue: {reason}"


def _ledger_line(line: Mapping[str, Any]) -> str:
    """What was given, how, and what a carrier still holds of it."""
    unit = line["unit"]
    how = line["route"] + (f" with {line['carrier']}" if line["carrier"] else "")
    parts = [f"{line['scheduled']:.6g} {unit} scheduled", f"{line['delivered']:.6g} {unit} delivered"]
    if line["retained"]:
        parts.append(f"{line['retained']:.3g} {unit} still in the carrier")
    return f"{line['source']}, {how}: {', '.join(parts)} (arm {line['arm']})"


def _flux(line: Mapping[str, Any]) -> str:
    """How little a dose is beside what the body itself secretes."""
    share = f"{100 * line['share_of_flux']:.2g} % of all vesicles from the first dose on, the body's own included"
    return f"{line['source']}, {line['route']}: {share}"


def _copies(found: Mapping[str, Any]) -> Iterator[str]:
    """What is told of copies of cargo in cells, over all arms."""
    copies = found["copies_per_cell"].items()
    peaks = {name: max((peak or 0.0 for peak in arms.values()), default=0.0) for name, arms in copies}
    return copies_told({name: peak for name, peak in peaks.items() if peak > 0.0}, found["copies_not_known"])


def _time(stages: Mapping[str, float]) -> str:
    return f"{sum(stages.values()):.1f} s ({', '.join(f'{stage} {part:.1f}' for stage, part in stages.items())})"


def _places(files: list[Path]) -> Iterator[tuple[str, str]]:
    if files:
        yield "files", f"{files[0].parent}: {', '.join(path.name for path in files)}"
