"""Expressions as text for people: `k*A/(K + A)`."""

from __future__ import annotations

from typing import TypeAlias

from bonesim.model.expr import Call, Expr, Num, Sym, Time, fold
from bonesim.model.ops import ATOM, OPS

_WORDS = {"or": 1, "and": 2, "not": 3}
"""Operators written as words, with their precedence; those written as signs have theirs in `model.ops`."""

_SIGNS = {"pow": "^"}
"""Signs that differ from those of generated code."""

_Text: TypeAlias = tuple[str, int]  # of an expression, with the precedence of its outermost operator

_SPACED = {"add", "sub", "lt", "le", "gt", "ge", "eq", "ne", "or", "and"}


def expression_text(expr: Expr) -> str:
    """An expression in the usual notation, with no more brackets than it needs.

    Time is `time`, a choice is `piecewise(value, condition, ..., otherwise)` as in SBML's own formulas.
    """
    return fold(expr, _leaf, _call)[0]


def _leaf(leaf: Num | Sym | Time) -> _Text:
    if isinstance(leaf, Num):
        return _number(leaf.value), ATOM if leaf.value >= 0 else OPS["neg"].precedence
    return leaf.name if isinstance(leaf, Sym) else "time", ATOM


def _call(expr: Call, args: tuple[_Text, ...]) -> _Text:
    precedence = _WORDS.get(expr.op, OPS[expr.op].precedence)
    if precedence == ATOM:
        return f"{expr.op}({', '.join(text for text, _ in args)})", ATOM
    sign = expr.op if expr.op in _WORDS else _SIGNS.get(expr.op, OPS[expr.op].numpy)
    if len(args) == 1:
        space = " " if expr.op in _WORDS else ""
        return f"{sign}{space}{_bracketed(args[0], precedence)}", precedence
    left, right = args
    sign = f" {sign} " if expr.op in _SPACED else sign
    strict = expr.op == "pow" or precedence == OPS["lt"].precedence
    return f"{_bracketed(left, precedence + strict)}{sign}{_right(right, precedence + 1)}", precedence


def _right(part: _Text, at_least: int) -> str:
    """The right side of an operator; a minus there always stands in brackets."""
    text = _bracketed(part, at_least)
    return f"({text})" if text.startswith("-") else text


def _bracketed(part: _Text, at_least: int) -> str:
    text, precedence = part
    return text if precedence >= at_least else f"({text})"


def _number(value: float) -> str:
    """A number with all its digits, and without a decimal point where it is whole."""
    return repr(int(value)) if value.is_integer() and abs(value) < 1e6 else repr(value)
