"""What depends on parameters alone, taken out of every block and computed once a segment."""

from __future__ import annotations

from collections.abc import Callable

from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold, free_name, symbols, walk
from bonesim.model.ode import OdeModel


class Hoist:
    """Replaces subtrees that depend on parameters alone by names of constants."""

    def __init__(self, model: OdeModel) -> None:
        self.taken = set(model.by_id)
        self.fixed = {parameter.id for parameter in model.parameters}
        self.named: dict[str, Expr] = {}
        self._names: dict[Expr, str] = {}

    def claims(self, name: str, expr: Expr) -> bool:
        """Whether a rule depends on parameters alone; then it becomes a constant of the same name."""
        if not self._is_fixed(expr):
            return False
        self.fixed.add(name)
        self.named[name] = expr
        self._names.setdefault(expr, name)
        return True

    def __call__(self, expr: Expr) -> Expr:
        return self._hoisted(expr, self._is_fixed)

    def _hoisted(self, expr: Expr, is_fixed: Callable[[Expr], bool]) -> Expr:
        def leaf(node: Num | Sym | Time) -> tuple[Expr, bool]:
            return node, is_fixed(node)

        def call(node: Call, args: tuple[tuple[Expr, bool], ...]) -> tuple[Expr, bool]:
            if all(fixed for _, fixed in args):
                return node, True
            return Call(node.op, tuple(self._constant(arg) if fixed else arg for arg, fixed in args)), False

        hoisted, fixed = fold(expr, leaf, call)
        return self._constant(hoisted) if fixed else hoisted

    def value(self, name: str) -> Expr:
        """What a constant is, to be computed where rules that are constants are known by their names."""
        return Sym(name) if name in self.fixed else self.named[name]

    @property
    def rules(self) -> list[tuple[str, Expr]]:
        """Rules that are constants, in order of use."""
        return [(name, expr) for name, expr in self.named.items() if name in self.fixed]

    def but_for(self, jumping: set[str]) -> Callable[[Expr], Expr]:
        """The same for what is asked at events alone: what rests on `jumping` names stays where it is, to be computed
        when it is asked for and not after every event."""

        def partly(expr: Expr) -> Expr:
            return self._hoisted(expr, lambda node: self._is_fixed(node) and not symbols(node) & jumping)

        return partly

    def _constant(self, expr: Expr) -> Expr:
        """The name of an expression of parameters alone, or its value if it is one of numbers alone."""
        if not isinstance(expr, Call):
            return expr
        if not symbols(expr):
            return Num(float(evaluate(expr, {})))
        if expr not in self._names:
            name = free_name(f"c{len(self._names) + 1}", self.taken)
            self._names[expr] = name
            self.named[name] = expr
        return Sym(self._names[expr])

    def _is_fixed(self, expr: Expr) -> bool:
        return all(node.name in self.fixed if isinstance(node, Sym) else node != TIME for node in walk(expr))
