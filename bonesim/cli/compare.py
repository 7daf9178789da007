"""`bonesim compare`: scenarios, arms and published cores side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bonesim.cli.bands import DIFFERENCES, differences
from bonesim.cli.console import Page, number, percent, print_json, with_unit, working
from bonesim.cli.files import check_folder, find_scenario
from bonesim.cli.run import SOME_FAILED, VEHICLE


@click.command(
    "compare",
    short_help="Set scenarios or cores side by side.",
    epilog="\b\nExample:\n  bonesim compare ovx_m1.yaml ovx_m2.yaml\n"
    "  bonesim compare ovx_m2.yaml --cores pivonka2008,lemaire2004 -o out",
)
@click.argument("scenarios", metavar="SCENARIO...", nargs=-1, required=True)
@click.option(
    "--cores",
    metavar="ID,ID",
    multiple=True,
    help="Cores to put each scenario to, instead of its own; repeatable.",
)
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Change one key of every scenario; repeatable."
)
@click.option("-o", "folder", metavar="DIR", type=Path, help="Folder for compare.json and a figure; made if need be.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    scenarios: tuple[str, ...], cores: tuple[str, ...], settings: tuple[str, ...], folder: Path | None, as_json: bool
) -> int:
    """Run scenarios and set all their arms side by side; with --cores, put each question to several published models.

    Where a scenario draws its numbers (`uncertainty`), a second table has 5, 50 and 95 % of the differences and how
    many have the sign of the stated values. The last lines say whether every dosed arm moves an output the same way: a
    conclusion that depends on the model does not survive this.
    """
    if folder is not None:
        check_folder(folder)
    paths = [find_scenario(scenario) for scenario in scenarios]
    with working("solving"):
        from bonesim.compare import compare, rows, verdicts

        named = [core.strip() for core in ",".join(cores).split(",") if core.strip()]
        entries = compare(paths, named, settings)
        found = rows(entries)
        said = verdicts(found)
    if folder is not None:
        _write({"rows": found, "agreement": said}, entries, folder)
    if as_json:
        print_json({"rows": found, "agreement": said})
    else:
        _show(found, said)
    failed = {(row["scenario"], row["core"], row["arm"], row["status"]) for row in found if row["status"] != "ok"}
    for scenario, core, arm, status in sorted(failed):
        click.echo(f"{scenario}, {core}, arm {arm}: {status}", err=True)
    return SOME_FAILED if failed else 0


def _write(document: Mapping[str, Any], entries: Sequence[Any], folder: Path) -> None:
    import json

    from bonesim.plot import plot_comparison, save_figure

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compare.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    save_figure(plot_comparison(entries), folder / "compare.png")


def _show(found: Sequence[Mapping[str, Any]], said: Mapping[str, str]) -> None:
    page = Page()
    for output in said:
        mine = [row for row in found if row["output"] == output]
        units = {row["unit"] for row in mine}
        page.heading(with_unit(output, units.pop()) if len(units) == 1 else f"{output}, by core in units of its own")
        page.table(
            ["scenario", "core", "arm", "start", "end", "change", "vs vehicle", "at most"],
            [
                [
                    row["scenario"],
                    row["core"],
                    row["arm"],
                    number(row["baseline"]),
                    number(row["final"]),
                    percent(row["change_percent"]),
                    percent(row["against_vehicle_percent"]),
                    percent(row["largest_against_vehicle_percent"]),
                ]
                for row in mine
            ],
            numbers=("start", "end", "change", "vs vehicle", "at most"),
        )
        _show_bands(page, [row for row in mine if "members" in row and row["arm"] != VEHICLE])
    page.heading("dosed arms against their vehicles")
    page.pairs(said.items(), indent=2)


def _show_bands(page: Page, mine: Sequence[Mapping[str, Any]]) -> None:
    """What the draws say of one output, for the rows that have any."""
    if mine:
        page.gap()
        counts = " or ".join(map(str, sorted({row["members"] for row in mine})))
        page.line(f"{counts} draws: 5 / 50 / 95 % of them, and how many have the sign above", 0)
        rows = [[row["scenario"], row["core"], row["arm"], *differences(row)] for row in mine]
        page.table(["scenario", "core", "arm", *DIFFERENCES], rows, DIFFERENCES)
