"""An SBML document as libsbml holds it: opened, refused for its errors, with places and unit texts at hand."""

from __future__ import annotations

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

_BUILT_IN = {"substance": "mole", "volume": "litre", "area": "metre^2", "length": "metre", "time": "second"}
"""Units that Levels 1 and 2 know without definition."""

_BY_DIMENSION = {3.0: "volume", 2.0: "area", 1.0: "length"}


@dataclass(frozen=True)
class Document:
    """One parsed file. `lines` says where symbols stand if the text was made from another file (Antimony)."""

    raw: Element
    file: str
    lines: Mapping[str, int] | None = None
    definitions: Mapping[str, tuple[list[SbmlFactor], str]] = field(default_factory=dict)

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
        return MathReader({name: math for name, math in functions.items() if math is not None})

    def place(self, element: Element, symbol: str = "") -> Place:
        """Where an element stands; `symbol` is the name it defines if that is not its own id."""
        if self.lines is not None:
            return Place(self.file, self.lines.get(symbol or element.getId()))
        return Place(self.file, element.getLine() or None)

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


def each(items: Element) -> Iterator[Element]:
    """The members of a libsbml list."""
    return (items.get(k) for k in range(items.size()))


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

    safe = checked(text, file)
    raw = libsbml.readSBMLFromString(safe.text)
    _refuse_packages(raw, safe.required, file)
    document = Document(raw, file, lines)
    refuse_errors(document)
    if document.model is None:
        raise InputError("the SBML document holds no model", place=Place(file, 1), remedy="export the model again")
    definitions = {unit.getId(): _definition(unit) for unit in each(document.model.getListOfUnitDefinitions())}
    return Document(raw, file, lines, definitions)


def refuse_inconsistent(document: Document) -> None:
    """Raises InputError for what libsbml's checks of identifiers and structure call an error; units are not asked."""
    import libsbml

    for category in (
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_MODELING_PRACTICE,
        libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
        libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
    ):
        document.raw.setConsistencyChecks(category, False)
    document.raw.checkConsistency()
    refuse_errors(document)


def refuse_errors(document: Document) -> None:
    """Raises InputError with the first errors that libsbml has noted, warnings aside."""
    import libsbml

    noted = [document.raw.getError(k) for k in range(document.raw.getNumErrors())]
    errors = [
        error for error in noted if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getErrorId() != NO_UNIT
    ]
    if errors:
        raise InputError.together([_as_input_error(error, document) for error in errors[:SHOWN]])


def _as_input_error(error: Element, document: Document) -> InputError:
    line = error.getLine() if document.lines is None else None
    return InputError(
        f"not valid SBML: {error.getShortMessage()} (rule {error.getErrorId()})",
        place=Place(document.file, line or None),
        remedy=f"see rule {error.getErrorId()} of the SBML specification, or validate the file at sbml.org",
    )


def _refuse_packages(raw: Element, required: Mapping[str, bool], file: str) -> None:
    model = raw.getModel()
    for package in sorted(name for name, flag in required.items() if flag):
        plugin = model.getPlugin(package) if model is not None else None
        if package == "comp" and plugin is not None and not plugin.getNumSubmodels():
            continue
        construct = {"comp": "submodels", "distrib": "random"}.get(package, "package")
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
