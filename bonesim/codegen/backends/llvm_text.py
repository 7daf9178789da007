"""Expressions and blocks of a program as LLVM text on vectors of lanes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from bonesim.codegen.backends.llvm_math import splat
from bonesim.codegen.program import Block
from bonesim.model.expr import Call, Expr, Num, Sym

Homes = dict[str, int]  # name -> row of the workspace that holds it
Targets = dict[str, dict[tuple[int, ...], int]]  # array -> index -> row of the workspace that takes it

_INFIX = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_COMPARE = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
_LOGIC = {"and": "and", "or": "or"}
_CALLS = {"exp": "@exp", "ln": "@ln"}
_INTRINSICS = {"sqrt", "floor", "ceil", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"}
UNROLLED_POWER = 16  # largest whole power written as products


class Body:
    """The lines of one function; `let` names a value, `load` and `store` reach rows of the workspace `%ws`."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.vector, self.booleans = f"<{width} x double>", f"<{width} x i1>"
        self.suffix = f"v{width}f64"
        self.lines: list[str] = []
        self._count = 0

    def let(self, text: str) -> str:
        """A new value."""
        self._count += 1
        self.lines.append(f"  %v{self._count} = {text}")
        return f"%v{self._count}"

    def row(self, row: int | str) -> str:
        """Address of a row of the workspace; `row` is a number or an i64 value."""
        return self.let(f"getelementptr inbounds {self.vector}, ptr %ws, i64 {row}")

    def load(self, row: int | str) -> str:
        """A row of the workspace."""
        return self.let(f"load {self.vector}, ptr {self.row(row)}, align {8 * self.width}")

    def store(self, value: str, row: int | str) -> None:
        """Put a value into a row of the workspace."""
        address = self.row(row)
        self.lines.append(f"  store {self.vector} {value}, ptr {address}, align {8 * self.width}")

    def call(self, function: str, *arguments: str) -> str:
        """A call of a function of vectors."""
        listed = ", ".join(f"{self.vector} {argument}" for argument in arguments)
        return self.let(f"call {self.vector} {function}({listed})")

    def intrinsic(self, name: str, *arguments: str) -> str:
        """A call of `llvm.NAME` on vectors."""
        return self.call(f"@llvm.{name}.{self.suffix}", *arguments)

    def fma(self, a: str, b: str, c: str) -> str:
        """a b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def binary(self, operation: str, a: str, b: str) -> str:
        """An arithmetic operation on vectors."""
        return self.let(f"{operation} {self.vector} {a}, {b}")

    def select(self, condition: str, a: str, b: str) -> str:
        """`a` where the condition holds, else `b`."""
        return self.let(f"select {self.booleans} {condition}, {self.vector} {a}, {self.vector} {b}")

    @contextmanager
    def loop(self, count: int | str, step: int = 1) -> Iterator[str]:
        """Lines inside run for i = 0, step, 2 step, ... below `count`; gives the i64 value i."""
        self._count += 1
        label = f"l{self._count}"
        before = f"{label}_before"
        self.lines += [f"  br label %{before}", f"{before}:", f"  br label %{label}", f"{label}:"]
        place = len(self.lines)
        self.lines.append("")
        yield f"%{label}_i"
        self.lines += [
            f"  br label %{label}_next",
            f"{label}_next:",
            f"  %{label}_n = add nuw nsw i64 %{label}_i, {step}",
            f"  %{label}_go = icmp slt i64 %{label}_n, {count}",
            f"  br i1 %{label}_go, label %{label}, label %{label}_end",
            f"{label}_end:",
        ]
        self.lines[place] = f"  %{label}_i = phi i64 [ 0, %{before} ], [ %{label}_n, %{label}_next ]"

    def function(self, name: str, arguments: str = "ptr noalias %ws", linkage: str = "internal") -> str:
        """The text of the function."""
        head = f"define {linkage} void @{name}({arguments}) {{".replace("  ", " ")
        return "\n".join([head, "entry:", *self.lines, "  ret void", "}"]) + "\n"


def emit_block(body: Body, block: Block, homes: Homes, time: int, targets: Targets) -> None:
    """The lines of a block: reads names from their rows, writes each store to the row that `targets` gives it."""
    emitter = _Expressions(body, homes, time)
    for name, expr in block.values:
        emitter.known[name] = emitter.number(expr)
    for store in block.stores:
        body.store(emitter.number(store.expr), targets[store.array][store.index])


class _Expressions:
    """Turns expressions into values; every name is loaded once."""

    def __init__(self, body: Body, homes: Homes, time: int) -> None:
        self.body, self.homes, self.time = body, homes, time
        self.known: dict[str, str] = {}

    def number(self, expr: Expr) -> str:
        """The value of an expression as a vector of numbers; a truth value counts 1 or 0."""
        value, is_truth = self.value(expr)
        return self.body.select(value, splat(1.0), splat(0.0)) if is_truth else value

    def truth(self, expr: Expr) -> str:
        """The value of a condition; a number holds where it is not 0."""
        value, is_truth = self.value(expr)
        return value if is_truth else self.body.let(f"fcmp une {self.body.vector} {value}, {splat(0.0)}")

    def value(self, expr: Expr) -> tuple[str, bool]:
        """A value, and whether it is a truth value."""
        body = self.body
        if isinstance(expr, Num):
            return splat(expr.value), False
        if isinstance(expr, Sym):
            if expr.name not in self.known:
                self.known[expr.name] = body.load(self.homes[expr.name])
            return self.known[expr.name], False
        if not isinstance(expr, Call):
            return body.load(self.time), False
        if expr.op in _COMPARE:
            a, b = (self.number(arg) for arg in expr.args)
            return body.let(f"fcmp {_COMPARE[expr.op]} {body.vector} {a}, {b}"), True
        if expr.op in _LOGIC:
            a, b = (self.truth(arg) for arg in expr.args)
            return body.let(f"{_LOGIC[expr.op]} {body.booleans} {a}, {b}"), True
        if expr.op == "not":
            return body.let(f"xor {body.booleans} {self.truth(expr.args[0])}, splat (i1 true)"), True
        return self._arithmetic(expr), False

    def _arithmetic(self, expr: Call) -> str:
        body = self.body
        if expr.op == "piecewise":
            return self._piecewise(expr)
        if expr.op == "pow":
            return self._power(*expr.args)
        arguments = [self.number(arg) for arg in expr.args]
        if expr.op in _INFIX:
            return body.binary(_INFIX[expr.op], *arguments)
        if expr.op in _CALLS:
            return body.call(_CALLS[expr.op], *arguments)
        if expr.op in _INTRINSICS:
            return body.intrinsic(expr.op, *arguments)
        if expr.op == "neg":
            return body.let(f"fneg {body.vector} {arguments[0]}")
        if expr.op == "abs":
            return body.intrinsic("fabs", *arguments)
        if expr.op == "log10":
            return body.binary("fmul", body.call("@ln", *arguments), splat(1 / math.log(10)))
        return self._extreme("olt" if expr.op == "min" else "ogt", *arguments)

    def _extreme(self, order: str, a: str, b: str) -> str:
        """The smaller or larger of two; NaN if either is."""
        body = self.body
        chosen = body.select(body.let(f"fcmp {order} {body.vector} {a}, {b}"), a, b)
        return body.select(body.let(f"fcmp uno {body.vector} {a}, {b}"), body.binary("fadd", a, b), chosen)

    def _piecewise(self, expr: Call) -> str:
        *pairs, otherwise = expr.args
        result = self.number(otherwise)
        for value, condition in zip(pairs[-2::-2], pairs[::-2], strict=True):
            result = self.body.select(self.truth(condition), self.number(value), result)
        return result

    def _power(self, base: Expr, exponent: Expr) -> str:
        """Small whole powers as products, square roots as such, everything else by logarithm."""
        body, a = self.body, self.number(base)
        if isinstance(exponent, Num) and exponent.value == 0.5:
            return body.intrinsic("sqrt", a)
        if isinstance(exponent, Num) and abs(exponent.value) <= UNROLLED_POWER and exponent.value.is_integer():
            product = self._product(a, abs(int(exponent.value)))
            return product if exponent.value >= 0 else body.binary("fdiv", splat(1.0), product)
        return body.call("@pow", a, self.number(exponent))

    def _product(self, a: str, times: int) -> str:
        """a multiplied by itself, by repeated squaring."""
        result = ""
        while times:
            if times & 1:
                result = self.body.binary("fmul", result, a) if result else a
            times >>= 1
            if times:
                a = self.body.binary("fmul", a, a)
        return result or splat(1.0)
