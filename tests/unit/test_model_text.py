"""Expressions as text: enough brackets, and no more."""

from __future__ import annotations

import pytest

from bonesim.model.expr import TIME, Call, Expr, Num, Sym, total
from bonesim.model.text import expression_text

A, B, C = Sym("a"), Sym("b"), Sym("c")


def call(op: str, *args: Expr) -> Call:
    return Call(op, args)


TEXTS: dict[str, Expr] = {
    "a*b/(a + b)": call("div", call("mul", A, B), call("add", A, B)),
    "a*(b/c)": call("mul", A, call("div", B, C)),
    "a/(b*c)": call("div", A, call("mul", B, C)),
    "a - (b - c)": call("sub", A, call("sub", B, C)),
    "a - b - c": call("sub", call("sub", A, B), C),
    "-a^2": call("neg", call("pow", A, Num(2.0))),
    "(-a)^2": call("pow", call("neg", A), Num(2.0)),
    "(a^b)^c": call("pow", call("pow", A, B), C),
    "a^(b^c)": call("pow", A, call("pow", B, C)),
    "a^(-1)": call("pow", A, Num(-1.0)),
    "a + (-b)": call("add", A, call("neg", B)),
    "(a + b)*c": call("mul", call("add", A, B), C),
    "exp(-a*time)": call("exp", call("mul", call("neg", A), TIME)),
    "1e-10*a + 0.5": call("add", call("mul", Num(1e-10), A), Num(0.5)),
    "piecewise(1, a < b, 0)": call("piecewise", Num(1.0), call("lt", A, B), Num(0.0)),
    "(a < b) == (b < c)": call("eq", call("lt", A, B), call("lt", B, C)),
    "a < b and not (b >= c or c != a)": call(
        "and", call("lt", A, B), call("not", call("or", call("ge", B, C), call("ne", C, A)))
    ),
    "max(a, ln(b))": call("max", A, call("ln", B)),
}


@pytest.mark.parametrize("text", TEXTS)
def test_expression_text(text: str) -> None:
    assert expression_text(TEXTS[text]) == text


def test_a_sum_of_a_thousand_terms_is_told_too() -> None:
    assert expression_text(total([A] * 1000)) == " + ".join(["a"] * 1000)
