"""An SBML document as libsbml holds it: opened, refused for its errors, with places and unit texts at hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bonesim.errors import InputError, Place
from bonesim.model.ode import Origin
from bonesim.sbml.guard import checked
from bonesim.sbml.mathml_read import MathReader, Where
from bonesim.sbml.supported import refuse
from bonesim.sbml.units import factors_text
from bonesim.units import SbmlFactor

Element = Any
"""Any libsbml object; libsbml has no types."""

NO_UNIT = 10313
"""libsbml's rule that every unit is defined; one that is not changes no number, and its symbol is without unit."""

SHOWN = 5
"""How many of libsbml's errors are shown at most."""

MOST_CHECKED = 100_000
"""Elements of the largest document that libsbml's checks are asked of; they take half a minute then."""

_BUILT_IN = {"substance": "mole", "volume": "litre", "area": "metre^2", "length": "metre", "time": "second"}
"""Units that Levels 1 and 2 know without definition."""

_BY_DIMENSION = {3.0: "volume", 2.0: "area", 1.0: "length"}


Landmark = tuple[str, str, int]
"""Name of an element, the last part of its id, and its line."""


@dataclass(frozen=True)
class Document:
    """One parsed file. `lines` says where symbols stand if the text was made from another file (Antimony).

    `text` is what libsbml has read. Where submodels come from several files, `homes` gives each element by its
    `landmark` the file in which it stands. `ignored` are the packages that the model names without needing them.
    """

    raw: Element
    file: str
    lines: Mapping[str, int] | None = None
    text: str = field(default="", repr=False)
    homes: Mapping[Landmark, str] | None = None
    ignored: tuple[str, ...] = ()

    @property
    def model(self) -> Element:
        """libsbml's Model."""
        return self.raw.getModel()

    @property
    def level(self) -> int:
        """SBML Level, 1 to 3."""
        return int(self.raw.getLevel())

    @cached_property
    def math(self) -> MathReader:
        """Reads formulas, with the model's function definitions."""
        functions = {f.getId(): f.getMath() for f in each(self.model.getListOfFunctionDefinitions())}
        everything = self.model.getListOfAllElements()
        taken = {everything.get(k).getId() for k in range(everything.getSize())}
        return MathReader({name: math for name, math in functions.items() if math is not None}, taken)

    @cached_property
    def definitions(self) -> Mapping[str, tuple[list[SbmlFactor], str]]:
        """What the model's own units mean, with their names."""
        return {unit.getId(): _definition(unit) for unit in each(self.model.getListOfUnitDefinitions())}

    def place(self, element: Element, symbol: str = "") -> Place:
        """Where an element stands; `symbol` is the name it defines if that is not its own id."""
        if self.lines is not None:
            return Place(self.file, self.lines.get(symbol or element.getId()))
        if self.homes is None:
            return Place(self.file, element.getLine() or None)
        home = self.homes.get(landmark(element))
        return Place(home, element.getLine()) if home else Place(self.file)

    def origin(self, element: Element) -> Origin:
        """The same, to be kept with a symbol."""
        place = self.place(element)
        return Origin(place.file, place.line)

    def where(self, element: Element, what: str, symbol: str = "") -> Where:
        """For messages about the mathematics of an element."""
        return Where(what, self.place(element, symbol))

    def factors(self, unit: str) -> tuple[list[SbmlFactor], tuple[str, ...]] | None:
        """The product that a unit reference means, and hints for its text; None where nothing is declared."""
        if unit in self.definitions:
            factors, name = self.definitions[unit]
            return factors, (name, unit)
        if unit in _BUILT_IN and self.level < 3:
            kind, _, power = _BUILT_IN[unit].partition("^")
            return [SbmlFactor(kind, float(power or 1))], ()
        return ([SbmlFactor(unit)], ()) if unit else None

    def unit_text(self, unit: str, per: str | None = None) -> str:
        """Unit text of a unit reference, divided by another one; "" where one of them is not declared."""
        above, below = self.factors(unit), self.factors(per) if per is not None else ([], ())
        if above is None or below is None:
            return ""
        inverse = [factor._replace(exponent=-factor.exponent) for factor in below[0]]
        return factors_text([*above[0], *inverse], *(above[1] if per is None else ()))

    def default_unit(self, what: str) -> str:
        """The model-wide unit reference for `substance`, `time`, `extent`, `volume`, `area` or `length`."""
        if self.level < 3:
            return "substance" if what == "extent" else what
        return str(getattr(self.model, f"get{what.capitalize()}Units")())

    def size_unit(self, compartment: Element) -> str:
        """Unit reference of a compartment's size."""
        dimensions = float(compartment.getSpatialDimensionsAsDouble())
        what = _BY_DIMENSION.get(dimensions)
        default = self.default_unit(what) if what else "dimensionless" if dimensions == 0 else ""
        return str(compartment.getUnits() or default)


def landmark(element: Element) -> Landmark:
    """What an element still has after its model was made part of another one."""
    return element.getElementName(), element.getId().rpartition("__")[2], element.getLine()


def each(items: Element) -> Iterator[Element]:
    """The members of a libsbml list."""
    return (items.get(k) for k in range(items.size()))


def all_within(element: Element) -> Iterator[Element]:
    """Every element inside a document or a model, formulas aside, taken off libsbml's list, which is a linked one."""
    elements = element.getListOfAllElements()
    while elements.getSize():
        yield elements.remove(0)


def opened(text: str, file: str, lines: Mapping[str, int] | None = None) -> Document:
    """The document in `text`.

    Raises
    ------
    InputError
        If it is no SBML, holds no model, or libsbml finds errors in reading it.
    UnsupportedModelError
        If it needs a package that we do not do.
    """
    import libsbml

    safe = checked(text, file, lined=lines is None)
    raw = libsbml.readSBMLFromString(safe.text)
    _refuse_packages(raw, safe.required, file)
    ignored = tuple(sorted(name for name, flag in safe.required.items() if not flag and name != "comp"))
    document = Document(raw, file, lines, safe.text, ignored=ignored)
    refuse_errors(document)
    if document.model is None:
        raise InputError("the SBML document holds no model", place=Place(file, 1), remedy="export the model again")
    return document


def refuse_inconsistent(document: Document) -> bool:
    """Raises InputError for what libsbml's checks of identifiers and structure call an error; units are not asked.

    False where the model is too large for these checks, whose time grows with the square of its size.
    """
    import libsbml

    if document.raw.getListOfAllElements().getSize() > MOST_CHECKED:
        return False
    for category in (
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_MODELING_PRACTICE,
        libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
        libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
    ):
        document.raw.setConsistencyChecks(category, False)
    document.raw.checkConsistency()
    refuse_errors(document)
    return True


def refuse_errors(document: Document) -> None:
    """Raises InputError with the first errors that libsbml has noted, warnings aside."""
    import libsbml

    noted = [document.raw.getError(k) for k in range(document.raw.getNumErrors())]
    errors = [
        _as_input_error(error, document)
        for error in noted
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getErrorId() != NO_UNIT
    ]
    if errors:
        raise InputError.together(list({(error.place, error.remedy): error for error in errors}.values())[:SHOWN])


def _as_input_error(error: Element, document: Document) -> InputError:
    line = error.getLine() if document.lines is None else None
    return InputError(
        f"not valid SBML: {_said(error)} (rule {error.getErrorId()})",
        place=Place(document.file, line or None),
        remedy=f"see rule {error.getErrorId()} of the SBML specification, or validate the file at sbml.org",
    )


def _said(error: Element) -> str:
    """What an error says; those of the package comp say the names concerned in the last line of their message alone."""
    if error.getPackage() != "comp":
        return str(error.getShortMessage())
    last = error.getMessage().strip().rpartition("\n")[2].strip()
    return re.sub(r"^In [\w:]+, ", "", last).rstrip(".")


def _refuse_packages(raw: Element, required: Mapping[str, bool], file: str) -> None:
    for package in sorted(name for name, flag in required.items() if flag and name != "comp"):
        construct = "random" if package == "distrib" else "package"
        raise refuse(construct, f"package '{package}'", Place(file, raw.getLine() or None))


def _definition(unit: Element) -> tuple[list[SbmlFactor], str]:
    import libsbml

    rows = [
        SbmlFactor(
            libsbml.UnitKind_toString(row.getKind()),
            float(row.getExponentAsDouble()),
            int(row.getScale()),
            float(row.getMultiplier()),
        )
        for row in each(unit.getListOfUnits())
    ]
    return rows, str(unit.getName())
