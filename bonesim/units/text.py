"""From the text of a unit to its factors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from bonesim.errors import InputError, closest, quoted
from bonesim.units.symbols import ALIASES, SYMBOLS, known_symbols

LONGEST_TEXT = 120
LARGEST_POWER = 20

Factors = tuple[tuple[str, Fraction], ...]
"""(symbol, exponent) in the order of the text."""


def factors(text: str) -> Factors:
    """The factors of a unit as written, not cancelled; equal symbols on one side of the fraction bar are joined.

    Raises
    ------
    InputError
        If a symbol is unknown or the text is no product of powers.
    """
    return _Parser(text).read()


_TOKEN = re.compile(r"\s*(?:(?P<name>[^\W\d_]+|%)|(?P<number>[0-9]*\.?[0-9]+)|(?P<sign>[-+*/^()]))", re.ASCII)


class _Parser:
    """Reads `unit = power (* or / power)...; power = atom ^ number; atom = symbol, 1 or (unit)`."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > LONGEST_TEXT:
            raise InputError(f"unit {quoted(text)} is too long", remedy=f"at most {LONGEST_TEXT} characters")
        self.tokens = [*self._split(), ("end", "")]
        self.position = 0

    def read(self) -> Factors:
        factors = self._unit()
        if self.tokens[self.position][0] != "end":
            raise self._unexpected()
        merged: dict[tuple[str, bool], Fraction] = {}
        for symbol, exponent in factors:
            key = (symbol, exponent > 0)
            merged[key] = merged.get(key, Fraction(0)) + exponent
        return tuple((symbol, exponent) for (symbol, _), exponent in merged.items())

    def _split(self) -> Iterator[tuple[str, str]]:
        position, end = 0, len(self.text.rstrip())
        while position < end:
            found = _TOKEN.match(self.text, position)
            if not found:
                word = self.text[position:].split()[0]
                raise self._unknown(word) if word[0].isalpha() else self._bad(f"unexpected {quoted(word)}")
            kind = str(found.lastgroup)
            yield kind, found[kind]
            position = found.end()

    def _take(self, *wanted: str) -> str | None:
        if self.tokens[self.position][1] in wanted:
            self.position += 1
            return self.tokens[self.position - 1][1]
        return None

    def _unit(self) -> list[tuple[str, Fraction]]:
        factors = self._power()
        while sign := self._take("*", "/"):
            side = 1 if sign == "*" else -1
            factors += [(symbol, side * exponent) for symbol, exponent in self._power()]
        return factors

    def _power(self) -> list[tuple[str, Fraction]]:
        factors = self._atom()
        if not self._take("^"):
            return factors
        sign = -1 if self._take("-", "+") == "-" else 1
        kind, token = self.tokens[self.position]
        if kind != "number":
            raise self._unexpected()
        self.position += 1
        power = sign * Fraction(token)
        raised = [(symbol, exponent * power) for symbol, exponent in factors]
        if not power or any(abs(exponent) > LARGEST_POWER for _, exponent in raised):
            raise self._bad(f"power {token} is out of range", f"a power other than 0, at most {LARGEST_POWER}")
        return raised

    def _atom(self) -> list[tuple[str, Fraction]]:
        kind, token = self.tokens[self.position]
        if kind == "name":
            self.position += 1
            symbol = ALIASES.get(token, token)
            if symbol not in SYMBOLS:
                raise self._unknown(token)
            return [] if symbol == "dimensionless" else [(symbol, Fraction(1))]
        if self._take("1"):
            return []
        if self._take("("):
            factors = self._unit()
            if not self._take(")"):
                raise self._bad("a parenthesis is not closed")
            return factors
        raise self._unexpected()

    def _bad(self, problem: str, remedy: str = "a product of units, e.g. 'pM/day' or '1/(pM*day)'") -> InputError:
        return InputError(f"unit {quoted(self.text)} cannot be read: {problem}", remedy=remedy)

    def _unexpected(self) -> InputError:
        token = self.tokens[self.position][1]
        return self._bad(f"unexpected '{token}'" if token else "it ends too early")

    def _unknown(self, word: str) -> InputError:
        near = closest(word.translate({0xB5: "u", 0x3BC: "u"}), known_symbols())
        return InputError(f"unknown unit {quoted(word)}", remedy=near)
