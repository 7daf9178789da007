"""`bonesim doctor`: versions, back ends, cache and a self-test of about five seconds."""

from __future__ import annotations

import click

from bonesim.cli.console import Page, print_json, working


@click.command("doctor", epilog="\b\nExample:\n  bonesim doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(as_json: bool) -> int:
    """Say what is installed here, and whether it works.

    The self-test solves a model whose answer is known, balances a dose ledger and runs a scenario. The exit code is 1
    if anything failed.
    """
    with working("testing"):
        from bonesim.doctor import examine

        report = examine()
    if as_json:
        print_json(report.document())
        return int(not report.ok)
    page = Page()
    page.title("bonesim doctor")
    page.pairs(report.versions.items(), indent=2)
    page.heading("checks")
    page.pairs(((f"{'ok' if one.ok else 'FAILED':6}  {one.name}", one.text) for one in report.findings), indent=2)
    return int(not report.ok)
