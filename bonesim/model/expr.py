"""The expression tree: four kinds of frozen nodes, kept as they were written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Num:
    """A number as written."""

    value: float


@dataclass(frozen=True, slots=True)
class Sym:
    """A name: a state, a parameter or a rule of the model the expression stands in."""

    name: str


@dataclass(frozen=True, slots=True)
class Time:
    """The independent variable, in the model's time unit."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call:
    """An operator of `model.ops` applied to its arguments.

    Comparisons, logic and `piecewise` are calls too, so that everything downstream has one case.
    `piecewise` takes value, condition, value, condition, ..., otherwise.
    """

    op: str
    args: tuple[Expr, ...]
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Kept, since hashing a deep tree anew at every look-up makes value numbering quadratic.
        object.__setattr__(self, "_hash", hash((self.op, self.args)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Call):
            return NotImplemented
        pairs: list[tuple[Expr, Expr]] = [(self, other)]
        while pairs:
            a, b = pairs.pop()
            if a is b:
                continue
            if not (isinstance(a, Call) and isinstance(b, Call)):
                if a != b:
                    return False
            elif a._hash != b._hash or a.op != b.op or len(a.args) != len(b.args):
                return False
            else:
                pairs.extend(zip(a.args, b.args, strict=True))
        return True

    def __repr__(self) -> str:
        return fold(self, repr, lambda call, args: f"{call.op}({', '.join(args)})")

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the kept hash: those of texts differ from process to process.
        return Call, (self.op, self.args)


Expr: TypeAlias = Num | Sym | Time | Call
TIME = Time()


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node of a tree, parents before their arguments."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Call):
            stack.extend(reversed(node.args))


def symbols(expr: Expr) -> frozenset[str]:
    """The names an expression uses."""
    return frozenset(node.name for node in walk(expr) if isinstance(node, Sym))


def fold(expr: Expr, leaf: Callable[[Num | Sym | Time], T], call: Callable[[Call, tuple[T, ...]], T]) -> T:
    """The result of `leaf` at every leaf and of `call` at every call, handed the results of its arguments.

    Arguments come before their parents, from left to right, a shared subtree once; a loop, since a sum of a
    thousand terms is a thousand levels deep.
    """
    known: dict[int, T] = {}
    stack: list[Expr] = [expr]
    while stack:
        node = stack[-1]
        if id(node) in known:
            stack.pop()
        elif not isinstance(node, Call):
            known[id(node)] = leaf(node)
        elif missing := [arg for arg in node.args if id(arg) not in known]:
            stack.extend(reversed(missing))
        else:
            known[id(node)] = call(node, tuple(known[id(arg)] for arg in node.args))
    return known[id(expr)]


def rebuild(expr: Expr, leaf: Callable[[Num | Sym | Time], Expr]) -> Expr:
    """The same tree with every leaf passed through `leaf`; calls that do not change stay the same object."""
    return fold(expr, leaf, with_args)


def with_args(call: Call, args: tuple[Expr, ...]) -> Call:
    """The call with other arguments; the same object if they are the same objects."""
    return call if all(a is b for a, b in zip(args, call.args, strict=True)) else Call(call.op, args)


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced by other expressions; names that are not in `values` stay."""
    return rebuild(expr, lambda node: values.get(node.name, node) if isinstance(node, Sym) else node)


def free_name(name: str, taken: set[str]) -> str:
    """`name`, with `_` appended until it is not in `taken`; `taken` then holds it too."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def product(factors: list[Expr]) -> Expr:
    """The product of a list, left to right; 1 for an empty one."""
    return _chain("mul", factors, Num(1.0))


def total(terms: list[Expr]) -> Expr:
    """The sum of a list, left to right; 0 for an empty one."""
    return _chain("add", terms, Num(0.0))


def _chain(op: str, parts: list[Expr], empty: Num) -> Expr:
    if not parts:
        return empty
    result = parts[0]
    for part in parts[1:]:
        result = Call(op, (result, part))
    return result
