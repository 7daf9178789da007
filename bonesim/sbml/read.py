"""Reads a model file: SBML of any level or Antimony, told apart by suffix, else by content."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path

from bonesim.errors import InputError, Place
from bonesim.model.ode import OdeModel
from bonesim.sbml.antimony import antimony_to_sbml, defining_lines
from bonesim.sbml.build import built
from bonesim.sbml.document import opened, refuse_inconsistent
from bonesim.sbml.guard import LARGEST

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_KINDS = {".xml": "sbml", ".sbml": "sbml", ".ant": "antimony", ".antimony": "antimony"}


def read_model(path: Path) -> OdeModel:
    """The model in a file.

    Raises
    ------
    InputError
        If the file is not there, not readable, above 50 MB, or no complete and consistent model.
    UnsupportedModelError
        If the model uses what `sbml.supported` lists.
    """
    file = str(path)
    text = _text(path, file)
    kind = _KINDS.get(path.suffix.lower()) or ("sbml" if text.lstrip("\ufeff \t\r\n").startswith("<") else "antimony")
    return read_sbml(text, file=file) if kind == "sbml" else read_antimony(text, file=file)


def read_sbml(text: str, *, file: str) -> OdeModel:
    """The model in SBML text of Level 1 to 3; `file` is its name in messages. Errors as in `read_model`."""
    return _model(text, file, None)


def read_antimony(text: str, *, file: str) -> OdeModel:
    """The model in Antimony text; places are lines of that text. Errors as in `read_model`."""
    return _model(antimony_to_sbml(text, file=file), file, defining_lines(text))


def _model(text: str, file: str, lines: Mapping[str, int] | None) -> OdeModel:
    document = opened(text, file, lines)
    model = built(document)
    refuse_inconsistent(document)
    return model


def _text(path: Path, file: str) -> str:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(
                f"the file is too large: {size / 1e6:.0f} MB",
                place=Place(file),
                remedy=f"a model file of at most {LARGEST // 1_000_000} MB",
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file", place=Place(file), remedy="check the path") from None
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror}"
        raise InputError(problem, place=Place(file), remedy="a readable model file") from None
    return _decoded(data, file)


def _decoded(data: bytes, file: str) -> str:
    declared = _ENCODING.match(data)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = encoding or (declared[1].decode() if declared else "utf-8")
    try:
        return data.decode(encoding)
    except LookupError:
        raise InputError(f"unknown encoding '{encoding}'", place=Place(file, 1), remedy="save it as UTF-8") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"the text is not {encoding}", place=Place(file, line), remedy="save it as UTF-8") from None
