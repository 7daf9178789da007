"""The catalogue from its files: read once, checked as a whole, kept until a file changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from bonesim.catalog.check import Entries, Entry, number_problems, problems, reference_problems
from bonesim.catalog.schema import (
    Block,
    Carrier,
    Context,
    Edge,
    Factor,
    Number,
    PriorsFile,
    Reference,
    ReferenceId,
    ReferencesFile,
    Route,
    Source,
    Species,
    Vocabulary,
)
from bonesim.errors import InputError, Place, closest, quoted
from bonesim.yamlio import Document, read, validate

HERE = Path(__file__).parent
DATA = HERE / "data"
EXTRA_FOLDER = "BONESIM_CATALOG"
"""Environment variable that names a folder with further entries."""

SECTIONS = ("sources", "contexts", "factors", "species", "routes", "carriers")

T = TypeVar("T", bound=Block)
V = TypeVar("V", Source, Context, Factor, Species, Route, Carrier)


@dataclass(frozen=True)
class Catalog:
    """Everything that is known, by id; the mappings are read-only."""

    vocabulary: Vocabulary
    priors: Mapping[str, Number]
    references: Mapping[ReferenceId, Reference]
    sources: Mapping[str, Source]
    contexts: Mapping[str, Context]
    factors: Mapping[str, Factor]
    species: Mapping[str, Species]
    routes: Mapping[str, Route]
    carriers: Mapping[str, Carrier]

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges of all sources, in the order of their ids' files."""
        return tuple(edge for source in self.sources.values() for edge in source.edges)

    @cached_property
    def source_of(self) -> Mapping[str, Source]:
        """The source that an edge belongs to, by the edge's id."""
        return MappingProxyType({edge.id: source for source in self.sources.values() for edge in source.edges})

    def source(self, id_: str) -> Source:
        """The source of this id, or an `InputError` that offers the nearest."""
        return _by_id("source", id_, self.sources)

    def context(self, id_: str) -> Context:
        """The context of this id, or an `InputError` that offers the nearest."""
        return _by_id("context", id_, self.contexts)

    def carrier(self, id_: str) -> Carrier:
        """The carrier of this id, or an `InputError` that offers the nearest."""
        return _by_id("carrier", id_, self.carriers)


class FileStamp(NamedTuple):
    """One file as it was when looked at; a changed file has another stamp."""

    section: str
    path: Path
    modified: int
    size: int


def load_catalog(extra: Path | str | None = None) -> Catalog:
    """The catalogue of the package, with the entries of an extra folder added.

    Parameters
    ----------
    extra
        Folder with further files, in sub-folders named as in `data/` (`sources/`, `contexts/`, ...); files directly in
        it are sources. Without it, the folder named by the environment variable BONESIM_CATALOG, if set.

    Raises
    ------
    InputError
        If the folder does not exist or any file is wrong; all faults are listed, each with its line.
    """
    folder = extra if extra is not None else os.environ.get(EXTRA_FOLDER)
    stamps = list(_stamps(DATA))
    if folder is not None:
        stamps += _stamps_of_extra(Path(folder))
    return _build(tuple(stamps))


def _stamps(folder: Path) -> Iterator[FileStamp]:
    for section in SECTIONS:
        yield from _stamped(section, (folder / section).glob("*.yaml"))
    if folder == DATA:
        yield from _stamped("shared", (HERE / "vocabulary.yaml", DATA / "priors.yaml", DATA / "references.yaml"))


def _stamps_of_extra(folder: Path) -> Iterator[FileStamp]:
    if not folder.is_dir():
        raise InputError(
            f"there is no folder '{folder}'",
            remedy=f"a folder with one YAML file for each source, as argument or in {EXTRA_FOLDER}",
        )
    yield from _stamped("sources", folder.glob("*.yaml"))
    yield from _stamps(folder)


def _stamped(section: str, paths: Iterable[Path]) -> Iterator[FileStamp]:
    for path in sorted(paths):
        state = path.stat()
        yield FileStamp(section, path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _build(stamps: tuple[FileStamp, ...]) -> Catalog:
    """Read, check and join the files; the stamps are the key under which the result is kept."""
    words = _entry(read(HERE / "vocabulary.yaml"), Vocabulary).value
    priors = _entry(read(DATA / "priors.yaml"), PriorsFile)
    shared = _entry(read(DATA / "references.yaml"), ReferencesFile)
    faults = [*number_problems(priors), *reference_problems(shared, ("references",), shared.value.references)]
    entries = _entries(stamps, priors.document.data["priors"])
    faults += problems(entries, words, shared.value.references)
    if faults:
        raise InputError.together(faults)

    own = (reference for entry in entries.sources for reference in entry.value.references)
    return Catalog(
        vocabulary=words,
        priors=MappingProxyType(priors.value.priors),
        references=MappingProxyType({reference.id: reference for reference in (*shared.value.references, *own)}),
        sources=_keyed(entry.value for entry in entries.sources),
        contexts=_keyed(entry.value for entry in entries.contexts),
        factors=_keyed(entry.value for entry in entries.factors),
        species=_keyed(entry.value for entry in entries.species),
        routes=_keyed(entry.value for entry in entries.routes),
        carriers=_keyed(entry.value for entry in entries.carriers),
    )


def _entries(stamps: Iterable[FileStamp], priors: Mapping[str, Any]) -> Entries:
    """Every file of every section, with named priors written out; all invalid files are told of at once."""
    faults: list[InputError] = []

    def section(name: str, model: type[T]) -> tuple[Entry[T], ...]:
        entries = []
        for stamp in stamps:
            if stamp.section != name:
                continue
            try:
                entries.append(_entry(_with_priors(read(stamp.path), priors), model))
            except InputError as error:
                faults.append(error)
        return tuple(entries)

    entries = Entries(
        sources=section("sources", Source),
        contexts=section("contexts", Context),
        factors=section("factors", Factor),
        species=section("species", Species),
        routes=section("routes", Route),
        carriers=section("carriers", Carrier),
    )
    if faults:
        raise InputError.together(faults)
    return entries


def _entry(document: Document, model: type[T]) -> Entry[T]:
    return Entry(validate(document, model), document)


def _with_priors(document: Document, priors: Mapping[str, Any]) -> Document:
    """The document with each `{prior: NAME}` replaced by the number of that name, which keeps the name."""
    faults: list[InputError] = []

    def written_out(part: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(part, list):
            return [written_out(item, (*path, i)) for i, item in enumerate(part)]
        if not isinstance(part, dict):
            return part
        if "prior" not in part:
            return {key: written_out(item, (*path, key)) for key, item in part.items()}
        name, place = part["prior"], document.place((*path, "prior"))
        if len(part) > 1:
            faults.append(InputError("a prior stands alone", place=place, remedy="the prior, or a number of its own"))
        elif name not in priors:
            problem = f"unknown prior {quoted(str(name))}"
            faults.append(InputError(problem, place=place, remedy=closest(str(name), priors)))
        else:
            return {**priors[name], "prior": name}
        return part

    data = written_out(document.data, ())
    if faults:
        raise InputError.together(faults)
    return replace(document, data=data)


def _keyed(values: Iterable[V]) -> Mapping[str, V]:
    """Entries by id, in the order of their ids, whatever file they came from."""
    return MappingProxyType({value.id: value for value in sorted(values, key=lambda value: value.id)})


def _by_id(kind: str, id_: str, known: Mapping[str, T]) -> T:
    if id_ not in known:
        raise InputError(f"unknown {kind} {quoted(id_)}", place=Place(key=kind), remedy=closest(id_, known))
    return known[id_]
