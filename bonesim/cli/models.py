"""`bonesim models`: the library of modules, with equations, parameters and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bonesim.cli.console import Page, emit, print_json, working
from bonesim.cli.errors import placed
from bonesim.cli.files import MODELS, check_folder, refuse_scenario
from bonesim.errors import InputError, Place

if TYPE_CHECKING:
    from bonesim.compose.card import Card, Port, SymbolNote
    from bonesim.model.ode import OdeModel, Parameter


@click.command(
    "models",
    short_help="List the models of the library, or show one.",
    epilog="\b\nExample:\n  bonesim models pivonka2008",
)
@click.argument("model", metavar="[ID]", required=False)
@click.option(
    "--code",
    type=click.Choice(["numpy", "latex"]),
    help="Print instead the code that is generated from the model, or its equations in LaTeX with the paper's letters.",
)
@click.option("-o", "folder", metavar="DIR", type=Path, help="Folder for the figures of its paper; made if need be.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one model, or a list of all.")
def command(model: str | None, code: str | None, folder: Path | None, as_json: bool) -> None:
    """List the models of the library, or show one: equations, parameters with sources, ports, limits, figures."""
    from bonesim.compose.card import load_card
    from bonesim.resources import model_ids

    if model is not None:
        _refuse_files(model)
    if folder is not None:
        check_folder(folder)
    if code is not None:
        if model is None or as_json:
            problem = "code is printed of one model, as text"
            raise InputError(problem, place=Place(key="--code"), remedy=f"bonesim models ID --code {code}")
        emit(_latex(model) if code == "latex" else _code(model))
    elif model is not None:
        card, equations = _loaded(model)
        if as_json:
            print_json(document(card, equations))
        else:
            _show(card, equations)
    else:
        cards = sorted(map(load_card, model_ids()), key=lambda card: (card.kind, card.id))
        if as_json:
            print_json([document(*_loaded(card.id)) for card in cards])
        else:
            Page().table(["id", "kind", "model"], [(card.id, card.kind, card.title) for card in cards])
    if folder is not None:
        _draw([model] if model else model_ids(), folder)


def _draw(models: Sequence[str], folder: Path) -> None:
    from bonesim.compose.card import load_card
    from bonesim.plot import plot_published, save_figure
    from bonesim.resources import model_ids

    figures = [(card, figure) for card in map(load_card, models) for figure in card.figures]
    if not figures:
        drawn = [model for model in model_ids() if load_card(model).figures]
        problem = f"the card of '{models[0]}' names no figure"
        raise InputError(problem, place=Place(key="-o"), remedy=f"one of {', '.join(drawn)}")
    folder.mkdir(parents=True, exist_ok=True)
    with working("drawing"):
        for card, figure in figures:
            save_figure(plot_published(card, figure), folder / f"{card.id}_{figure.id}.png")


def _refuse_files(text: str) -> None:
    """Refuse a file where an id is wanted; InputError that names the command for it."""
    refuse_scenario(text)
    if Path(text).suffix.lower() in MODELS:
        problem = "this is a file; what is shown here are the models of the library"
        remedy = f"bonesim simulate {text} --until T --points N"
        raise InputError(problem, place=Place(text), remedy=remedy)


def _loaded(model_id: str) -> tuple[Card, OdeModel]:
    from bonesim.compose.card import load_card
    from bonesim.resources import model_file
    from bonesim.sbml.read import read_model

    with placed("model"):
        return load_card(model_id), read_model(model_file(model_id))


def _code(model_id: str) -> str:
    from bonesim.codegen.backends.numpy import source
    from bonesim.codegen.program import arrange
    from bonesim.resources import model_file
    from bonesim.sbml.read import read_model

    with placed("model"):
        model = read_model(model_file(model_id))
    return source(arrange(model, [state.id for state in model.states]))


def _latex(model_id: str) -> str:
    from bonesim.model.latex import equations_latex

    card, model = _loaded(model_id)
    lines = " \\\\\n".join(f"  {line}" for line in equations_latex(model, _letters(card)))
    return f"\\begin{{align}}\n{lines}\n\\end{{align}}\n"


def _letters(card: Card) -> dict[str, str]:
    """The paper's own letters."""
    return {symbol: note.letter for symbol, note in card.symbols.items() if note.letter}


def document(card: Card, model: OdeModel) -> dict[str, Any]:
    """A model with its card as JSON values."""
    from bonesim.model.latex import equations_latex
    from bonesim.model.text import expression_text

    return {
        "id": card.id,
        "kind": card.kind,
        "title": card.title,
        "reference": card.reference.model_dump(),
        "time_unit": model.time_unit,
        "about": card.about,
        "changes": list(card.changes),
        "limits": list(card.limits),
        "latex": list(equations_latex(model, _letters(card))),
        "states": [
            {"id": one.id, "rate": expression_text(one.rate), "initial": expression_text(one.initial)}
            | _note(card, one.id)
            for one in model.states
        ],
        "rules": [{"id": one.id, "value": expression_text(one.expr)} | _note(card, one.id) for one in model.rules],
        "parameters": [
            {"id": one.id, "value": None if one.initial else one.value}
            | ({"formula": expression_text(one.initial)} if one.initial else {})
            | _note(card, one.id)
            for one in model.parameters
        ],
        "ports": [port.model_dump(mode="json", exclude_defaults=True) for port in card.ports],
        "published": [row.model_dump(mode="json", exclude_defaults=True) for row in card.published],
        "figures": [figure.model_dump(mode="json", exclude_defaults=True) for figure in card.figures],
    }


def _note(card: Card, symbol: str) -> dict[str, Any]:
    note = card.symbols.get(symbol)
    return note.model_dump(mode="json", exclude_none=True) if note else {}


def _show(card: Card, model: OdeModel) -> None:
    page = Page()
    page.title(f"{card.id}: {card.title}")
    doi = f", doi:{card.reference.doi}" if card.reference.doi else ""
    page.text(f"{card.reference.text}{doi}")
    page.text(card.about)
    page.heading(f"equations (time in {model.time_unit})")
    for line in _equations(model):
        page.line(line)
    page.heading("parameters")
    rows = [_parameter_row(one, card.symbols.get(one.id)) for one in model.parameters]
    page.table(["name", "value", "unit", "basis", "meaning; source"], rows)
    page.heading("ports")
    page.pairs(((f"{port.direction:4}{port.name}", _port(port)) for port in card.ports), indent=2)
    for heading, texts in (("changes against the paper", card.changes), ("limits", card.limits)):
        if texts:
            page.heading(heading)
            page.bullets(texts)


def _equations(model: OdeModel) -> Iterator[str]:
    from bonesim.model.text import expression_text

    for state in model.states:
        yield f"d({state.id})/dt = {expression_text(state.rate)}"
    for rule in model.rules:
        yield f"{rule.id} = {expression_text(rule.expr)}"
    for state in model.states:
        yield f"{state.id}(0) = {expression_text(state.initial)}"


def _parameter_row(parameter: Parameter, note: SymbolNote | None) -> tuple[str, str, str, str, str]:
    from bonesim.model.text import expression_text

    value = expression_text(parameter.initial) if parameter.initial else f"{parameter.value:.6g}"
    if note is None:
        return parameter.id, value, parameter.unit, "", ""
    span = f" ({note.low:g} to {note.high:g})" if note.low is not None and note.high is not None else ""
    return parameter.id, value + span, parameter.unit, note.basis, "; ".join(filter(None, (note.label, note.source)))


def _port(port: Port) -> str:
    """What a port does, in words."""
    parts = [f"multiplies {', '.join(port.multiplies)}"] if port.multiplies else []
    if port.divides:
        parts.append(f"divides {', '.join(port.divides)}")
    named = {"replaces": port.replaces, "adds to": port.jumps, "sets": port.sets, "gives": port.symbol}
    parts += [f"{word} {name}" for word, name in named.items() if name]
    if port.sum:
        parts.append(f"gives {' + '.join(port.sum)}")
    if port.relative:
        parts.append("over its value at the start")
    if port.cells:
        parts.append(f"of {', '.join(port.cells)}")
    return ", ".join(parts)
