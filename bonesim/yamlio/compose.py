"""From YAML text to a `Document`, event by event, within fixed limits.

Nothing here recurses over the text: a stack holds the open collections, an alias adds the size of what it names to the
count of entries the moment it is read, and only a tree that is known to be small is unfolded. This is the only user
of PyYAML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from bonesim.errors import InputError, Place, quoted
from bonesim.yamlio.document import Document, Path, dotted
from bonesim.yamlio.scalars import CORE_TAG, Scalar, plain, tagged, unknown_tag

DEEPEST = 60
MOST_ENTRIES = 200_000

LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class _Node:
    """A value with its line; collections hold nodes, a mapping also the line of each key."""

    line: int
    value: Scalar | list[_Node] | dict[str, tuple[int, _Node]]
    size: int = 1
    height: int = 0
    anchor: str | None = None
    key: tuple[str, int] | None = None

    def add(self, child: _Node) -> None:
        """Append an item, or give the pending key its value."""
        if isinstance(self.value, list):
            self.value.append(child)
        elif isinstance(self.value, dict) and self.key:
            name, line = self.key
            self.value[name] = (line, child)
            self.key = None
        self.size += child.size
        self.height = max(self.height, child.height + 1)


def compose(text: str, file: str) -> Document:
    """The document that `text` holds.

    Raises
    ------
    InputError
        If it is no YAML, or says something that `bonesim.yamlio` does not read; with file, line and key.
    """
    root = _Composer(file).read(text)
    if root is None or root.value is None:
        raise InputError("the file is empty", place=Place(file), remedy="write at least one 'key: value'")
    places: dict[Path, Place] = {}
    return Document(_unfold(root, root.line, (), places, file), places, file)


def _unfold(node: _Node, line: int, path: Path, places: dict[Path, Place], file: str) -> Any:
    """Plain data of a tree no deeper than `DEEPEST`; each alias becomes a copy of its own."""
    places[path] = Place(file, line, dotted(path) or None)
    if isinstance(node.value, list):
        return [_unfold(item, item.line, (*path, i), places, file) for i, item in enumerate(node.value)]
    if isinstance(node.value, dict):
        return {key: _unfold(item, at, (*path, key), places, file) for key, (at, item) in node.value.items()}
    return node.value


class _Composer:
    """Builds the tree of nodes from the stream of events."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.open: list[_Node] = []
        self.anchors: dict[str, _Node | None] = {}
        self.entries = 0
        self.root: _Node | None = None
        self.line = 1

    def read(self, text: str) -> _Node | None:
        for event in self._events(text):
            self.line = event.start_mark.line + 1
            try:
                self._take(event)
            except InputError as error:
                if error.place:
                    raise
                self._refuse(error.problem, error.remedy)
        return self.root

    def _events(self, text: str) -> Iterator[Any]:
        try:
            yield from yaml.parse(text, Loader=LOADER)
        except yaml.YAMLError as error:
            raise _not_yaml(error, text, self.file) from None

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._alias(event.anchor or ""))
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._start(event, "seq", [])
        elif isinstance(event, yaml.MappingStartEvent):
            self._start(event, "map", {})
        elif isinstance(event, yaml.CollectionEndEvent):
            self._add(self.open.pop())

    def _start_document(self, event: Any) -> None:
        if self.root is not None:
            self._refuse("a second document begins here", "one document a file; delete the line '---'")
        if event.version not in (None, (1, 2)):
            self._refuse("only YAML 1.2 is read", "delete the line '%YAML ...'")

    def _start(self, event: Any, tag: str, value: list[_Node] | dict[str, tuple[int, _Node]]) -> None:
        self._refuse_as_key()
        if event.tag not in (None, "!", CORE_TAG + tag):
            raise unknown_tag(event.tag)
        self._refuse_depth(len(self.open) + 1)
        if event.anchor:
            self.anchors[event.anchor] = None
        self._count(1)
        self.open.append(_Node(self.line, value, anchor=event.anchor))

    def _scalar(self, event: Any) -> None:
        bare = event.implicit[0] and event.tag is None
        value = plain(event.value) if bare else tagged(event.value, event.tag or "!")
        if self._wants_key():
            self._key(event.value, value, bare)
            if event.anchor:
                self.anchors[event.anchor] = _Node(self.line, value)
            return
        self._count(1)
        self._add(_Node(self.line, value, anchor=event.anchor))

    def _key(self, text: str, value: Scalar, bare: bool) -> None:
        mapping = self.open[-1]
        if bare and text == "<<":
            self._refuse("merge keys are not read", "write the keys out, or name the whole block with an alias")
        if not isinstance(value, str):
            self._refuse(f"key {quoted(text)} is no text", f'put it in quotes: "{text}"' if text else "write a key")
        mapping.key = (value, self.line)
        assert isinstance(mapping.value, dict)
        if value in mapping.value:
            first = mapping.value[value][0]
            self._refuse(f"duplicate key, first given on line {first}", "keep one of the two")

    def _alias(self, anchor: str) -> _Node:
        self._refuse_as_key()
        if anchor not in self.anchors:
            remedy = f"write '&{anchor}' where it is defined"
            self._refuse(f"alias {quoted('*' + anchor)} names nothing above it", remedy)
        node = self.anchors[anchor]
        if node is None:
            self._refuse(f"alias {quoted('*' + anchor)} stands inside what it names", "write the value out")
        self._refuse_depth(len(self.open) + node.height)
        self._count(node.size)
        return _Node(self.line, node.value, node.size, node.height)

    def _add(self, node: _Node) -> None:
        if node.anchor:
            self.anchors[node.anchor] = node
        if self.open:
            self.open[-1].add(node)
        else:
            self.root = node

    def _count(self, entries: int) -> None:
        self.entries += entries
        if self.entries > MOST_ENTRIES:
            self._refuse(f"more than {MOST_ENTRIES} entries once aliases are written out", "fewer aliases of aliases")

    def _wants_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None

    def _refuse_as_key(self) -> None:
        if self._wants_key():
            self._refuse("a key must be text", "one word or a text in quotes in front of the colon")

    def _refuse(self, problem: str, remedy: str | None) -> NoReturn:
        steps: list[str | int] = []
        for node in self.open:
            if isinstance(node.value, list):
                steps.append(len(node.value))
            elif node.key:
                steps.append(node.key[0])
        raise InputError(problem, place=Place(self.file, self.line, dotted(tuple(steps)) or None), remedy=remedy)

    def _refuse_depth(self, depth: int) -> None:
        if depth > DEEPEST:
            problem = f"nested deeper than {DEEPEST} levels"
            raise InputError(problem, place=Place(self.file, self.line), remedy="a flatter file")


_HINTS = (
    ("mapping values are not allowed", "check the indentation; text with a colon stands in quotes"),
    ("cannot start any token", "indent with spaces, not tabs; text that begins with a sign stands in quotes"),
    ("unknown escape", "single quotes around text with a backslash"),
)
_HINT = "check brackets, quotes and indentation here and above"


def _not_yaml(error: yaml.YAMLError, text: str, file: str) -> InputError:
    """PyYAML's complaint as ours."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None)
    line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else None
    said = " ".join(f"{problem} {context or ''}".split())
    remedy = next((hint for part, hint in _HINTS if part in said), _HINT)
    return InputError(f"this is not YAML: {said}", place=Place(file, line), remedy=remedy)
