"""`bonesim contexts`: diseases and settings by their causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bonesim.cli.console import Page, print_json
from bonesim.cli.evidence import number_text

if TYPE_CHECKING:
    from bonesim.catalog import Catalog, Context
    from bonesim.catalog.schema import Injury, Validation


@click.command(
    "contexts",
    short_help="List diseases and settings, or show one.",
    epilog="\b\nExample:\n  bonesim contexts ovx_osteoporosis",
)
@click.argument("context", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one context, or a list of all.")
def command(context: str | None, as_json: bool) -> None:
    """List diseases and settings, or show one: causes and injuries, data it is held against, limits."""
    from bonesim.catalog import context_to_json, load_catalog

    catalog = load_catalog()
    if context is not None:
        found = catalog.context(context)
        if as_json:
            print_json(context_to_json(found))
        else:
            _show(found, catalog)
    elif as_json:
        print_json([context_to_json(one) for one in catalog.contexts.values()])
    else:
        rows = [(one.id, one.label, ", ".join(one.species), _causes(one)) for one in catalog.contexts.values()]
        Page().table(["id", "context", "species", "causes"], rows)


def _causes(context: Context) -> str:
    moved = [cause.factor for cause in context.causes]
    hurt = dict.fromkeys(f"injury ({injury.module})" for injury in context.injuries)
    return ", ".join([*moved, *hurt]) or "none"


def _show(context: Context, catalog: Catalog) -> None:
    page = Page()
    page.title(f"{context.id}: {context.label}")
    page.text(context.about)
    if holds_for := [*context.species, *([context.sex] if context.sex else [])]:
        page.text(f"holds for: {', '.join(holds_for)}")
    if context.causes:
        page.heading("causes")
        for cause in context.causes:
            page.text(f"{cause.factor}, {catalog.factors[cause.factor].unit}: {number_text(cause.level)}")
            page.text(f"{cause.level.source or cause.level.why}", indent=6)
            page.text(f"half-time: {number_text(cause.half_time)}", indent=4)
            page.text(f"{cause.half_time.source or cause.half_time.why}", indent=6)
            if cause.lasts:
                page.text(f"lasts: {number_text(cause.lasts)}", indent=4)
                page.text(f"{cause.lasts.source or cause.lasts.why}", indent=6)
    if context.injuries:
        page.heading("injuries")
        for injury in context.injuries:
            page.text(f"{injury.port} of {injury.module}: {_amount(injury)}")
            if not isinstance(injury.amount, float):
                page.text(injury.amount.source or injury.amount.why, indent=6)
    if context.validation:
        page.heading("held against")
        page.bullets(map(_validation, context.validation))
    if context.free_parameters:
        page.heading("free parameters")
        page.bullets(
            f"{free.parameter}; fitted to {free.fitted_to} (data points: {free.data_points})"
            for free in context.free_parameters
        )
    if context.limits:
        page.heading("limits")
        page.bullets(context.limits)


def _amount(injury: Injury) -> str:
    return f"{injury.amount:g}" if isinstance(injury.amount, float) else number_text(injury.amount)


def _validation(row: Validation) -> str:
    value = "" if row.value is None else f" = {row.value:g} {row.unit}"
    span = "" if row.low is None or row.high is None else f" ({row.low:g} to {row.high:g})"
    return f"{row.at}: {row.quantity}{value}{span}; {row.statement} [{row.use}: {row.source}]"
