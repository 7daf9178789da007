"""`bonesim profile`: what a source does to cells, and what becomes of bone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from bonesim.cli.console import Page, number, print_json, working
from bonesim.cli.copies import copies_told
from bonesim.cli.files import check_folder
from bonesim.errors import InputError, Place
from bonesim.scenario.problem import MOST_DRAWS


@click.command(
    "profile",
    short_help="Show what a source does to each process and outcome.",
    epilog="\b\nExample:\n  bonesim profile macrophage_m2 --without miR-690\n  bonesim profile --all --json",
)
@click.argument("source", metavar="[SOURCE]", required=False)
@click.option("--all", "every", is_flag=True, help="All sources of the catalogue.")
@click.option("--context", metavar="ID", help="Disease or setting; effects that are stated for it act.")
@click.option("--species", metavar="ID", help="Who is dosed.")
@click.option(
    "--without",
    metavar="CARGO|EDGE",
    multiple=True,
    help="Leave one cargo or edge out; repeatable. `unnamed` is all that no cargo is named for.",
)
@click.option(
    "--members",
    metavar="N",
    type=click.IntRange(2, MOST_DRAWS),
    help="Draw all numbers from their ranges so often; tell how many draws agree.",
)
@click.option("-o", "folder", metavar="DIR", type=Path, help="Folder for two figures of each source; made if need be.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one profile, or a list of all.")
def command(
    source: str | None,
    every: bool,
    context: str | None,
    species: str | None,
    without: tuple[str, ...],
    members: int | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Show what a source does under a reference protocol: every process its cargo reaches, dosed against vehicle.

    SOURCE is an id as in `bonesim sources`. Processes are log2 of the activity averaged over time, so that +1 is twice
    and -1 is half of what it is without the vesicles; those of tissue are computed from cells. Outcomes are percent
    against vehicle at the end.
    """
    if (source is None) != every:
        raise InputError("one source, or all", place=Place(key="profile"), remedy="bonesim profile macrophage_m2")
    if folder is not None:
        check_folder(folder)
    with working("solving"):
        from bonesim.catalog import load_catalog
        from bonesim.profile import profile

        names = list(load_catalog().sources) if source is None else [source]
        found = [profile(name, context, species, without, members=members or 0) for name in names]
    if folder is not None:
        _draw(found, folder)
    if as_json:
        print_json(found if every else found[0])
    elif every:
        _overview(found)
    else:
        _show(found[0])


def _draw(found: list[dict[str, Any]], folder: Path) -> None:
    from bonesim.catalog import load_catalog
    from bonesim.plot import plot_mechanism, plot_profile, save_figure

    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        source = load_catalog().sources[one["source"]]
        save_figure(plot_profile(one), folder / f"profile_{source.id}.png")
        save_figure(plot_mechanism(source, one["context"]), folder / f"mechanism_{source.id}.png")


def _overview(found: list[dict[str, Any]]) -> None:
    outcomes = list(dict.fromkeys(name for one in found for name in one["outcomes"]))
    rows = [[one["source"], *(_percent(one["outcomes"].get(name)) for name in outcomes)] for one in found]
    page = Page()
    page.table(["source", *(name.replace("_", " ") for name in outcomes)], rows, numbers=[*outcomes])
    page.gap()
    page.text(f"{_protocol(found[0])}; percent against vehicle at the end", indent=0)


def _show(found: Mapping[str, Any]) -> None:
    from bonesim.profile import PLACES

    page = Page()
    page.title(f"{found['source']}: {found['label']}")
    page.text(_protocol(found))
    if found["context"] and not found["context_modelled"]:
        page.text(f"the causes of {found['context']} are not modelled: effects stated for it act in a healthy subject")
    if found["carriers"]:
        page.text(f"effects that were seen with a carrier count: {', '.join(found['carriers'])}")
    if found["without"]:
        page.text(f"without {', '.join(found['without'])}")
    if not found["effect_stated"]:
        page.text("no effect of this source is stated")
    page.heading("processes, log2 of activity against vehicle")
    agreed = found.get("agreement", {"processes": {}, "tissue": {}, "outcomes": {}, "means": {}})
    rows = [
        (name, f"{value:+.3f}{_agreed(agreed['processes'], name)}")
        for name, value in found["processes"].items()
        if value and "." in name
    ]
    page.pairs(rows or [("none", "nothing reaches a process")], indent=2)
    if driven := [(name, f"{value:+.3f}") for name, value in found["driven"].items() if value]:
        page.heading("what vessels and macrophages add in answer")
        page.pairs(driven, indent=2)
    page.heading("tissue, log2 against vehicle")
    page.pairs(
        (
            (name.replace("_", " "), f"{value:+.3f}{_agreed(agreed['tissue'], name)}" if value else "0")
            for name, value in found["tissue"].items()
            if value is not None
        ),
        indent=2,
    )
    for heading, kind in (("at the end", "outcomes"), ("on average", "means")):
        page.heading(f"outcomes against vehicle {heading}")
        page.pairs(
            (
                (name.replace("_", " "), f"{_percent(value)}{_agreed(agreed[kind], name)}")
                for name, value in found[kind].items()
            ),
            indent=2,
        )
    page.heading("vesicles at the end, percent of the dose")
    page.pairs(((PLACES.get(name, name), number(value, 3)) for name, value in found["exposure"].items()), indent=2)
    page.heading("support")
    page.pairs(_support(found), indent=2)


def _support(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "mechanism not known", f"{100 * found['unknown_mechanism_share']:.0f} % of the effects on processes"
    for position, told in enumerate(copies_told(found["copies_per_cell"], found["copies_not_known"])):
        yield "" if position else "copies", told
    ledger = found["ledger"]
    amounts = (
        f"{ledger['scheduled']:.6g} {ledger['unit']} scheduled, {ledger['delivered']:.6g} {ledger['unit']} delivered"
    )
    yield "ledger", amounts


def _agreed(agreement: Mapping[str, float], name: str) -> str:
    return f"  in {100 * agreement[name]:.0f} % of the draws" if name in agreement else ""


def _protocol(found: Mapping[str, Any]) -> str:
    context = f" in {found['context']}" if found["context"] else ""
    again = f" every {found['every']}, {found['count']} times" if "every" in found else ""
    start = "" if found["start"].startswith("0 ") else f" from {found['start']} on"
    return (
        f"{found['species']}{context}, {found['dose']} {found['route']}{again}{start}, watched for {found['horizon']}"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else "0 %" if value == 0 else f"{value:+.3g} %"
