r"""Expressions and equations as LaTeX: `\frac{k A}{K + A}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from bonesim.model.expr import Call, Expr, Num, Sym, Time, fold
from bonesim.model.ode import OdeModel
from bonesim.model.ops import ATOM, OPS

_SMALL = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_LARGE = "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
GREEK = frozenset(f"{_SMALL} {_LARGE}".split())
_NUMBERED = re.compile(r"([A-Za-z]+?)(\d+)")
_ACCENTS = {"bar": "bar", "hat": "hat", "tilde": "tilde", "dot": "dot"}
_RELATIONS = {"lt": "<", "le": r"\leq", "gt": ">", "ge": r"\geq", "eq": "=", "ne": r"\neq"}
_LOGIC = {"or": r"\lor", "and": r"\land"}
_FUNCTIONS = (
    {"ln": r"\ln", "log10": r"\log_{10}", "exp": r"\exp", "min": r"\min", "max": r"\max"}
    | {name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
    | {name: rf"\arc{name[1:]}" for name in ("asin", "acos", "atan")}
)
_FENCES = {"abs": (r"\left|", r"\right|"), "floor": (r"\lfloor ", r" \rfloor"), "ceil": (r"\lceil ", r" \rceil")}

_Text: TypeAlias = tuple[str, int]  # of an expression, with the precedence of its outermost operator


def symbol_latex(name: str) -> str:
    r"""A name as a letter with indices: `beta_1` is `\beta_{1}`, `x1_bar` `\bar{x}_{1}`, `OCa` `\mathrm{OCa}`."""
    head, *indices = [part for part in name.split("_") if part] or [name]
    accents = [_ACCENTS[index] for index in indices if index in _ACCENTS]
    indices = [index for index in indices if index not in _ACCENTS]
    if (found := re.fullmatch(r"([A-Za-z]|[A-Za-z]+(?=\d+$))(\d+)", head)) and (
        found[1] in GREEK or len(found[1]) == 1
    ):
        head, indices = found[1], [found[2], *indices]
    letter = _letter(head)
    for accent in accents:
        letter = rf"\{accent}{{{letter}}}"
    return letter + (f"_{{{','.join(map(_letter, indices))}}}" if indices else "")


def _letter(word: str) -> str:
    if word in GREEK:
        return rf"\{word}"
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{word}}}"


def expression_latex(expr: Expr, letters: Mapping[str, str] | None = None) -> str:
    """An expression in LaTeX's mathematics; `letters` are the names to be written in place of symbols."""
    known = letters or {}

    def leaf(node: Num | Sym | Time) -> _Text:
        if isinstance(node, Num):
            return _number(node.value)
        return symbol_latex(known.get(node.name, node.name)) if isinstance(node, Sym) else "t", ATOM

    return fold(expr, leaf, _call)[0]


def equations_latex(model: OdeModel, letters: Mapping[str, str] | None = None) -> Iterator[str]:
    r"""Rates of change, constraints, rules, then starts that are no numbers: each of the form `left &= right`."""
    known = letters or {}

    def name(symbol: str) -> str:
        return symbol_latex(known.get(symbol, symbol))

    for state in model.states:
        left = "0" if state.algebraic else rf"\frac{{d {name(state.id)}}}{{dt}}"
        yield f"{left} &= {expression_latex(state.rate, known)}"
    for rule in model.rules:
        yield f"{name(rule.id)} &= {expression_latex(rule.expr, known)}"
    computed = {state.id: state.initial for state in model.states if not isinstance(state.initial, Num)}
    for symbol, initial in computed.items():
        yield f"{name(symbol)}(0) &= {expression_latex(initial, known)}"
    for parameter in model.parameters:
        if parameter.initial is not None:
            yield f"{name(parameter.id)} &= {expression_latex(parameter.initial, known)}"


def _call(expr: Call, args: tuple[_Text, ...]) -> _Text:
    op, precedence = expr.op, OPS[expr.op].precedence
    texts = [text for text, _ in args]
    if op == "div":
        return rf"\frac{{{texts[0]}}}{{{texts[1]}}}", OPS["mul"].precedence
    if op == "pow":
        return f"{{{_bracketed(args[0], ATOM)}}}^{{{texts[1]}}}", precedence
    if op == "sqrt":
        return rf"\sqrt{{{texts[0]}}}", ATOM
    if op in _FENCES:
        opening, closing = _FENCES[op]
        return f"{opening}{texts[0]}{closing}", ATOM
    if op == "piecewise":
        return _cases(texts), ATOM
    if op in {"add", "sub", "mul"}:
        sign = {"add": " + ", "sub": " - ", "mul": r" \, "}[op]
        right = _bracketed(args[1], precedence + (op != "add"))
        if right.startswith("-"):
            right = rf"\left({right}\right)"
        elif op == "mul" and right[:1].isdigit():
            sign = r" \cdot "
        return f"{_bracketed(args[0], precedence)}{sign}{right}", precedence
    if op == "neg":
        return f"-{_bracketed(args[0], precedence)}", precedence
    if op in _RELATIONS:
        left, right = (_bracketed(arg, precedence + 1) for arg in args)
        return f"{left} {_RELATIONS[op]} {right}", precedence
    if op in _LOGIC:
        return rf"\left({texts[0]}\right) {_LOGIC[op]} \left({texts[1]}\right)", 1
    if op == "not":
        return rf"\lnot \left({texts[0]}\right)", 3
    function = _FUNCTIONS.get(op, rf"\operatorname{{{op}}}")
    return rf"{function}\left({', '.join(texts)}\right)", ATOM


def _cases(texts: list[str]) -> str:
    rows = [rf"{value} & \text{{if }} {condition}" for value, condition in zip(texts[:-1:2], texts[1::2], strict=True)]
    lines = r" \\ ".join([*rows, rf"{texts[-1]} & \text{{otherwise}}"])
    return rf"\begin{{cases}} {lines} \end{{cases}}"


def _bracketed(part: _Text, at_least: int) -> str:
    text, precedence = part
    return text if precedence >= at_least else rf"\left({text}\right)"


def _number(value: float) -> _Text:
    text = repr(int(value)) if value.is_integer() and abs(value) < 1e6 else repr(value)
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return rf"{mantissa} \times 10^{{{int(exponent)}}}", OPS["mul"].precedence
    text = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}.get(text, text)
    return text, ATOM if value >= 0 else OPS["neg"].precedence
