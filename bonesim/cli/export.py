"""`bonesim export`: a scenario or a model as a file for other simulators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from bonesim.cli.console import emit, note, working
from bonesim.cli.errors import placed
from bonesim.cli.files import find_scenario, shipped_scenario, write_file
from bonesim.errors import InputError, Place

FORMATS = ("sbml", "antimony", "omex")


@click.command(
    "export",
    short_help="Write a scenario or a model as SBML, Antimony or OMEX.",
    epilog="\b\nExample:\n  bonesim export ovx_m2.yaml --to sbml -o ovx_m2.xml",
)
@click.argument("source", metavar="SCENARIO|MODEL")
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="Format.")
@click.option("-o", "--output", "file", metavar="FILE", default="-", help="File to write; `-` for standard output.")
def command(source: str, form: str, file: str) -> None:
    """Write a scenario or a model as one flat model that other simulators run, in SBML Level 3 Version 2 or Antimony.

    SCENARIO is exported as its dosed arm: doses and contexts become timed events, times are in days. MODEL is the id of
    a model of the library, or an SBML or Antimony file. `omex` is a COMBINE archive of the SBML, a SED-ML file that
    solves it, and the scenario.
    """
    from bonesim.resources import model_ids

    if form == "omex" and file == "-":
        raise InputError("an archive is no text", place=Place(key="-o"), remedy="-o FILE.omex")
    is_scenario = Path(source).suffix.lower() in {".yaml", ".yml"}
    if not is_scenario and source not in model_ids() and not Path(source).exists():
        is_scenario = shipped_scenario(source) is not None
    with working("exporting"):
        from bonesim.export import export_antimony, export_omex, export_sbml

        write: dict[str, Callable[[str | Path], str | bytes]]
        write = {"sbml": export_sbml, "antimony": export_antimony, "omex": export_omex}
        with placed("model"):
            content = write[form](find_scenario(source) if is_scenario else source)
    if isinstance(content, str) and file == "-":
        emit(content)
    else:
        write_file(Path(file), content)
        note(f"{file}: {source} as {form}")
