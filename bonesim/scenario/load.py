"""A scenario from its file: read, changed by `--set`, checked against schema and catalogue.

Problems are told together as far as they can be known: all faults of the schema at once, then all unknown names.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonesim.compose.own import is_file, module_id, own_module
from bonesim.errors import InputError, Place, closest, quoted
from bonesim.scenario.changes import Change, changed, dotted_key
from bonesim.scenario.delivery import unfit_delivery
from bonesim.scenario.derived import arm_scenario, at_arm
from bonesim.scenario.schema import LATER, TISSUE, Scenario, flag_of
from bonesim.scenario.subject import unfit_subject
from bonesim.yamlio import Document, read, read_text, validate
from bonesim.yamlio.scalars import NULLS

if TYPE_CHECKING:
    from bonesim.catalog import Catalog

SETTING = "--set doses[0].amount='30 ug'"
"""What remedies show of the flag."""


@dataclass(frozen=True)
class KnownNames:
    """The ids that a scenario may name, and the catalogue that says which subjects they hold for.

    Without `catalog` any subject will do.
    """

    sources: Collection[str]
    routes: Collection[str]
    contexts: Collection[str]
    species: Collection[str]
    cores: Collection[str]
    modules: Collection[str] = ()
    carriers: Collection[str] = ()
    catalog: Catalog | None = None


def load_scenario(
    path: str | os.PathLike[str],
    set_: Mapping[str, str] | Sequence[str] = (),
    *,
    known: KnownNames | None = None,
) -> Scenario:
    """The scenario in a file, after the changes that `set_` makes to it.

    Parameters
    ----------
    path
        A YAML file.
    set_
        Changes: `{"doses[0].amount": "30 ug"}`, or texts `doses[0].amount=30 ug` as `--set` takes them. A value is
        read as YAML; a list is longer only after the whole of it is set.
    known
        Ids that exist; those of the catalogue and the library where it is left out.

    Raises
    ------
    InputError
        All that is wrong, each with place and remedy.
    """
    folder = Path(path).parent
    document, flags = _changed(read(path), settings_of(set_))
    _count_from(folder, document.data, flags)
    try:
        scenario = validate(document, Scenario)
    except InputError as error:
        raise InputError.together([_reworded(part, flags) for part in error.parts]) from None
    scenario._document, scenario._flags, scenario._folder = document, flags, folder
    known = known or known_names()
    faults = list(_faults(scenario, known)) or [
        fault for name in scenario.arms for fault in _of_arm(scenario, name, known)
    ]
    if faults:
        raise InputError.together(faults)
    return scenario


def known_names() -> KnownNames:
    """The ids of the catalogue, and of the cores and modules in the library."""
    from bonesim.catalog import load_catalog
    from bonesim.resources import model_ids

    catalog = load_catalog()
    return KnownNames(
        sources=tuple(catalog.sources),
        routes=tuple(catalog.routes),
        contexts=tuple(catalog.contexts),
        species=tuple(catalog.species),
        cores=model_ids("core"),
        modules=[*model_ids("signal"), *(one for one in model_ids("tissue") if one != TISSUE)],
        carriers=tuple(catalog.carriers),
        catalog=catalog,
    )


def _faults(scenario: Scenario, known: KnownNames) -> Iterator[InputError]:
    """Unknown names, a subject that species or contexts do not hold for, doses that cannot be given so."""
    yield from _unknown_names(scenario, known)
    yield from _unfit_modules(scenario)
    if known.catalog:
        yield from unfit_subject(scenario, known.catalog.species, known.catalog.contexts)
        yield from unfit_delivery(scenario, known.catalog.routes, known.catalog.carriers)


def _of_arm(scenario: Scenario, name: str, known: KnownNames) -> Iterator[InputError]:
    """What is wrong with a further arm."""
    try:
        own = arm_scenario(scenario, name)
    except InputError as error:
        yield from error.parts
    else:
        yield from (at_arm(fault, scenario, name) for fault in _faults(own, known))


def _unknown_names(scenario: Scenario, known: KnownNames) -> Iterator[InputError]:
    named: list[tuple[str, str, str, Collection[str]]] = [
        ("subject.species", "species", scenario.subject.species, known.species),
        ("model.core", "core", scenario.model.core, known.cores),
    ]
    for position, module in enumerate(scenario.model.modules):
        named.append((f"model.modules[{position}]", "module", module, known.modules))
    for position, use in enumerate(scenario.context):
        named.append((f"context[{position}].id", "context", use.id, known.contexts))
    for position, dose in enumerate(scenario.doses):
        named.append((f"doses[{position}].source", "source", dose.source, known.sources))
        named.append((f"doses[{position}].route", "route", dose.route, known.routes))
        if dose.carrier is not None:
            named.append((f"doses[{position}].carrier", "carrier", dose.carrier, known.carriers))
    for key, what, name, names in named:
        if name not in names and not (what in {"core", "module"} and is_file(name)):
            problem = f"unknown {what} {quoted(name)}"
            yield InputError(problem, place=scenario.place(key), remedy=closest(name, names))


def _unfit_modules(scenario: Scenario) -> Iterator[InputError]:
    """What is wrong with files of own modules, in them or in how the scenario names them."""
    chosen = {"model.core": scenario.model.core}
    chosen |= {f"model.modules[{position}]": name for position, name in enumerate(scenario.model.modules)}
    ids = [module_id(name) for name in chosen.values()]
    for position, (key, name) in enumerate(chosen.items()):
        if not is_file(name):
            continue
        if ids[position] in ids[:position]:
            problem = f"two modules are called '{ids[position]}'"
            yield InputError(problem, place=scenario.place(key), remedy="another name for the file, and in its card")
            continue
        if not (scenario.folder / name).exists():
            problem = f"there is no file {quoted(name)} in '{scenario.folder}'"
            yield InputError(problem, place=scenario.place(key), remedy="a path from the folder of the scenario")
            continue
        try:
            card = own_module(scenario.folder / name, ids[position]).card
        except InputError as error:
            yield from error.parts
            continue
        if card and (card.kind == "core") != (key == "model.core"):
            problem = f"'{name}' is {'a core' if card.kind == 'core' else 'no core'}, its card says kind: {card.kind}"
            remedy = "name it as model.core" if card.kind == "core" else "name it under model.modules, or kind: core"
            yield InputError(problem, place=scenario.place(key), remedy=remedy)


def _count_from(folder: Path, data: Any, flags: dict[str, str]) -> None:
    """Paths of own modules that `--set` gave, which count from the current folder, count from that of the scenario."""
    model = data.get("model") if isinstance(data, dict) else None
    if not isinstance(model, dict):
        return

    def counted(name: Any, key: str) -> Any:
        here = isinstance(name, str) and is_file(name) and not Path(name).is_absolute() and flag_of(key, flags)
        return os.path.relpath(name, folder) if here else name

    if "core" in model:
        model["core"] = counted(model["core"], "model.core")
    if isinstance(model.get("modules"), list):
        model["modules"] = [counted(name, f"model.modules[{k}]") for k, name in enumerate(model["modules"])]


def _reworded(error: InputError, flags: dict[str, str]) -> InputError:
    """The error with the flag for its place where `--set` caused it, and a word on keys of later versions."""
    place, remedy = error.place, error.remedy
    key = (place and place.key) or ""
    if flag := flag_of(key, flags):
        place = Place(key=flag)
    name = key.rpartition(".")[2]
    if error.problem == "unknown key" and name in LATER:
        remedy = f"'{name}' comes with a later version; this one knows: {', '.join(LATER[name].model_fields)}"
    return InputError(error.problem, place=place, remedy=remedy)


def settings_of(set_: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Dotted key -> text of its new value, from what `load_scenario` takes."""
    if isinstance(set_, Mapping):
        return dict(set_)
    if isinstance(set_, str):
        set_ = [set_]
    settings: dict[str, str] = {}
    for text in set_:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError("no value", place=Place(key=f"--set {text}"), remedy=f"--set {text}=VALUE")
        if key.strip() in settings:
            raise InputError("set twice", place=Place(key=f"--set {key.strip()}"), remedy="set it once")
        settings[key.strip()] = value
    return settings


def _changed(document: Document, settings: Mapping[str, str]) -> tuple[Document, dict[str, str]]:
    """The document with the settings made, and the dotted key of all they added -> the flag that did it."""
    flags = {key: f"--set {key}" for key in settings}
    data, added = changed(
        document.data,
        (Change(key, _value(settings[key], flag), Place(key=flag), SETTING) for key, flag in flags.items()),
    )
    places = dict(document.places)
    for path in added:
        places = {known: place for known, place in places.items() if known[: len(path)] != path}
    set_by = {dotted_key(path): flags[change.key] for path, change in added.items()}
    return replace(document, data=data, places=places), set_by


def _value(text: str, flag: str) -> Any:
    if not text.strip():
        raise InputError("no value", place=Place(key=flag), remedy=f"{flag}=VALUE")
    if text.strip() in NULLS:  # as a document it would be an empty file
        return None
    try:
        return read_text(text).data
    except InputError as error:
        raise InputError(error.problem, place=Place(key=flag), remedy=error.remedy) from None
