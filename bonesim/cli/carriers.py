"""`bonesim carriers`: what holds vesicles at a site, or changes where they go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bonesim.cli.console import Page, print_json
from bonesim.cli.evidence import number_text

if TYPE_CHECKING:
    from bonesim.catalog import Carrier, Number


@click.command(
    "carriers",
    short_help="List carriers of vesicles, or show one.",
    epilog="\b\nExample:\n  bonesim carriers cha_sf_gcs_dfpeg",
)
@click.argument("carrier", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one carrier, or a list of all.")
def command(carrier: str | None, as_json: bool) -> None:
    """List carriers of vesicles, or show one: release, retention at the site, homing to bone, each with its origin."""
    from bonesim.catalog import carrier_to_json, load_catalog

    catalog = load_catalog()
    if carrier is not None:
        found = catalog.carrier(carrier)
        if as_json:
            print_json(carrier_to_json(found))
        else:
            _show(found)
    elif as_json:
        print_json([carrier_to_json(one) for one in catalog.carriers.values()])
    else:
        rows = [(one.id, one.label, one.kind, _changes(one)) for one in catalog.carriers.values()]
        Page().table(["id", "carrier", "kind", "changes"], rows)


def _changes(carrier: Carrier) -> str:
    """What a carrier changes, in a word or two."""
    return ", ".join(name for name in ("release", "retention", "targeting") if getattr(carrier, name))


def _show(carrier: Carrier) -> None:
    page = Page()
    page.title(f"{carrier.id}: {carrier.label}")
    page.text(carrier.about)
    page.text(f"kind: {carrier.kind}")
    page.heading("numbers")
    for name, number in _numbers(carrier):
        page.text(f"{name}: {number_text(number)}")
        page.text(" ".join(filter(None, (f"{number.source}." if number.source else "", number.why))), indent=6)
    if carrier.limits:
        page.heading("limits")
        page.bullets(carrier.limits)


def _numbers(carrier: Carrier) -> Iterator[tuple[str, Number]]:
    """Every number with what it is."""
    release = carrier.release
    named = [
        ("freed at once", release and release.burst),
        ("half-life in the carrier", release and release.half_life),
        ("time of even release", release and release.duration),
        ("factor on the half-life at the site", carrier.retention),
        ("factor on the odds of the share that enters bone", carrier.targeting),
    ]
    yield from ((name, number) for name, number in named if number)
