"""Unit definitions of SBML as unit text (`pM/day`), and back."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache, lru_cache

from bonesim.errors import InputError
from bonesim.units import SYMBOLS, SbmlFactor, Unit

_DERIVED: dict[str, tuple[tuple[str, float], ...]] = {
    "hertz": (("second", -1),),
    "becquerel": (("second", -1),),
    "katal": (("mole", 1), ("second", -1)),
    "newton": (("kilogram", 1), ("metre", 1), ("second", -2)),
    "pascal": (("kilogram", 1), ("metre", -1), ("second", -2)),
    "joule": (("kilogram", 1), ("metre", 2), ("second", -2)),
    "watt": (("kilogram", 1), ("metre", 2), ("second", -3)),
    "coulomb": (("ampere", 1), ("second", 1)),
    "liter": (("litre", 1),),
    "meter": (("metre", 1),),
    "radian": (),
    "steradian": (),
}
"""Units of SBML that are products of the base units."""

Product = dict[tuple[str, float], float]
"""(kind, size of one) -> exponent."""

_LITRE = ("litre", 1.0)

_WORD = re.compile(r"[A-Za-z%]+")
_POWER = re.compile(r"([A-Za-z%]+)(\d+(?:p\d+)?)")


def factors_text(factors: Iterable[SbmlFactor], *hints: str) -> str:
    """Unit text of a product of SBML units; "" where it has no name among the known symbols.

    A `hint` (the id or the name of a unit definition) that reads as a unit of the same product, or is the id of one, is
    preferred, so that `cell` and `item`, which SBML does not tell apart, keep their names.
    """
    product = _collected(factors)
    for text in (text for hint in hints if hint for text in (hint, _spelt_out(hint))):
        if (known := _parsed(text)) and _same(_collected(known.sbml_factors()), product):
            return known.text
    return _symbols_text(product)


def definition_id(text: str) -> str:
    """An SBML id for a unit: `pM/day` is `pM_per_day`."""
    factors, spelt = Unit.parse(text).factors, _WORD.findall(text)
    words = []
    for place, (symbol, exponent) in enumerate(factors):
        power = f"{abs(float(exponent)):g}".replace(".", "p") if abs(exponent) != 1 else ""
        name = (spelt[place] if len(spelt) == len(factors) else symbol).replace("%", "percent")
        words.append(f"{'per_' if exponent < 0 else ''}{name}{power}")
    return "_".join(words) or "one"


def _spelt_out(unit_id: str) -> str:
    """The text behind an id as `definition_id` makes it: of `pM_per_day`, `pM/day`."""
    above, *below = f"_{unit_id}".split("_per_")
    head = [_factor(word) for word in above.split("_") if word]
    return _quotient(head, [_factor(word) for word in below])


def _factor(word: str) -> str:
    """`h2` is `h^2`, `g0p5` `g^0.5`."""
    found = _POWER.fullmatch(word.replace("percent", "%"))
    return f"{found[1]}^{found[2].replace('p', '.')}" if found else word.replace("percent", "%")


def _collected(factors: Iterable[SbmlFactor]) -> Product:
    """The product with equal units joined, nothing that cancels, and derived units taken apart."""
    product: dict[tuple[str, float], float] = defaultdict(float)
    for kind, exponent, scale, multiplier in factors:
        size = float(Fraction(repr(multiplier)) * Fraction(10) ** scale) if math.isfinite(multiplier) else multiplier
        parts = _DERIVED.get(kind, ()) if size == 1.0 and kind in _DERIVED else ((kind, 1.0),)
        for part, power in parts:
            product[part, size] += exponent * power
    return {key: exponent for key, exponent in product.items() if exponent and key != ("dimensionless", 1.0)}


def _same(a: Product, b: Product) -> bool:
    """Equal kinds, sizes (to rounding) and exponents."""

    def row(product: Product) -> list[tuple[str, float, float]]:
        return sorted((kind, size, exponent) for (kind, size), exponent in product.items())

    return len(a) == len(b) and all(
        x[0] == y[0] and math.isclose(x[1], y[1], rel_tol=1e-12) and x[2] == y[2]
        for x, y in zip(row(a), row(b), strict=True)
    )


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Unit | None:
    try:
        return Unit.parse(text)
    except InputError:
        return None


@cache
def _symbols(kinds: tuple[str, ...]) -> list[tuple[float, str]]:
    """(size of the first, symbol) of the symbols that stand for these SBML units."""
    found = [
        (next(iter(_collected(rows[:1])), ("", 1.0))[1], symbol)
        for symbol, rows in SYMBOLS.items()
        if tuple(row.kind for row in rows) == kinds
    ]
    return [(1.0, "item"), *found] if kinds == ("item",) else found


def _symbol(size: float, *kinds: str) -> str | None:
    return next((symbol for one, symbol in _symbols(kinds) if math.isclose(one, size, rel_tol=1e-12)), None)


def _symbols_text(product: Product) -> str:
    left = dict(product)
    words: list[tuple[str, float]] = []
    for (kind, size), exponent in product.items():
        molar = _symbol(size, "mole", "litre") if kind == "mole" and left.get(_LITRE) == -exponent else None
        if molar:
            words.append((molar, exponent))
            del left[kind, size], left[_LITRE]
    for (kind, size), exponent in left.items():
        symbol = _symbol(size, kind)
        if symbol is None:
            return ""
        words.append((symbol, exponent))
    return _joined(words)


def _joined(words: Sequence[tuple[str, float]]) -> str:
    above = [_power(symbol, exponent) for symbol, exponent in words if exponent > 0]
    below = [_power(symbol, -exponent) for symbol, exponent in words if exponent < 0]
    if not words:
        return "dimensionless"
    return _quotient(above, below)


def _quotient(above: Sequence[str], below: Sequence[str]) -> str:
    head = "*".join(above) or "1"
    if not below:
        return head
    return f"{head}/{below[0]}" if len(below) == 1 else f"{head}/({'*'.join(below)})"


def _power(symbol: str, exponent: float) -> str:
    return symbol if exponent == 1 else f"{symbol}^{exponent:g}"
