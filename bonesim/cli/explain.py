"""`bonesim explain`: which cargo, edge and module an effect comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from bonesim.cli.console import Page, note, number, print_json, with_unit, working
from bonesim.cli.files import check_folder, find_scenario


@click.command(
    "explain",
    short_help="Show which cargo, edge and module an effect comes from.",
    epilog="\b\nExample:\n  bonesim explain ovx_m2.yaml --output OBa -o out",
)
@click.argument("scenario", metavar="SCENARIO")
@click.option("--output", "name", metavar="NAME", help="Which output; the first of the scenario where it is left out.")
@click.option("--arm", metavar="NAME", default="dosed", help="Which arm, against its own vehicle.  [default: dosed]")
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Change one key of the scenario; repeatable."
)
@click.option("-o", "folder", metavar="DIR", type=Path, help="Folder for explain.json and a figure; made if need be.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the course over time.")
def command(
    scenario: str, name: str | None, arm: str, settings: tuple[str, ...], folder: Path | None, as_json: bool
) -> None:
    """Show how much of the effect of an arm's doses each cargo, edge and module carries.

    Each is taken out alone (knock-out) and in all, or many, combinations with others (Shapley value); Shapley values
    add up to the whole effect. Shares are of the effect where it is largest.
    """
    if folder is not None:
        check_folder(folder)
    path = find_scenario(scenario)
    with working("solving"):
        from bonesim.explain import explain
        from bonesim.scenario.load import load_scenario

        loaded = load_scenario(path, settings)
        found = explain(loaded, name, arm=arm)
    if others := [one for one in ("dosed", *loaded.arms) if one != arm]:
        note(f"this explains the arm '{arm}'; --arm takes {' or '.join(others)}")
    if loaded.uncertainty or loaded.sweep:
        note("this explains the stated values; draws are for `bonesim run`, sweeps for `bonesim sweep`")
    files = _write(found, folder) if folder else []
    if as_json:
        print_json(found)
    else:
        _show(found, files)


def _write(found: Mapping[str, Any], folder: Path) -> list[Path]:
    import json

    from bonesim.plot import plot_shares, save_figure

    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "explain.json"
    document.write_text(json.dumps(found, indent=2), encoding="utf-8")
    return [document, save_figure(plot_shares(found), folder / "explain.png")]


def _show(found: Mapping[str, Any], files: list[Path]) -> None:
    page = Page()
    page.title(found["title"])
    page.gap()
    at = found["time"].index(found["largest_at"])
    percent = found["effect_percent"][at]
    effect = f"{found['effect'][at]:+.4g}" + ("" if percent is None else f", {percent:+.3g} %")
    against = f"arm {found['arm']} against vehicle at day {found['largest_at']:.4g}"
    page.text(f"{with_unit(found['output'], found['unit'])}: {effect}, {against}")
    for kind, name in (("cargo", _cargo), ("edges", _edge), ("modules", _module)):
        if found[kind]:
            page.heading("modules, by what they do to others" if kind == "modules" else kind)
            rows = [(name(row), _percent(row["share"]), number(row["knock_out"][at])) for row in found[kind]]
            page.table([kind, "share", "gone without it"], rows, numbers=("share", "gone without it"))
    page.gap()
    page.pairs(_facts(found, files))


def _facts(found: Mapping[str, Any], files: list[Path]) -> Iterator[tuple[str, str]]:
    yield "mechanism not known", f"{_percent(found['unknown_mechanism_share'])} of the effect"
    errors = [row["standard_error"] for kind in ("cargo", "edges", "modules") for row in found[kind]]
    if any(errors):
        yield "orders drawn", f"standard error of a Shapley value at most {number(max(errors), 2)}"
    if files:
        yield "files", f"{files[0].parent}: {', '.join(path.name for path in files)}"


def _cargo(row: Mapping[str, Any]) -> str:
    return f"{row['cargo'] or 'not named'} ({row['source']})"


def _edge(row: Mapping[str, Any]) -> str:
    return f"{row['edge']} ({row['process']})"


def _module(row: Mapping[str, Any]) -> str:
    return str(row["module"])


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
