"""Equations as calls of NumPy that write their results into rows kept for them, `w0_`, `w1_`, ...

`a*b + c` makes a new array for each operation. As `add(multiply(a, b, w0_), c, w0_)` it takes a quarter less time
(`aligned`) and gives the same bits. A row is free again after the last use of what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from bonesim.codegen.block import TRUTHS, Block, Store
from bonesim.errors import InternalError
from bonesim.model.expr import Call, Expr, Num, Sym, Time, symbols
from bonesim.model.ops import ATOM, OPS

SIGNS = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "pow": "power", "neg": "negative"}
"""Functions that do what is otherwise written as a sign; all that generated code calls by name are such functions."""

BY_KEYWORD = {"min", "max"}
"""Functions that take the row by its keyword alone; for the others a position is the faster way."""

Text: TypeAlias = tuple[str, int]
"""Of an expression, with the precedence of its outermost operator."""


@dataclass(frozen=True)
class Plain:
    """How an expression looks without rows.

    leaf : text of a number, a name or the time; call : of an operator applied to texts; value : of what gets a name
    """

    leaf: Callable[[Num | Sym | Time], Text]
    call: Callable[[Call, tuple[Text, ...]], Text]
    value: Callable[[Expr], str]


@dataclass
class _Rows:
    """How many rows there are, and which are free."""

    count: int = 0
    free: list[int] = field(default_factory=list)

    def take(self) -> int:
        """The row that became free last: it is still near."""
        if not self.free:
            self.free.append(self.count)
            self.count += 1
        return self.free.pop()


class Kept:
    """The lines of a block, and the number of rows they need.

    place : the text of where a result is stored
    """

    def __init__(self, block: Block, plain: Plain, place: Callable[[Store], str]) -> None:
        self._plain, self._place, self._rows = plain, place, _Rows()
        self._held: dict[str, int] = {}
        self.lines = list(self._written(block))

    @property
    def header(self) -> str:
        """The names of the rows as a target."""
        return "".join(f"{row_name(number)}, " for number in range(self._rows.count))

    @property
    def count(self) -> int:
        """How many rows."""
        return self._rows.count

    def _written(self, block: Block) -> Iterator[str]:
        items = list(_early(block))
        last = {name: number for number, (_, expr) in enumerate(items) for name in symbols(expr)}
        ends: dict[int, list[str]] = {}
        for number, (target, _) in enumerate(items):
            if isinstance(target, str):
                ends.setdefault(last.get(target, number), []).append(target)
        for number, (target, expr) in enumerate(items):
            yield self._line(target, expr)
            self._rows.free += [self._held.pop(name) for name in ends.get(number, ()) if name in self._held]

    def _line(self, target: str | Store, expr: Expr) -> str:
        if isinstance(target, Store):
            place = self._place(target)
            text, _ = self._text(expr, place)
            return text[0] if _fills(expr) else f"{place} = {text[0]}"
        if isinstance(expr, Num):
            return f"{self._plain.leaf(Sym(target))[0]} = {self._plain.value(expr)}"
        if isinstance(expr, Sym):
            raise InternalError(f"'{target}' is another name of '{expr.name}'")  # whose row may be free before
        text, row = self._text(expr)
        if row is not None:
            self._held[target] = row
        return f"{self._plain.leaf(Sym(target))[0]} = {text[0]}"

    def _text(self, expr: Expr, target: str = "") -> tuple[Text, int | None]:
        """An expression and the row that holds it afterwards, if any: not where its result goes to `target`."""
        if not isinstance(expr, Call):
            return self._plain.leaf(expr), None
        found = {place: self._text(expr.args[place]) for place in _in_turn(expr)}
        texts = tuple(found[place][0] for place in range(len(expr.args)))
        self._rows.free += [row for _, row in found.values() if row is not None]
        if not _fills(expr):
            return self._plain.call(expr, texts), None
        row = None if target else self._rows.take()
        into = f"{'out=' if expr.op in BY_KEYWORD else ''}{target or row_name(row)}"
        arguments = ", ".join([*(text for text, _ in texts), into])
        return (f"{SIGNS.get(expr.op, OPS[expr.op].numpy)}({arguments})", ATOM), row


def row_name(number: int | None) -> str:
    """The name of a row in generated code; no symbol's ends so."""
    return f"w{number}_"


def _in_turn(expr: Call) -> list[int]:
    """Places of arguments in the order in which Python computes them: conditions before what they choose."""
    last = len(expr.args) - 1
    return [place ^ 1 for place in range(last)] + [last] if expr.op == "piecewise" else list(range(last + 1))


def _fills(expr: Expr) -> bool:
    """Whether the result of an expression goes into a row.

    Choices and truths are arrays of their own; of powers by a number NumPy finds some without `power`.
    """
    if not isinstance(expr, Call) or expr.op == "piecewise" or expr.op in TRUTHS:
        return False
    return not (expr.op == "pow" and isinstance(expr.args[1], Num))


def _early(block: Block) -> Iterator[tuple[str | Store, Expr]]:
    """Values in order, and each result as soon as what it rests on is known."""
    place = {name: number for number, (name, _) in enumerate(block.values, start=1)}
    known: dict[int, list[Store]] = {}
    for store in block.stores:
        known.setdefault(max((place.get(name, 0) for name in symbols(store.expr)), default=0), []).append(store)
    for number, value in enumerate((None, *block.values)):
        if value:
            yield value
        yield from ((store, store.expr) for store in known.get(number, ()))
