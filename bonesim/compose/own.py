"""A user's own modules: a model file with a card of the same name beside it, joined like those of the library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from bonesim.catalog import load_catalog
from bonesim.compose.card import Card, Port, load_card
from bonesim.compose.link import alike, compose
from bonesim.compose.module import Module, labelled, load_module
from bonesim.errors import InputError, Place, closest, quoted
from bonesim.model.ode import OdeModel, Parameter, State
from bonesim.resources import model_ids
from bonesim.yamlio import Document, read, validate
from bonesim.yamlio.document import Path as KeyPath

SUFFIXES = frozenset({".ant", ".antimony", ".xml", ".sbml"})
"""Of model files; whatever else names a module is the id of one in the library."""

NAMES = {"bone_volume": "bone"}
"""Modules of the library that have another name than their id in joined models."""


def is_file(named: str) -> bool:
    """Whether a core or module is named by a file, not by the id of one in the library."""
    return Path(named).suffix.lower() in SUFFIXES


def module_id(named: str) -> str:
    """The id of a core or module, which for a file is its name."""
    return Path(named).stem if is_file(named) else named


def find_module(named: str, name: str, folder: Path) -> Module:
    """The module that a user names, as `name`; a path starts from `folder`. Errors of `own_module`."""
    return own_module(folder / named, name) if is_file(named) else load_module(named, name)


def modules_with(name: str) -> list[str]:
    """Ids of the modules of the library that a scenario can name and that have a quantity of this name."""
    module, _, symbol = name.rpartition(".")
    known = (*model_ids("signal"), *model_ids("tissue"))
    cards = (load_card(one) for one in known if module in ("", one))
    return [card.id for card in cards if card.joins and symbol in card.symbols]


def composed(core: str | Path, modules: Sequence[str | Path] = ()) -> OdeModel:
    """A core and modules joined by their ports into one flat model, in which time is in days.

    Parameters
    ----------
    core : id of a core of the library, or a model file with its card beside it
    modules : ids of modules of the library (`bone_volume`, `angiogenesis`, ...), and such files

    Symbols get the id of their module in front (`angiogenesis.VEGF`), those of the core `core`.

    Raises
    ------
    InputError
        If one of them is unknown or not in order; for everything that cannot be joined, at once.
    """
    if isinstance(modules, str | Path):
        raise InputError("one module is given, not a list", place=Place(key="modules"), remedy=f"['{modules}']")
    named = [str(core), *map(str, modules)]
    names = ["core", *(NAMES.get(one, module_id(one)) for one in named[1:])]
    if twice := next((name for position, name in enumerate(names) if name in names[:position]), None):
        raise InputError(f"two modules are called '{twice}'", place=Place(key="modules"), remedy="name each once")
    parts = [find_module(one, name, Path()) for one, name in zip(named, names, strict=True)]
    return compose("+".join(map(module_id, named)), parts, [])


def own_module(file: Path, name: str) -> Module:
    """The module in a file of a user, as `name`.

    Raises
    ------
    InputError
        If the model or its card cannot be read, or for everything in which the two do not agree, at once.
    UnsupportedModelError
        As `sbml.read.read_model`.
    """
    stamps = [(path.stat().st_mtime_ns, path.stat().st_size) for path in (file, _card_of(file)) if path.is_file()]
    model, card, files = _read(file, tuple(stamps))
    return Module(name, model, card, files=files)


def _card_of(file: Path) -> Path:
    return file.with_suffix(".yaml")


@lru_cache(maxsize=64)
def _read(file: Path, stamps: tuple[tuple[int, int], ...]) -> tuple[OdeModel, Card, tuple[tuple[str, str], ...]]:
    """Model and card, and the text of both by name; kept as long as the files stay as they are, which `stamps` say."""
    from bonesim.sbml.read import read_model
    from bonesim.sbml.text import model_text

    model, beside = read_model(file), _card_of(file)
    if not beside.exists():
        remedy = f"a card such as this:\n{template(model, file.stem)}"
        raise InputError(f"{quoted(str(file))} has no card", place=Place(str(beside)), remedy=remedy)
    document = read(beside)
    card = validate(document, Card)
    faults = [*_of_the_whole(card, model, file), *_of_symbols(card, model), *_of_ports(card, model)]
    if faults:
        raise InputError.together([_placed(fault, document, path) for path, fault in faults])
    labels = {symbol: note.label for symbol, note in card.symbols.items()}
    files = ((file.name, model_text(file)), (beside.name, beside.read_text(encoding="utf-8")))
    return labelled(model.with_(id=card.id), labels), card, files


Fault = tuple[KeyPath, InputError]
"""Where in the card something is wrong, and what."""


def _placed(fault: InputError, document: Document, path: KeyPath) -> InputError:
    return InputError(fault.problem, place=document.place(path), remedy=fault.remedy)


def _of_the_whole(card: Card, model: OdeModel, file: Path) -> Iterator[Fault]:
    """Id and unit of time."""
    if card.id != file.stem:
        problem = f"the card is of '{card.id}', its file of '{file.stem}'"
        yield ("id",), InputError(problem, remedy=f"id: {file.stem}")
    elif card.id in model_ids():
        problem = f"'{card.id}' is a module of the library"
        yield ("id",), InputError(problem, remedy="another name for both files and in the card")
    elif "__" in card.id or not card.id.isidentifier() or not card.id.isascii() or card.id in {"core", "bone"}:
        yield ("id",), InputError(f"'{card.id}' cannot name a module", remedy="letters, digits and single underscores")
    if not alike(card.time_unit, model.time_unit):
        problem = f"the card counts time in {card.time_unit}, the model in {model.time_unit or 'no unit'}"
        yield ("time_unit",), InputError(problem, remedy="unit time_unit = 86400 second, and time_unit: day")


def _of_symbols(card: Card, model: OdeModel) -> Iterator[Fault]:
    """Every number of the model has its note, of the same unit, and every note its symbol."""
    for symbol, note in card.symbols.items():
        path: KeyPath = ("symbols", symbol)
        if symbol not in model.by_id:
            yield path, InputError(f"the model has no symbol '{symbol}'", remedy=closest(symbol, model.by_id))
        elif not alike(note.unit, unit := model.by_id[symbol].unit):
            problem = f"the card says {note.unit}, the model {unit or 'no unit'}"
            yield (*path, "unit"), InputError(problem, remedy="the same unit in both")
    numbers: tuple[State | Parameter, ...] = (*model.states, *model.parameters)
    for one in numbers:
        if one.id not in card.symbols:
            remedy = f"{one.id}: {{label: ..., unit: {one.unit or 'dimensionless'}, basis: ..., source: ...}}"
            yield ("symbols",), InputError(f"nothing is said of '{one.id}'", remedy=remedy)


def _of_ports(card: Card, model: OdeModel) -> Iterator[Fault]:
    """Ports act on what the model has, by names that others know."""
    numbers: tuple[State | Parameter, ...] = (*model.parameters, *model.states)
    wanted = {"multiplies": Parameter, "divides": Parameter, "replaces": Parameter, "sets": Parameter, "jumps": State}
    for number, port in enumerate(card.ports):
        for key, kind in wanted.items():
            said = getattr(port, key)
            for symbol in (said,) if isinstance(said, str) else said or ():
                if symbol in model.by_id and not isinstance(model.by_id[symbol], kind):
                    names = [one.id for one in numbers if isinstance(one, kind)]
                    problem = f"'{symbol}' is no {kind.__name__.lower()} of the model"
                    yield ("ports", number, key), InputError(problem, remedy=closest(symbol, names))
        for key, name in _processes(port):
            yield from ((("ports", number, key), fault) for fault in _unknown(name, key == "drives"))


def _processes(port: Port) -> Iterator[tuple[str, str]]:
    """Key and name of each process or molecule that a port names."""
    if port.multiplies or port.divides:
        yield "name", port.name
    yield from (("drives", name) for name in port.drives)


def _unknown(name: str, driven: bool) -> Iterator[InputError]:
    """What of `cell.process` the vocabulary lacks; what is driven is no molecule."""
    words = load_catalog().vocabulary
    cell, _, process = name.rpartition(".")
    known = [*words.processes, *(() if driven else words.nodes)]
    if cell and cell not in words.cell_targets:
        yield InputError(f"unknown cell '{cell}'", remedy=closest(cell, words.cell_targets))
    if process not in known:
        yield InputError(f"unknown process '{process}'", remedy=closest(process, known))


def template(model: OdeModel, name: str) -> str:
    """A card to begin with, in which every number of the model is listed."""
    rows = []
    for symbol in model.symbols():
        computed = not isinstance(symbol, Parameter) or symbol.initial is not None
        origin = "basis: computed, source: ..." if computed else "basis: assumed, low: ..., high: ..., why: ..."
        rows.append(f"    {symbol.id}: {{label: ..., unit: {symbol.unit or 'dimensionless'}, {origin}}}")
    head = [f"id: {name}", "kind: signal", "title: ...", "reference: {text: ...}", f"time_unit: {model.time_unit}"]
    ports = "ports:\n    - {name: ..., direction: out, symbol: ..., drives: [osteoblast.apoptosis], why: ...}"
    return "\n".join(["  " + line for line in (*head, "about: ...", "symbols:")] + rows + ["  " + ports])
