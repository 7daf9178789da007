"""Reads a model file: SBML of any level or Antimony, told apart by suffix, else by content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bonesim.model.ode import OdeModel
from bonesim.sbml.antimony import antimony_to_sbml, defining_lines
from bonesim.sbml.build import built
from bonesim.sbml.comp import flattened
from bonesim.sbml.document import opened, refuse_inconsistent
from bonesim.sbml.text import model_text

TOO_LARGE = "the model is too large for libsbml's checks of it; those of bonesim found nothing"
_KINDS = {".xml": "sbml", ".sbml": "sbml", ".ant": "antimony", ".antimony": "antimony"}


def read_model(path: Path) -> OdeModel:
    """The model in a file.

    Raises
    ------
    InputError
        If the file is not there, not readable, above 50 MB, or no complete and consistent model; if it names models
        outside of its folder.
    UnsupportedModelError
        If the model uses what `sbml.supported` lists.
    """
    file = str(path)
    text = model_text(path)
    kind = _KINDS.get(path.suffix.lower()) or ("sbml" if text.lstrip("\ufeff \t\r\n").startswith("<") else "antimony")
    return read_sbml(text, file=file) if kind == "sbml" else read_antimony(text, file=file)


def read_sbml(text: str, *, file: str) -> OdeModel:
    """The model in SBML text of Level 1 to 3; `file` is its name in messages. Errors as in `read_model`."""
    return _model(text, file, None)


def read_antimony(text: str, *, file: str) -> OdeModel:
    """The model in Antimony text; places are lines of that text. Errors as in `read_model`."""
    return _model(antimony_to_sbml(text, file=file), file, defining_lines(text))


def _model(text: str, file: str, lines: Mapping[str, int] | None) -> OdeModel:
    document = flattened(opened(text, file, lines))
    model = built(document)
    unchecked = () if refuse_inconsistent(document) else (TOO_LARGE,)
    return model.with_(remarks=(*map(_remark, document.ignored), *unchecked))


def _remark(package: str) -> str:
    """What is said of a package that a model names and does not need."""
    return f"package '{package}' is not read; the model says that no value depends on it (required=\"false\")"
