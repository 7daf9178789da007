"""Changes at dotted keys: `doses[0].amount` set to another value in the data of a document."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bonesim.errors import InputError, Place
from bonesim.yamlio.document import Path

_STEP = re.compile(r"\.?(?:([A-Za-z_][A-Za-z0-9_-]*)|\"([^\"]+)\")|\[([0-9]{1,6})\]")


@dataclass(frozen=True)
class Change:
    """One key with its new value; messages name `place`, and `example` where they show how a change is written."""

    key: str
    value: Any
    place: Place
    example: str


def changed(data: Any, changes: Iterable[Change]) -> tuple[Any, dict[Path, Change]]:
    """A copy of `data` with the changes made, and the path of all that each of them added."""
    data = copy.deepcopy(data)
    return data, {_put(data, _path(change), change): change for change in changes}


def dotted_key(path: Path) -> str:
    """A path as it is written in a change."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _path(change: Change) -> Path:
    """`doses[0].amount` as steps."""
    steps: list[str | int] = []
    position, key = 0, change.key
    while position < len(key):
        found = _STEP.match(key, position)
        if not found or (position == 0) == key.startswith((".", "["), position):
            raise InputError("no path to a key", place=change.place, remedy=change.example)
        steps.append(found[1] or found[2] or int(found[3]))
        position = found.end()
    if not steps:
        raise InputError("no path to a key", place=change.place, remedy=change.example)
    return tuple(steps)


def _put(data: Any, path: Path, change: Change) -> Path:
    """Make a change at `path`; returns the path of what is new: `path`, or the first block that had to be made."""
    added = path
    for position, step in enumerate(path):
        last = position == len(path) - 1
        if isinstance(step, int):
            _check_index(data, step, path[:position], change.place)
        elif not isinstance(data, dict):
            raise InputError(f"'{dotted_key(path[:position])}' has no keys", place=change.place, remedy=_indexed(data))
        elif not last and step not in data:
            data[step] = {}
            added = path[: position + 1] if added == path else added
        if last:
            data[step] = change.value
        else:
            data = data[step]
    return added


def _check_index(data: Any, index: int, path: Path, place: Place) -> None:
    if not isinstance(data, list):
        raise InputError(f"'{dotted_key(path)}' is no list", place=place, remedy="a key without [ ]")
    if index >= len(data):
        count = f"{len(data)} {'entry' if len(data) == 1 else 'entries'}"
        remedy = f"a number from 0 to {len(data) - 1}" if data else "write the entry into the file, or set all of it"
        raise InputError(f"'{dotted_key(path)}' has {count}, counted from 0", place=place, remedy=remedy)


def _indexed(data: Any) -> str:
    return "name an entry by its number, e.g. doses[0].amount" if isinstance(data, list) else "a key of the schema"
