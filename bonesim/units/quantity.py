"""A number with its unit, as written."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from bonesim.errors import InputError, quoted
from bonesim.units.unit import Unit, as_float, as_unit

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_NOT_FINITE = re.compile(r"\s*[+-]?\.?(inf|infinity|nan)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, and the text that said so."""

    value: float
    unit: Unit
    text: str

    @staticmethod
    def parse(text: str, *, example: str = "ug") -> Quantity:
        """The quantity that `text` says, such as `100 ug`; `example` is the unit that remedies show.

        Raises
        ------
        InputError
            If number or unit is missing, malformed or unknown, or the number is not finite.
        """
        found = _NUMBER.match(text)
        if not found:
            raise _no_number(text, example)
        number, rest = found[1], text[found.end() :]
        if rest[:1] and rest[0] in "0123456789.,_'":
            raise InputError(
                f"{quoted(text)} has a malformed number {quoted(text.split()[0])}",
                remedy=f"digits with a decimal point, e.g. '0.5 {example}' or '1e3 {example}'",
            )
        if not rest.strip():
            raise InputError(
                f"{quoted(text)} has no unit", remedy=f"write a unit, e.g. {quoted(f'{number} {example}')}"
            )
        if not math.isfinite(float(number)):
            raise InputError(f"{quoted(text)} is not finite", remedy=f"a finite number, e.g. '100 {example}'")
        if rest.lstrip()[0] == "/":
            raise _no_number(text, example, also=f"{number} 1{rest.lstrip()}")
        return Quantity(float(number), Unit.parse(rest.strip()), text.strip())

    def __str__(self) -> str:
        return self.text

    def to(self, unit: Unit | str) -> float:
        """The number of `unit` that this is, rounded once.

        Raises
        ------
        InputError
            If the dimensions differ, or the number is beyond floating point in `unit`.
        """
        target = as_unit(unit)
        ratio = self.unit.ratio_to(target)
        exact = isinstance(ratio, Fraction)
        number = as_float(Fraction(self.value) * ratio) if exact else self.value * float(ratio)
        if not math.isfinite(number):
            raise InputError(f"{quoted(self.text)} is beyond the range of numbers in {quoted(target.text)}")
        return number


def _no_number(text: str, example: str, also: str | None = None) -> InputError:
    if _NOT_FINITE.match(text):
        return InputError(f"{quoted(text)} is not finite", remedy=f"a finite number, e.g. '100 {example}'")
    shown = quoted(also or f"100 {example}")
    return InputError(f"{quoted(text)} has no number in front of its unit", remedy=f"a number and a unit, e.g. {shown}")
