"""`bonesim schema`: what a scenario file may say, for editors."""

from __future__ import annotations

import click

from bonesim.cli.console import print_json


@click.command("schema", epilog="\b\nExample:\n  bonesim schema > scenario.schema.json")
def command() -> None:
    """Print the JSON Schema of scenario files.

    Editors that know YAML offer keys and find faults with it while a scenario is written.
    """
    from bonesim.scenario.schema import scenario_json_schema

    print_json(scenario_json_schema())
