"""Hierarchical models (SBML package comp) made flat by libsbml: symbol S of submodel A becomes `A__S`.

Submodels may come from other files, named by a relative path below the folder of the model. Each is looked at like
the model's own file before libsbml sees it, and libsbml sees copies in a folder that holds nothing else. How large a
hierarchy will be is known before it is made flat: ten levels of ten submodels each are one page of text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bonesim.errors import InputError, Place, closest, quoted
from bonesim.sbml.document import (
    Document,
    Element,
    Landmark,
    all_within,
    each,
    landmark,
    opened,
    refuse_errors,
    refuse_inconsistent,
)
from bonesim.sbml.supported import refuse
from bonesim.sbml.text import LARGEST, model_text

DEEPEST = 50
"""Levels of submodels within submodels."""

MOST_ELEMENTS = 500_000
"""Elements of the flat model, formulas included."""

MOST_NAMINGS = 2e9
"""Ids times elements, summed over all submodels: what libsbml looks at to rename them, about a minute."""

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]")
"""How addresses and absolute paths begin."""


def flattened(document: Document) -> Document:
    """The document without submodels; as it is where it has none.

    Raises
    ------
    InputError
        If a submodel, a port or an element that the hierarchy refers to is missing, if models contain each other in
        a circle, or if another file is not beside the model or is no SBML.
    UnsupportedModelError
        If the hierarchy is larger than we flatten.
    """
    plugin = document.model.getPlugin("comp")
    if plugin is None or not plugin.getNumSubmodels():
        return document
    files = _files(document)
    _Sizes(files).of(_Part(document.file, document.model))
    with TemporaryDirectory() as folder:
        for file, one in files.items():
            copy = Path(folder) / os.path.relpath(file, Path(document.file).parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(one.text, encoding="utf-8")
            one.raw.setLocationURI(f"file:{copy}")
        for one in reversed(files.values()):
            refuse_inconsistent(one)
        homes = _homes(files) if len(files) > 1 else None
        _flatten(document, folder)
    ignored = tuple(sorted({name for one in files.values() for name in one.ignored}))
    return replace(document, homes=homes, ignored=ignored)


def _flatten(document: Document, folder: str) -> None:
    import libsbml

    options = libsbml.ConversionProperties()
    options.addOption("flatten comp", True)
    options.addOption("performValidation", False)
    options.addOption("leavePorts", False)
    options.addOption("abortIfUnflattenable", "none")
    options.addOption("basePath", folder)
    status = document.raw.convert(options)
    refuse_errors(document)
    if status != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise refuse("submodels", f"model '{document.model.getId()}'", document.place(document.model))


def _models(document: Document) -> dict[str, Element]:
    """Every model that stands in a document, by id."""
    plugin = document.raw.getPlugin("comp")
    defined = each(plugin.getListOfModelDefinitions()) if plugin else ()
    return {document.model.getId(): document.model, **{one.getId(): one for one in defined}}


def _externals(document: Document) -> dict[str, Element]:
    """The models that a document takes from other files, by id."""
    plugin = document.raw.getPlugin("comp")
    return {one.getId(): one for one in each(plugin.getListOfExternalModelDefinitions())} if plugin else {}


def _files(document: Document) -> dict[str, Document]:
    """Every file of the hierarchy by its path, that of the model first."""
    root, room = Path(document.file).parent, LARGEST
    files, waiting = {document.file: document}, [document]
    while waiting:
        here = waiting.pop()
        for external in _externals(here).values():
            path, place = _beside(external.getSource(), here, root, here.place(external)), here.place(external)
            if str(path) in files:
                continue
            text = model_text(path)
            room -= len(text)
            if room < 0:
                problem = f"the files of this model are more than {LARGEST // 1_000_000} MB together"
                raise InputError(problem, place=place, remedy="a smaller model")
            files[str(path)] = opened(text, str(path))
            waiting.append(files[str(path)])
    return files


def _beside(source: str, here: Document, root: Path, place: Place) -> Path:
    """The file that `source` names in the document `here`; it must lie below `root`, the folder of the model."""
    remedy = f"a relative path to a file below '{root}', the folder of the model"
    if not source or _ELSEWHERE.match(source):
        raise InputError(f"a model cannot come from {quoted(source)}", place=place, remedy=remedy)
    path = Path(os.path.normpath(Path(here.file).parent / source))
    outside = Path(os.path.relpath(path, root)).parts[:1] == ("..",)
    if outside or not path.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{quoted(source)} is outside of the model's folder", place=place, remedy=remedy)
    if not path.exists():
        problem = f"there is no file {quoted(source)} beside the model"
        raise InputError(problem, place=place, remedy="put it there, or correct the name")
    return path


@dataclass(frozen=True)
class _Part:
    """A model and the file in which it stands."""

    file: str
    model: Element

    @property
    def key(self) -> tuple[str, str]:
        return self.file, self.model.getId()


@dataclass(frozen=True)
class _Size:
    """Ids and elements of a model with all of its submodels, and how many namings flattening it takes."""

    ids: int
    elements: int
    namings: float


class _Sizes:
    """How large each model of a hierarchy is when it is flat."""

    def __init__(self, files: Mapping[str, Document]) -> None:
        self.files = files
        self.root = Path(next(iter(files))).parent
        self.known: dict[tuple[str, str], _Size] = {}
        self.open: list[tuple[str, str]] = []

    def of(self, part: _Part) -> _Size:
        if part.key not in self.known:
            self.open.append(part.key)
            self.known[part.key] = self._counted(part)
            self.open.pop()
        return self.known[part.key]

    def _counted(self, part: _Part) -> _Size:
        document, plugin = self.files[part.file], part.model.getPlugin("comp")
        ids, elements, namings = part.model.getListOfAllElements().getSize(), part.model.toSBML().count("<"), 0.0
        for submodel in each(plugin.getListOfSubmodels()) if plugin else ():
            place, what = document.place(submodel), f"submodel '{submodel.getId()}'"
            child = self._referred(document, submodel.getModelRef(), what, place)
            if child.key in self.open:
                circle = " -> ".join(name for _, name in (*self.open[self.open.index(child.key) :], child.key))
                raise InputError(f"models contain each other in a circle: {circle}", place=place, remedy="break it")
            if len(self.open) > DEEPEST:
                raise refuse("submodels", what, place)
            size = self.of(child)
            ids, elements = ids + size.ids, elements + size.elements
            namings += size.namings + float(size.ids) * size.elements
            if elements > MOST_ELEMENTS or namings > MOST_NAMINGS:
                raise refuse("submodels", what, place)
        return _Size(ids, elements, namings)

    def _referred(self, document: Document, name: str, what: str, place: Place) -> _Part:
        """The model that `name` means in a document, found through other files if need be."""
        passed: set[tuple[str, str]] = set()
        while True:
            models, externals = _models(document), _externals(document)
            if not name:
                return _Part(document.file, document.model)
            if name in models:
                return _Part(document.file, models[name])
            if name not in externals:
                problem = f"{what} is of model {quoted(name)}, which {quoted(document.file)} does not define"
                raise InputError(problem, place=place, remedy=closest(name, filter(None, [*models, *externals])))
            if (document.file, name) in passed:
                problem = f"{what} is of model {quoted(name)}, whose files refer to each other in a circle"
                raise InputError(problem, place=place, remedy="let one of them define it")
            passed.add((document.file, name))
            path = _beside(externals[name].getSource(), document, self.root, place)
            document, name = self.files[str(path)], externals[name].getModelRef()


def _homes(files: Mapping[str, Document]) -> dict[Landmark, str]:
    """The files of those elements whose landmark only one file has."""
    homes: dict[Landmark, str | None] = {}
    for file, document in files.items():
        for mark in set(map(landmark, all_within(document.raw))):
            homes[mark] = None if mark in homes else file
    return {mark: file for mark, file in homes.items() if file}
