"""The text of a model file: bounded in size, in the encoding that it says it has."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path

from bonesim.errors import InputError, Place

LARGEST = 50_000_000
"""Bytes of the largest file that is read."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_NOT_FOR_FILES = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
"""Codecs of Python that no XML is written in."""

_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
"""How compressed files begin."""


def model_text(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    InputError
        If the file is not there, not readable, empty, compressed, above 50 MB, or no text in its encoding.
    """
    file = str(path)
    if os.path.exists(path) and not os.path.isfile(path):
        kind = "a folder" if os.path.isdir(path) else "no regular file"
        raise InputError(f"this is {kind}", place=Place(file), remedy="name the model file itself")
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
            size = max(len(data), path.stat().st_size)
    except FileNotFoundError:
        raise InputError("there is no such file", place=Place(file), remedy="check the path") from None
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        problem = f"the file cannot be read: {reason}"
        raise InputError(problem, place=Place(file.replace("\0", "?")), remedy="a readable model file") from None
    if size > LARGEST:
        problem, remedy = f"the file is too large: {size / 1e6:.0f} MB", f"at most {LARGEST // 1_000_000} MB"
        raise InputError(problem, place=Place(file), remedy=f"a model file of {remedy}")
    return _decoded(data, file)


def _decoded(data: bytes, file: str) -> str:
    if not data.strip():
        raise InputError("the file is empty", place=Place(file), remedy="a model in SBML or Antimony")
    for mark, kind in _PACKED.items():
        if data.startswith(mark):
            raise InputError(f"the file is compressed ({kind})", place=Place(file), remedy="unpack it first")
    declared = _ENCODING.match(data)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = encoding or (declared[1].decode() if declared else "utf-8")
    try:
        if codecs.lookup(encoding).name in _NOT_FOR_FILES:
            raise LookupError
        text = data.decode(encoding)
    except LookupError:
        raise InputError(f"unknown encoding '{encoding}'", place=Place(file, 1), remedy="save it as UTF-8") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"the text is not {encoding}", place=Place(file, line), remedy="save it as UTF-8") from None
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise InputError("the text holds a NUL character", place=Place(file, line), remedy="save it as UTF-8 text")
    return text
