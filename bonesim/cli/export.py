"""`bonesim export`: a scenario or a model as a file for other simulators."""

from __future__ import annotations

from pathlib import Path

import click

from bonesim.cli.console import emit, note, working
from bonesim.cli.errors import placed
from bonesim.cli.files import find_scenario, shipped_scenario, write_text

FORMATS = ("sbml",)


@click.command(
    "export",
    short_help="Write a scenario or a model as SBML.",
    epilog="\b\nExample:\n  bonesim export ovx_m2.yaml --to sbml -o ovx_m2.xml",
)
@click.argument("source", metavar="SCENARIO|MODEL")
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="Format.")
@click.option("-o", "--output", "file", metavar="FILE", default="-", help="File to write; `-` for standard output.")
def command(source: str, form: str, file: str) -> None:
    """Write a scenario or a model as one flat SBML Level 3 Version 2 file.

    SCENARIO is exported as its dosed arm: doses and contexts become timed events, times are in days. MODEL is the id of
    a model of the library, or an SBML or Antimony file.
    """
    from bonesim.resources import model_ids

    is_scenario = Path(source).suffix.lower() in {".yaml", ".yml"}
    if not is_scenario and source not in model_ids() and not Path(source).exists():
        is_scenario = shipped_scenario(source) is not None
    with working("exporting"):
        from bonesim.export import export_sbml

        with placed("model"):
            text = export_sbml(find_scenario(source) if is_scenario else source)
    if file == "-":
        emit(text)
    else:
        write_text(Path(file), text)
        note(f"{file}: SBML of {source}")
