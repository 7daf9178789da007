"""`bonesim verify`: published values and independent engines against ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bonesim.cli.console import Page, print_json, working

if TYPE_CHECKING:
    from bonesim.verify import Check


@click.command(
    "verify",
    short_help="Hold models of the library against papers and other engines.",
    epilog="\b\nExample:\n  bonesim verify komarova2003",
)
@click.argument("models", nargs=-1, metavar="[MODEL ...]")
@click.option("--no-engines", is_flag=True, help="Published values alone.")
@click.option("--all", "show_all", is_flag=True, help="Show what passed, too.")
@click.option("--json", "as_json", is_flag=True, help="Print every comparison as JSON.")
def command(models: tuple[str, ...], no_engines: bool, show_all: bool, as_json: bool) -> int:
    """Compute each published value of a model's card and compare; then let other engines solve the same equations.

    libRoadRunner is asked, and COPASI where it is installed (python-copasi), each in a process of its own, under every
    set of conditions that the card names. Without MODEL all models are held against both. The exit code is 0 only if
    everything passed.
    """
    from bonesim.verify import verify

    with working("verifying"):
        checks = verify(models, engines=not no_engines)
    if as_json:
        print_json([check.document() for check in checks])
    else:
        _show(checks, show_all)
    return int(not all(check.passed for check in checks))


def _show(checks: list[Check], show_all: bool) -> None:
    page = Page()
    counts: dict[tuple[str, str], list[bool]] = {}
    for check in checks:
        by = "published values" if check.kind == "published" else check.source.partition(":")[0]
        counts.setdefault((check.model, by), []).append(check.passed)
    columns = ["model", "against", "passed", "of"]
    rows = [(model, by, str(sum(passed)), str(len(passed))) for (model, by), passed in counts.items()]
    page.table(columns, rows, numbers=("passed", "of"))
    shown = [check for check in checks if show_all or not check.passed]
    if shown:
        page.heading("every comparison" if show_all else "what did not pass")
        page.table(
            ["", "model: quantity", "theirs", "ours", "tolerance", "source"],
            [
                (
                    "ok" if check.passed else "FAILED",
                    f"{check.model}: {check.quantity}",
                    _number(check.published),
                    _number(check.ours),
                    f"{check.tolerance:.1g}",
                    check.source,
                )
                for check in shown
            ],
        )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"
