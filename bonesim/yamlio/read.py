"""From a file to text: the checks before YAML begins."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bonesim.errors import InputError, Place, closest
from bonesim.yamlio.compose import compose
from bonesim.yamlio.document import Document

LARGEST_FILE = 2_000_000
"""Bytes; the largest file of the catalogue has about a hundredth of it."""

_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML 1.2 does not allow in a file (section 5.1)."""


def read(path: str | os.PathLike[str]) -> Document:
    """The document in a YAML file.

    Raises
    ------
    InputError
        If the file is missing, unreadable, too large, not UTF-8, or not YAML as `bonesim.yamlio` reads it.
    """
    file = os.fspath(path)
    data = _bytes(file)
    if len(data) > LARGEST_FILE:
        raise InputError("the file is larger than 2 MB", place=Place(file), remedy="split it, or move data to a table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        raise InputError(problem, place=Place(file, line), remedy="save the file as UTF-8") from None
    return _document(text, file)


def read_text(text: str, file: str = "<text>") -> Document:
    """The document in `text`; `file` is the name that messages show. Errors as in `read`."""
    if len(text) > LARGEST_FILE:
        raise InputError("the text is larger than 2 MB", place=Place(file), remedy="split it")
    return _document(text, file)


def _document(text: str, file: str) -> Document:
    refused = _REFUSED.search(text)
    if refused:
        line = text.count("\n", 0, refused.start()) + 1
        problem = f"character U+{ord(refused[0]):04X} is not allowed in YAML"
        raise InputError(problem, place=Place(file, line), remedy="delete it")
    return compose(text, file)


def _bytes(file: str) -> bytes:
    place = Place(file)
    try:
        with open(file, "rb") as stream:
            return stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise InputError("no such file", place=place, remedy=_neighbours(file)) from None
    except IsADirectoryError:
        raise InputError("this is a folder", place=place, remedy="name a file in it") from None
    except PermissionError:
        raise InputError("the file may not be read", place=place, remedy="check its permissions") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"the file cannot be read: {reason}", place=place, remedy="check the path") from None


def _neighbours(file: str) -> str:
    """What to try for a file that is not there."""
    folder = Path(file).parent
    try:
        names = sorted(p.name for p in folder.iterdir() if p.suffix in (".yaml", ".yml"))
    except OSError:
        return f"check the path; there is no folder '{folder}'"
    return closest(Path(file).name, names) if names else f"check the path; there is no YAML file in '{folder}'"
