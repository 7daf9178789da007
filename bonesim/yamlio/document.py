"""What a YAML file says, and where it says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bonesim.errors import Place

Path = tuple[str | int, ...]
"""Keys and indices from the root of a document to an entry."""

LONGEST_KEY = 40


def dotted(path: Path) -> str:
    """A path as users write it: `doses[0].amount`; a key with signs of its own stands in quotes."""
    text = ""
    for step in path:
        text = f"{text}[{step}]" if isinstance(step, int) else f"{text}.{_key(step)}" if text else _key(step)
    return text


def _key(key: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in key)
    shown = shown if len(shown) <= LONGEST_KEY else f"{shown[: LONGEST_KEY - 3]}..."
    return shown if shown.replace("_", "").replace("-", "").isalnum() else f'"{shown}"'


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the place of each entry.

    Parameters
    ----------
    data
        The document.
    places
        Path to an entry -> where its key stands, or its value if it has none.
    file
        The file as the user named it.
    """

    data: Any
    places: dict[Path, Place]
    file: str

    def place(self, path: Path) -> Place:
        """Where `path` stands; if it does not, the line of its nearest ancestor that does, with the key of `path`."""
        known = next(path[:n] for n in range(len(path), -1, -1) if path[:n] in self.places)
        return Place(self.file, self.places[known].line, dotted(path) or None)
