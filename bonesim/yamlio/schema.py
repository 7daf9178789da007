"""A document against a pydantic model: the model's instance, or every fault with its place.

Types are read as strictly as YAML writes them: `"12"` is no number, `true` is no 1. Where a field allows one of several
models, only the faults of the model that fits best are told, and no place is told of twice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from bonesim.errors import InputError, Place, closest
from bonesim.yamlio.document import Document, Path, dotted
from bonesim.yamlio.wording import EXPECTED, explain, remedy_for_any, shown

if TYPE_CHECKING:
    from pydantic import BaseModel

MOST_FAULTS = 200
"""Complaints of pydantic that are looked at; more than that is a file of another kind."""

M = TypeVar("M", bound="BaseModel")


@dataclass(frozen=True)
class _Fault:
    """One complaint of pydantic.

    `path` is the part of its location that the document has; `branches` are the steps it has not, each with the path
    where it stood: names of the models of a union.
    """

    path: Path
    branches: tuple[tuple[Path, str], ...]
    raw: dict[str, Any]
    wanted: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return str(self.raw["type"])

    @property
    def name(self) -> str:
        """The last step of the location: the key that is missing or unknown."""
        return str(self.raw["loc"][-1])


def validate(document: Document, model: type[M]) -> M:
    """The instance of `model` that the document describes.

    Raises
    ------
    InputError
        Everything that is wrong, joined by `InputError.together`, in the order of the lines.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        raws = error.errors(include_url=False)[:MOST_FAULTS]
    faults = _without_echoes(_best_branches([_fault(document.data, dict(raw)) for raw in raws]), model)
    errors = [error for fault in faults for error in _input_errors(document, model, fault)]
    told: dict[str, InputError] = {}
    for one in errors:
        told.setdefault(_told(one), one)
    raise InputError.together(sorted(told.values(), key=lambda one: (one.place and one.place.line) or 0))


def _fault(data: Any, raw: dict[str, Any]) -> _Fault:
    missing = raw["type"] == "missing"
    steps = raw["loc"][:-1] if missing else raw["loc"]
    _, path, branches = _resolve(data, tuple(steps), (), missing)
    return _Fault(path, branches, raw)


_Resolved = tuple[float, Path, tuple[tuple[Path, str], ...]]


def _resolve(data: Any, steps: tuple[str | int, ...], path: Path, in_block: bool) -> _Resolved:
    """(cost, path, branches) of a location: as few steps as possible that the data have not, the last one least of all.

    The name of a union's model can also be a key of the data, hence the search instead of a walk.
    """
    if not steps:
        return (0.0 if isinstance(data, dict) or not in_block else 10.0), path, ()
    step, rest = steps[0], steps[1:]
    cost, skipped, branches = _resolve(data, rest, path, in_block)
    best: _Resolved = (cost + (1.0 if rest else 1.5), skipped, ((path, str(step)), *branches))
    if not _has(data, step):
        return best
    return min(_resolve(data[step], rest, (*path, step), in_block), best, key=lambda found: found[0])


def _has(data: Any, step: str | int) -> bool:
    return step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))


def _best_branches(faults: list[_Fault], depth: int = 0) -> list[_Fault]:
    """Of each union only the faults of its best model."""
    kept = [fault for fault in faults if len(fault.branches) <= depth]
    unions: dict[Path, dict[str, list[_Fault]]] = defaultdict(lambda: defaultdict(list))
    for fault in faults:
        if len(fault.branches) > depth:
            path, label = fault.branches[depth]
            unions[path][label].append(fault)
    for path, branches in unions.items():
        kept += _best_branches(_best_branch(path, list(branches.values())), depth + 1)
    return kept


def _best_branch(path: Path, branches: list[list[_Fault]]) -> list[_Fault]:
    """The faults to tell of a union at `path`: of the model nearest to what is written, or all types it allows."""
    inside = [faults for faults in branches if faults[0].kind not in EXPECTED or faults[0].path != path]
    if inside:
        return min(inside, key=len)
    wanted = tuple(dict.fromkeys(EXPECTED[faults[0].kind] for faults in branches))
    return [replace(branches[0][0], wanted=wanted)]


def _without_echoes(faults: list[_Fault], model: type[BaseModel]) -> list[_Fault]:
    """Faults without those that others say better.

    A missing key may only be misspelt, and the unknown key beside it says so; a list may be too short only because of
    entries that are wrong themselves.
    """
    meant = {
        (fault.path[:-1], closest(fault.name, _names(model, fault)))
        for fault in faults
        if fault.kind == "extra_forbidden"
    }
    echo = "did you mean '{}'?".format
    inner = [fault.path for fault in faults]

    def echoes(fault: _Fault) -> bool:
        if fault.kind == "too_short":
            return any(len(path) > len(fault.path) and path[: len(fault.path)] == fault.path for path in inner)
        return fault.kind == "missing" and (fault.path, echo(fault.name)) in meant

    return [fault for fault in faults if not echoes(fault)]


def _input_errors(document: Document, model: type[BaseModel], fault: _Fault) -> list[InputError]:
    """Our errors for one fault; several where a validator joined several."""
    place = document.place(fault.path)
    raised = fault.raw.get("ctx", {}).get("error")
    if isinstance(raised, InputError):
        return [_placed(document, fault.path, part) for part in raised.parts]
    if fault.kind == "extra_forbidden":
        return [InputError("unknown key", place=place, remedy=closest(fault.name, _names(model, fault)))]
    if fault.kind == "missing":
        return [_missing(document, fault.path, fault.name)]
    if fault.kind == "union_tag_not_found":
        return [_missing(document, fault.path, fault.raw["ctx"]["discriminator"].strip("'"))]
    if fault.kind == "union_tag_invalid":
        place = document.place((*fault.path, fault.raw["ctx"]["discriminator"].strip("'")))
    if len(fault.wanted) > 1:
        problem = f"expected {' or '.join(fault.wanted)}, got {shown(fault.raw['input'])}"
        return [InputError(problem, place=place, remedy=remedy_for_any(fault.wanted, fault.raw["input"]))]
    problem, remedy = explain(fault.raw)
    return [InputError(problem, place=place, remedy=remedy)]


def _told(error: InputError) -> str:
    """What makes an error a new one: its place, and for a missing key the key."""
    return f"{error.place} {error.problem if error.problem.startswith(_MISSING) else ''}"


_MISSING = "missing key"


def _missing(document: Document, path: Path, name: str) -> InputError:
    return InputError(f"{_MISSING} '{name}'", place=document.place(path), remedy=f"add '{name}: ...'")


def _placed(document: Document, path: Path, error: InputError) -> InputError:
    """What a validator raised, at the place of its field; a key it names is looked up below that field."""
    if error.place and error.place.file:
        return error
    place = document.place(path)
    if error.place and error.place.key:
        prefix = dotted(path)
        key = f"{prefix}.{error.place.key}" if prefix else error.place.key
        named = (known for known in document.places.values() if known.key == key)
        place = next(named, Place(place.file, place.line, key))
    return InputError(error.problem, place=place, remedy=error.remedy)


def _names(model: type[BaseModel], fault: _Fault) -> list[str]:
    """The keys that the schema knows where an unknown key stands."""
    annotations: list[Any] = _spread(model)
    for step in fault.path[:-1]:
        annotations = [found for annotation in annotations for found in _below(annotation, step)]
    models = [annotation for annotation in annotations if hasattr(annotation, "model_fields")]
    chosen = [one for one in models if any(_answers_to(one, label) for _, label in fault.branches)] or models
    return [field.alias or name for candidate in chosen for name, field in candidate.model_fields.items()]


def _answers_to(model: type[BaseModel], label: str) -> bool:
    """Whether pydantic calls `model` by `label` inside a union: by its name, or by the value of its tag."""
    tags = (argument for field in model.model_fields.values() for argument in get_args(field.annotation))
    return model.__name__ == label or label in tags


def _spread(annotation: Any) -> list[Any]:
    """The models and collections that an annotation allows."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _spread(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [found for part in get_args(annotation) for found in _spread(part)]
    return [annotation]


def _below(annotation: Any, step: str | int) -> list[Any]:
    """What stands in `annotation` under a key or an index."""
    fields = getattr(annotation, "model_fields", None)
    if fields is not None:
        return [found for name, f in fields.items() if step in (name, f.alias) for found in _spread(f.annotation)]
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    if not arguments:
        return []
    several = get_origin(annotation) is tuple and isinstance(step, int) and step < len(arguments)
    return _spread(arguments[int(step)] if several else arguments[-1])
