"""Equations in LaTeX, held against the notation that is meant and against a parser of LaTeX's mathematics."""

from __future__ import annotations

import pytest
from matplotlib.mathtext import MathTextParser

from bonesim.compose.card import load_card
from bonesim.model.expr import Call, Expr, Num, Sym, Time
from bonesim.model.latex import equations_latex, expression_latex, symbol_latex
from bonesim.resources import model_ids
from bonesim.sbml.library import read_library_model
from bonesim.sbml.read import read_antimony

x, y, z = Sym("x"), Sym("y"), Sym("z")


def call(op: str, *args: Expr) -> Call:
    return Call(op, args)


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("k", "k"),
        ("OCa", r"\mathrm{OCa}"),
        ("beta", r"\beta"),
        ("beta1", r"\beta_{1}"),
        ("beta_1", r"\beta_{1}"),
        ("x1_bar", r"\bar{x}_{1}"),
        ("K_RANKL_max", r"K_{\mathrm{RANKL},\mathrm{max}}"),
        ("CD4", r"\mathrm{CD4}"),
        ("_", "_"),
    ],
)
def test_names_become_letters_with_indices(name: str, latex: str) -> None:
    assert symbol_latex(name) == latex


@pytest.mark.parametrize(
    ("expr", "latex"),
    [
        (call("div", call("mul", x, y), call("add", z, y)), r"\frac{x \, y}{z + y}"),
        (call("mul", call("add", x, y), z), r"\left(x + y\right) \, z"),
        (call("sub", x, call("add", y, z)), r"x - \left(y + z\right)"),
        (call("sub", x, call("neg", y)), r"x - \left(-y\right)"),
        (call("mul", Num(2.0), Num(3.0)), r"2 \cdot 3"),
        (call("pow", call("div", x, y), Num(-0.5)), r"{\left(\frac{x}{y}\right)}^{-0.5}"),
        (call("pow", Num(-2.0), x), r"{\left(-2\right)}^{x}"),
        (call("pow", call("pow", x, y), z), r"{\left({x}^{y}\right)}^{z}"),
        (Num(2.5e-7), r"2.5 \times 10^{-7}"),
        (call("exp", call("neg", Time())), r"\exp\left(-t\right)"),
        (call("asin", x), r"\arcsin\left(x\right)"),
        (call("abs", x), r"\left|x\right|"),
        (call("not", call("or", call("le", x, y), call("ne", x, z))), None),
        (
            call("piecewise", x, call("gt", x, y), z),
            r"\begin{cases} x & \text{if } x > y \\ z & \text{otherwise} \end{cases}",
        ),
    ],
)
def test_expressions_keep_their_meaning(expr: Expr, latex: str | None) -> None:
    expected = latex or r"\lnot \left(\left(x \leq y\right) \lor \left(x \neq z\right)\right)"
    assert expression_latex(expr) == expected


def test_equations_stand_with_the_letters_of_the_paper() -> None:
    model = read_antimony("model m\n  a = 2*k; k = 3; a' = -k*a; b := a + 1\nend\n", file="m.ant")
    assert list(equations_latex(model, {"k": "lambda"})) == [
        r"\frac{d a}{dt} &= -\lambda \, a",
        r"b &= a + 1",
        r"a(0) &= 2 \, \lambda",
    ]


@pytest.mark.parametrize("model_id", model_ids())
def test_every_model_of_the_library_is_valid_latex(model_id: str) -> None:
    """Matplotlib knows no `cases` and `lnot`; what stands in their place has the same braces."""
    letters = {symbol: note.letter for symbol, note in load_card(model_id).symbols.items() if note.letter}
    parser = MathTextParser("agg")
    for equation in equations_latex(read_library_model(model_id), letters):
        known = equation.replace(r"\lnot", r"\neg").replace("&", "").replace(r"\\", ",").replace(r"\text{", r"\mathrm{")
        known = known.replace(r"\begin{cases}", "[").replace(r"\end{cases}", "]")
        parser.parse(f"${known}$")
