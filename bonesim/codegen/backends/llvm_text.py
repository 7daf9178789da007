"""Expressions and blocks of a program as LLVM text on vectors of lanes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bonesim.codegen.backends.llvm_numbers import LARGEST_EXPONENT, WITH_AVX512, double_bits, splat
from bonesim.model.expr import Call, Expr, Num, Sym

Homes = dict[str, int]  # name -> row of the workspace that holds it

_INFIX = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_COMPARE = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
_LOGIC = {"and": "and", "or": "or"}
_CALLS = {"exp": "@exp", "ln": "@ln", "tanh": "@tanh"}
_INTRINSICS = {"sqrt", "floor", "ceil", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"}
ARGUMENTS = "ptr noalias %ws, ptr noalias %io"
_INLINED = {"@exp(": 30, "@exp_of(": 25, "@ln(": 40, "@ln_of(": 30, "@tanh(": 30}  # lines of each
LONGEST_INLINED = 400  # lines; the step of a model of three states is one piece of code, that of forty is not

LONGEST_STRETCH = 8  # rows that are gone over without a loop


class Body:
    """The lines of one function; `let` names a value, `load` and `store` reach rows of the workspace `%ws`."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.vector, self.booleans, self.integers = f"<{width} x double>", f"<{width} x i1>", f"<{width} x i64>"
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

    def call(self, function: str, *arguments: str, attribute: str = "") -> str:
        """A call of a function of vectors."""
        listed = ", ".join(f"{self.vector} {argument}" for argument in arguments)
        return self.let(f"call {self.vector} {function}({listed}) {attribute}".rstrip())

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

    def whole(self, table: str, index: str) -> str:
        """An i64 value from a table of `whole_numbers`."""
        place = self.let(f"getelementptr inbounds i32, ptr @{table}, i64 {index}")
        return self.let(f"sext i32 {self.let(f'load i32, ptr {place}')} to i64")

    @contextmanager
    def loop(self, end: int | str, first: int | str = 0) -> Iterator[str]:
        """Lines inside run for i = first, first + 1, ... below `end`; gives the i64 value i."""
        self._count += 1
        label = f"l{self._count}"
        self.lines += [f"  br label %{label}_before", f"{label}_before:"]
        self.lines.append(f"  %{label}_some = icmp slt i64 {first}, {end}")
        self.lines += [f"  br i1 %{label}_some, label %{label}, label %{label}_end", f"{label}:"]
        place = len(self.lines)
        self.lines.append("")
        yield f"%{label}_i"
        self.lines += [
            f"  br label %{label}_next",
            f"{label}_next:",
            f"  %{label}_n = add nuw nsw i64 %{label}_i, 1",
            f"  %{label}_go = icmp slt i64 %{label}_n, {end}",
            f"  br i1 %{label}_go, label %{label}, label %{label}_end",
            f"{label}_end:",
        ]
        self.lines[place] = f"  %{label}_i = phi i64 [ {first}, %{label}_before ], [ %{label}_n, %{label}_next ]"

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Lines inside run only if the i1 `condition` is true."""
        self._count += 1
        label = f"w{self._count}"
        self.lines += [f"  br i1 {condition}, label %{label}, label %{label}_end", f"{label}:"]
        yield
        self.lines += [f"  br label %{label}_end", f"{label}_end:"]

    def each(self, numbers: Sequence[int]) -> Iterator[str]:
        """Each of some numbers in turn as an i64 value; for a long stretch of them the lines stand once, in a loop."""
        start = 0
        while start < len(numbers):
            end = start + 1
            while end < len(numbers) and numbers[end] == numbers[end - 1] + 1:
                end += 1
            if end - start < LONGEST_STRETCH:
                yield from map(str, numbers[start:end])
            else:
                with self.loop(numbers[end - 1] + 1, numbers[start]) as i:
                    yield i
            start = end

    def function(self, name: str, arguments: str = ARGUMENTS, linkage: str = "internal") -> str:
        """The text of the function; a short one becomes part of those that call it."""
        inline = "alwaysinline " if linkage and self._length <= LONGEST_INLINED else ""
        return self._defined(name, arguments, f"{linkage} " if linkage else "", inline)

    def alone(self, name: str, arguments: str = ARGUMENTS) -> str:
        """The text of a function that never becomes part of another."""
        return self._defined(name, arguments, "internal ", "noinline ")

    def _defined(self, name: str, arguments: str, linkage: str, inline: str) -> str:
        """The text of the function. What it puts aside begins at a line of the cache, where callers align to 16 bytes:
        a vector that lies across two lines costs two accesses.
        """
        head = f'define {linkage}void @{name}({arguments}) {inline}"stackrealign" {{'
        return "\n".join([head, "entry:", *self.lines, "  ret void", "}"]) + "\n"

    @property
    def _length(self) -> int:
        """Lines, with those of elementary functions, which are always inlined."""
        return len(self.lines) + sum(_INLINED[name] for line in self.lines for name in _INLINED if name in line)


def whole_numbers(table: str, values: Sequence[int]) -> str:
    """A constant table."""
    listed = ", ".join(f"i32 {value}" for value in values)
    return f"@{table} = private constant [{len(values)} x i32] [{listed}]"


def handed(arguments: str) -> str:
    """The arguments of a function as it hands them on."""
    return arguments.replace("noalias ", "")


def in_turn(name: str, bodies: Sequence[Body], arguments: str = ARGUMENTS) -> str:
    """A function that does what several bodies do, one after another."""
    if len(bodies) == 1:
        return bodies[0].function(name, arguments)
    parts = [body.alone(f"{name}_{number}", arguments) for number, body in enumerate(bodies)]
    caller = Body(bodies[0].width)
    caller.lines = [f"  call void @{name}_{number}({handed(arguments)})" for number in range(len(bodies))]
    return "\n".join([*parts, caller.alone(name, arguments)])


class Expressions:
    """Turns expressions into values of one function; `known` are those of names, each loaded once.

    Calls of elementary functions carry `attribute`: with `noinline` they stay calls. Unless it is `careful`, powers
    hold for ordinary numbers only, and a lane in which all are ordinary is one in which each of `ordinary` is true.
    """

    def __init__(self, body: Body, homes: Homes, time: int, attribute: str = "", *, careful: bool = False) -> None:
        self.body, self.homes, self.time, self.attribute, self.careful = body, homes, time, attribute, careful
        self.known: dict[str, str] = {}
        self.ordinary: list[str] = []

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
        if expr.op == "lower_power":
            return self._lower_power(*map(self.number, expr.args))
        arguments = [self.number(arg) for arg in expr.args]
        if expr.op in _INFIX:
            return body.binary(_INFIX[expr.op], *arguments)
        if expr.op == "ln_or_nan":
            return self._ln_of_base(*arguments)
        if expr.op in _CALLS:
            return body.call(_CALLS[expr.op], *arguments, attribute=self.attribute)
        if expr.op in _INTRINSICS:
            return body.intrinsic(expr.op, *arguments)
        if expr.op == "neg":
            return body.let(f"fneg {body.vector} {arguments[0]}")
        if expr.op == "abs":
            return body.intrinsic("fabs", *arguments)
        if expr.op == "log10":
            return body.binary("fmul", body.call("@ln", *arguments, attribute=self.attribute), splat(1 / math.log(10)))
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

    def _power(self, base: Expr, exponent: Expr, logarithm: Expr | None = None) -> str:
        """Small whole powers as products, square roots as such, everything else by the logarithm of the base."""
        body, a = self.body, self.number(base)
        if logarithm is not None:
            b, log = self.number(exponent), self.number(logarithm)
            return body.call("@pow", a, b) if self.careful else self._exp_of_product(b, log)
        assert isinstance(exponent, Num)
        if exponent.value == 0.5:
            return body.intrinsic("sqrt", a)
        product = self._product(a, abs(int(exponent.value)))
        return product if exponent.value >= 0 else body.binary("fdiv", splat(1.0), product)

    def _ln_of_base(self, a: str) -> str:
        """The logarithm that powers of a base share; ordinary bases are positive, or 0: many a state begins there.

        With AVX-512 that of another base is NaN or infinite, which the exponents show.
        """
        body = self.body
        if self.careful:
            return body.call("@ln_or_nan", a)
        if body.width != WITH_AVX512:
            bits = body.let(f"bitcast {body.vector} {a} to {body.integers}")
            self.ordinary.append(body.let(f"icmp ult {body.integers} {bits}, splat (i64 {double_bits(math.inf)})"))
        return body.call("@ln_of", a, attribute=self.attribute)

    def _exp_of_product(self, b: str, log: str) -> str:
        """a^b from ln a."""
        body = self.body
        exponent = body.binary("fmul", b, log)
        self.ordinary.append(body.let(f"fcmp olt {body.vector} {exponent}, {splat(LARGEST_EXPONENT)}"))
        return body.call("@exp_of", exponent, attribute=self.attribute)

    def _lower_power(self, a: str, b: str, log: str, whole: str, inverse: str) -> str:
        """a^b from a^(b + 1) and 1/a, which costs a product in place of an exponential; 1/a may be too large for it."""
        body = self.body
        exponent, quotient = body.binary("fmul", b, log), body.binary("fmul", whole, inverse)
        some = body.let(f"fcmp ogt {body.vector} {exponent}, {splat(-LARGEST_EXPONENT)}")
        factor = body.select(some, inverse, splat(0.0))
        holds = [
            body.let(f"fcmp olt {body.vector} {value}, {splat(limit)}")
            for value, limit in ((exponent, LARGEST_EXPONENT), (whole, math.inf), (factor, math.inf))
        ]
        if not self.careful:
            self.ordinary += holds
            return body.select(some, quotient, splat(0.0))
        all_hold = some
        for one in holds:
            all_hold = body.let(f"and {body.booleans} {all_hold}, {one}")
        return body.select(all_hold, quotient, body.call("@pow", a, b))

    def call_where_extraordinary(self, function: str, arguments: str) -> None:
        """Call another function of the same arguments if some lane is not ordinary throughout."""
        body = self.body
        all_are = self.ordinary[0]
        for another in self.ordinary[1:]:
            all_are = body.let(f"and {body.booleans} {all_are}, {another}")
        bits = body.let(f"bitcast {body.booleans} {all_are} to i{body.width}")
        with body.when(body.let(f"icmp ne i{body.width} {bits}, -1")):
            body.lines.append(f"  call void @{function}({handed(arguments)})")

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
