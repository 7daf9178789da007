"""An expression as MathML text, the way SBML Level 3 writes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from bonesim.model.expr import Call, Expr, Num, Sym
from bonesim.model.ops import OPS

MATHML = "http://www.w3.org/1998/Math/MathML"
_SYMBOL = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/{0}"> {1} </csymbol>'
_TIME = _SYMBOL.format("time", "t")
_SYMBOLS = {"delay": "delay", "rate_of": "rateOf"}
"""Operators that SBML writes as symbols; `rate_of` is none of ours but what a rule with `rate_of` says."""
_LARGEST_INTEGER = 2**31
_ALONG = {"add": "plus", "mul": "times"}
"""Operators of which a chain to the left is written as one element."""


def math_element(expr: Expr) -> list[str]:
    """The lines of `<math>` for one expression; reading them gives the same tree."""
    return [f'<math xmlns="{MATHML}">', *(f"  {line}" for line in _lines(expr)), "</math>"]


def number_text(value: float) -> str:
    """A number as an SBML attribute: the shortest decimal text that reads back as the same number."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    text = repr(float(value))
    return text.removesuffix(".0")


def _lines(expr: Expr) -> list[str]:
    if isinstance(expr, Num):
        return number_element(expr.value)
    if isinstance(expr, Sym):
        return [f"<ci> {expr.name} </ci>"]
    if not isinstance(expr, Call):
        return [_TIME]
    if expr.op == "piecewise":
        return _piecewise(expr.args)
    if expr.op in _ALONG:
        return _apply(_ALONG[expr.op], _along(expr))
    if expr.op == "log10":
        return _block("apply", ["<log/>", *_block("logbase", number_element(10.0)), *_lines(expr.args[0])])
    if expr.op in _SYMBOLS:
        symbol = _SYMBOL.format(_SYMBOLS[expr.op], _SYMBOLS[expr.op])
        return _block("apply", [symbol, *(line for arg in expr.args for line in _lines(arg))])
    return _apply(OPS[expr.op].mathml, expr.args)


def _along(expr: Call) -> list[Expr]:
    """Operands of a chain `((a + b) + c) + d`, in order."""
    operands: list[Expr] = []
    node: Expr = expr
    while isinstance(node, Call) and node.op == expr.op:
        operands.append(node.args[1])
        node = node.args[0]
    return [node, *reversed(operands)]


def _apply(element: str, args: Sequence[Expr]) -> list[str]:
    return _block("apply", [f"<{element}/>", *(line for arg in args for line in _lines(arg))])


def _piecewise(args: Sequence[Expr]) -> list[str]:
    inside = [
        line
        for value, condition in zip(args[:-1:2], args[1::2], strict=True)
        for line in _block("piece", [*_lines(value), *_lines(condition)])
    ]
    return _block("piecewise", [*inside, *_block("otherwise", _lines(args[-1]))])


def _block(element: str, inside: list[str]) -> list[str]:
    return [f"<{element}>", *(f"  {line}" for line in inside), f"</{element}>"]


def number_element(value: float) -> list[str]:
    """The lines of a number in MathML; they read back as the same number."""
    if math.isnan(value):
        return ["<notanumber/>"]
    if math.isinf(value):
        return ["<infinity/>"] if value > 0 else _block("apply", ["<minus/>", "<infinity/>"])
    if value.is_integer() and abs(value) < _LARGEST_INTEGER and repr(value) != "-0.0":
        return [f'<cn type="integer"> {int(value)} </cn>']
    mantissa, _, exponent = repr(float(value)).partition("e")
    if not exponent:
        return [f"<cn> {mantissa} </cn>"]
    if float(f"{float(mantissa)!r}e{exponent}") == value:
        return [f'<cn type="e-notation"> {mantissa} <sep/> {int(exponent)} </cn>']
    # Readers hold the mantissa in binary, which for some numbers of 17 digits gives a neighbour.
    return [f"<cn> {Decimal(repr(float(value))):f} </cn>"]
