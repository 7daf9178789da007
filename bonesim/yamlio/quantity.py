"""A field of a schema that holds a number with its unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from bonesim.errors import InputError, quoted
from bonesim.units import Quantity, Unit, describe
from bonesim.yamlio.wording import shown

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Bound = int | str | tuple[int | str, ...] | None
"""A quantity such as `10 g`, or 0 for any unit; several where a field allows several kinds."""

PATTERN = r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*[A-Za-z1(%]"

_TYPICAL = {"s": "4", "particle": "1e10", "cell": "1e6"}
"""A number for examples, by the base of what is counted; 100 for the rest."""


@dataclass(frozen=True)
class Limit:
    """One end of a range: `words` (above, at least, below, at most) and the quantity, or 0 for every unit."""

    words: str
    bound: Quantity | None

    def __str__(self) -> str:
        return f"{self.words} {self.bound or 0}"

    def concerns(self, quantity: Quantity) -> bool:
        """Whether this limit is stated for the kind of `quantity`."""
        return self.bound is None or self.bound.unit.kind == quantity.unit.kind

    def holds(self, quantity: Quantity) -> bool:
        """Whether `quantity` keeps this limit, compared in the unit of the limit."""
        value = quantity.to(self.bound.unit) if self.bound else quantity.value
        limit = self.bound.value if self.bound else 0.0
        outcomes = {"above": value > limit, "at least": value >= limit, "below": value < limit}
        return outcomes.get(self.words, value <= limit)


class QuantityField:
    """What a schema says of a quantity: units that show the allowed kinds, and the range.

    Used as `Annotated[Quantity, QuantityField("day", at_least=0)]`, or shorter `quantity("day", at_least=0)`.

    Parameters
    ----------
    units
        One unit for each allowed kind; any other unit of the same kind is read as well. `ug/kg` is not the kind of
        `dimensionless`, see `bonesim.units`.
    above, at_least, below, at_most
        Limits; a limit with a unit applies to quantities of its own kind.
    """

    def __init__(
        self,
        *units: str,
        above: Bound = None,
        at_least: Bound = None,
        below: Bound = None,
        at_most: Bound = None,
    ) -> None:
        self.units = units
        self.kinds = {Unit.parse(unit).kind: None for unit in units}
        named = {"above": above, "at least": at_least, "below": below, "at most": at_most}
        self.limits = tuple(limit for words, bound in named.items() for limit in _limits(words, bound))

    @property
    def examples(self) -> list[str]:
        """One quantity for each unit."""
        return [_example(unit) for unit in self.units]

    def read(self, value: Any) -> Quantity:
        """The quantity that a document or a program gives.

        Raises
        ------
        InputError
            If it is no text with number and unit, of another kind, or out of range.
        """
        if isinstance(value, Quantity):
            return self._checked(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            remedy = f"write a unit, e.g. {quoted(f'{value} {self.units[0]}')}"
            raise InputError(f"{value} has no unit", remedy=remedy)
        if not isinstance(value, str):
            problem = f"expected a number with its unit, got {shown(value)}"
            raise InputError(problem, remedy=f"e.g. {quoted(self.examples[0])}")
        return self._checked(Quantity.parse(value, example=self.units[0]))

    def _checked(self, quantity: Quantity) -> Quantity:
        written, example = quoted(quantity.text), quoted(self.examples[0])
        if quantity.unit.kind not in self.kinds:
            wanted = _either([describe(kind) for kind in self.kinds])
            remedy = f"write it in {_either(self.units)}, e.g. {example}"
            raise InputError(f"{written} is {describe(quantity.unit.kind)}, not {wanted}", remedy=remedy)
        limits = [limit for limit in self.limits if limit.concerns(quantity)]
        if not all(limit.holds(quantity) for limit in limits):
            stated = ", ".join(map(str, limits))
            raise InputError(f"{written} is out of range ({stated})", remedy="check the number and its unit")
        return quantity

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        as_text = core_schema.plain_serializer_function_ser_schema(str)
        return core_schema.no_info_plain_validator_function(self.read, serialization=as_text)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": PATTERN, "examples": self.examples}


def quantity(
    *units: str, above: Bound = None, at_least: Bound = None, below: Bound = None, at_most: Bound = None
) -> Any:
    """The type of a schema field that holds a `Quantity`; arguments of `QuantityField`."""
    field = QuantityField(*units, above=above, at_least=at_least, below=below, at_most=at_most)
    return Annotated[Quantity, field]


def _limits(words: str, bound: Bound) -> Iterable[Limit]:
    bounds = bound if isinstance(bound, tuple) else () if bound is None else (bound,)
    for one in bounds:
        if isinstance(one, int) and one != 0:
            raise ValueError(f"the limit {one} needs a unit")
        yield Limit(words, Quantity.parse(one) if isinstance(one, str) else None)


def _example(unit: str) -> str:
    kind = Unit.parse(unit).kind
    counted = next((base for base, above, _ in kind if above), "")
    return f"{_TYPICAL.get(counted, '100')} {unit}"


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
