"""Looks at XML text before libsbml does: well-formed, SBML at the root, no entities, not too deep.

libsbml expands entities, loses the line of a syntax error and recurses without limit; a file from elsewhere must
not get that far.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from bonesim.errors import InputError, Place, quoted

DEEPEST = 250
"""Levels of nested XML; published models stay below 50, Python's own recursion limit is 1000."""

WIDEST = 50_000
"""Elements of one formula, or its characters in Level 1; libsbml's time, some seconds then, grows with the square."""

_CUT = {"no element found", "unclosed token", "unclosed CDATA section", "partial character"}
"""What expat says where a text ends within an element."""

_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE)
_MATHML = "http://www.w3.org/1998/Math/MathML|"
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")


@dataclass(frozen=True)
class SbmlText:
    """Text that is safe to hand to libsbml, and the `required` flags of the packages it names."""

    text: str
    required: Mapping[str, bool]


def checked(text: str, file: str, *, lined: bool = True) -> SbmlText:
    """The text with its encoding declared as what Python strings are, once it is known to be an SBML document.

    Without `lined`, its lines are not those of the file, and messages leave them out.

    Raises
    ------
    InputError
        If the text is not well-formed XML, not SBML, declares entities or is nested deeper than `DEEPEST`.
    """
    text = text.removeprefix("\ufeff")
    found = _DECLARATION.match(text)
    declaration = found[0] if found else ""
    line_breaks = "\n" * declaration.count("\n")
    body = f'<?xml version="1.0" encoding="UTF-8"?>{line_breaks}{text[len(declaration) :]}'
    look = _Look(file, lined)
    look.read(body)
    return SbmlText(body, look.required)


class _Look:
    """One pass of expat."""

    def __init__(self, file: str, lined: bool) -> None:
        self.file = file
        self.lined = lined
        self.depth = 0
        self.terms = 0
        self.required: dict[str, bool] = {}
        self.parser = expat.ParserCreate("utf-8", "|")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype

    def read(self, text: str) -> None:
        try:
            self.parser.Parse(text.encode("utf-8", "surrogatepass"), True)
        except expat.ExpatError as error:
            place = Place(self.file, error.lineno)
            message = expat.errors.messages[error.code]
            if _HTML.match(text):
                problem, remedy = "not SBML: this is a page of HTML", "download the model file itself"
                raise InputError(problem, place=place, remedy=remedy) from None
            if message in _CUT and self.depth:
                raise InputError(
                    "the XML ends too early", place=place, remedy="get a complete copy of the file"
                ) from None
            raise InputError(f"not XML: {message}", place=place, remedy="a model in SBML or Antimony") from None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.depth:
            self._root(name, attributes)
        self.depth += 1
        self.terms = 0 if name.endswith("|math") else self.terms + 1
        if (self.terms > WIDEST and name.startswith(_MATHML)) or len(attributes.get("formula", "")) > WIDEST:
            self._refuse(f"a formula has more than {WIDEST} terms", "split the formula into assignment rules")
        if self.depth > DEEPEST:
            self._refuse(f"elements are nested more than {DEEPEST} deep", "split the formula into assignment rules")

    def end(self, _name: str) -> None:
        self.depth -= 1

    def doctype(self, *_: object) -> None:
        self._refuse("document type and entity declarations are not allowed", "remove the <!DOCTYPE ...> part")

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition("|")[2]
        if local != "sbml":
            self._refuse(f"not SBML: the root element is {quoted(f'<{local}>')}", "a model in SBML or Antimony")
        for attribute, value in attributes.items():
            uri, _, key = attribute.rpartition("|")
            if key == "required" and uri:
                self.required[_package(uri)] = value.strip() in {"true", "1"}

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        line = self.parser.CurrentLineNumber if self.lined else None
        raise InputError(problem, place=Place(self.file, line), remedy=remedy)


def _package(uri: str) -> str:
    """`comp` from `http://www.sbml.org/sbml/level3/version1/comp/version1`."""
    parts = uri.rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 and parts[-1].startswith("version") else uri
