"""libsbml's formula trees as expressions: function definitions inlined, sizes bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bonesim.errors import InputError, Place, closest
from bonesim.model.expr import Call, Expr, Sym, free_name
from bonesim.sbml.operators import Node, builders, leaves, refused
from bonesim.sbml.supported import refuse

DEEPEST = 400
LARGEST = 200_000
"""Levels and nodes of the largest formula after functions are inlined."""

MOST_INLINED = 1_000_000
"""Nodes of all formulas of a model that come from functions."""


@dataclass(frozen=True)
class Where:
    """The element whose mathematics is read, for messages: `rule for 'x'`."""

    what: str
    place: Place


class MathReader:
    """Turns ASTNodes into expressions, given the function definitions of their model.

    `rates` are the symbols whose rate of change a formula uses (`rateOf`), each with the name that stands for it, which
    is none of `taken`, and its first use.
    """

    def __init__(self, functions: Mapping[str, Node], taken: Iterable[str] = ()) -> None:
        self.functions = functions
        self.rates: dict[str, tuple[str, Where]] = {}
        self._taken = set(taken)
        self._measured: dict[int, tuple[Expr, int, int]] = {}
        self._inlined_nodes = 0

    def expression(self, node: Node | None, where: Where, renamed: Mapping[str, Expr] | None = None) -> Expr:
        """The expression of `node`; names in `renamed` (local parameters) are replaced.

        Raises
        ------
        InputError
            If there is no mathematics, arguments do not fit, functions call each other in a circle, or the formula
            is too large.
        UnsupportedModelError
            If it uses a function that we do not do.
        """
        if node is None:
            raise InputError(f"{where.what} has no mathematics", place=where.place, remedy="give it a <math> element")
        self._measured.clear()
        try:
            expr = self._read(node, renamed or {}, where, ())
        except RecursionError:
            raise self._too_large(where) from None
        self._refuse_too_large(expr, where)
        return expr

    def _refuse_too_large(self, expr: Expr, where: Where) -> None:
        """Asked after each inlined call, since a few short functions can make a formula of any size."""
        size, depth = _measure(expr, self._measured)
        if size > LARGEST or depth > DEEPEST:
            raise self._too_large(where)

    @staticmethod
    def _too_large(where: Where) -> InputError:
        problem = f"{where.what} is too large a formula: more than {LARGEST} terms or {DEEPEST} levels"
        return InputError(problem, place=where.place, remedy="split it into assignment rules")

    def _read(self, node: Node, names: Mapping[str, Expr], where: Where, calling: tuple[str, ...]) -> Expr:
        import libsbml

        self._inlined_nodes += bool(calling)
        if self._inlined_nodes > MOST_INLINED:
            problem = f"functions make the formulas of this model larger than {MOST_INLINED} terms"
            raise InputError(
                problem, place=where.place, remedy="assignment rules in place of functions that call others"
            )
        kind = node.getType()
        if kind == libsbml.AST_NAME:
            return names.get(node.getName(), Sym(node.getName()))
        leaf = leaves().get(kind)
        if leaf:
            return leaf(node)
        construct = refused().get(kind)
        if construct:
            raise refuse(construct, where.what, where.place)
        args = [self._read(child, names, where, calling) for child in _operands(node)]
        if kind == libsbml.AST_FUNCTION_RATE_OF:
            return self._rate_of(args, where)
        if kind == libsbml.AST_FUNCTION:
            return self._inlined(node.getName(), args, where, calling)
        build = builders().get(kind)
        if build is None:
            problem = f"{where.what}: '{_name(node)}' is no function of SBML"
            raise InputError(problem, place=where.place, remedy="write it with the functions of SBML core")
        try:
            return build(args)
        except (IndexError, ValueError):
            problem = f"{where.what}: '{_name(node)}' does not take {len(args)} arguments"
            raise InputError(
                problem, place=where.place, remedy="give it the arguments of the SBML specification"
            ) from None

    def _rate_of(self, args: Sequence[Expr], where: Where) -> Expr:
        if len(args) != 1 or not isinstance(args[0], Sym):
            problem = f"{where.what} asks for the rate of change of something that is no symbol"
            raise InputError(problem, place=where.place, remedy="give 'rateOf' the id of one quantity")
        name = args[0].name
        if name not in self.rates:
            self.rates[name] = free_name(f"{name}__rate", self._taken), where
        return Sym(self.rates[name][0])

    def _inlined(self, name: str, args: Sequence[Expr], where: Where, calling: tuple[str, ...]) -> Expr:
        function = self.functions.get(name)
        if function is None:
            raise InputError(
                f"{where.what} calls '{name}', which is not defined",
                place=where.place,
                remedy=closest(name, self.functions),
            )
        if name in calling:
            circle = " -> ".join((*calling[calling.index(name) :], name))
            problem = f"functions call each other in a circle: {circle}"
            raise InputError(problem, place=where.place, remedy="write the formula without recursion")
        count = function.getNumChildren() - 1
        if count != len(args):
            problem = f"{where.what} calls '{name}' with {len(args)} arguments, it takes {count}"
            raise InputError(problem, place=where.place, remedy=f"give '{name}' {count} arguments")
        bound = {function.getChild(k).getName(): arg for k, arg in enumerate(args)}
        result = self._read(function.getChild(count), bound, where, (*calling, name))
        self._refuse_too_large(result, where)
        return result


def _operands(node: Node) -> list[Node]:
    """The children; a chain of sums or products to the left, as libsbml nests n-ary ones, counts as one."""
    import libsbml

    kind = node.getType()
    children = [node.getChild(k) for k in range(node.getNumChildren())]
    if kind not in {libsbml.AST_PLUS, libsbml.AST_TIMES}:
        return children
    after: list[Node] = []
    while len(children) > 1 and children[0].getType() == kind:
        after[:0] = children[1:]
        node = children[0]
        children = [node.getChild(k) for k in range(node.getNumChildren())]
    return children + after


def _measure(expr: Expr, known: dict[int, tuple[Expr, int, int]]) -> tuple[int, int]:
    """Nodes and levels of a tree whose inlined arguments are shared; each shared part is looked at once."""
    if not isinstance(expr, Call):
        return 1, 1
    if id(expr) not in known:
        parts = [_measure(arg, known) for arg in expr.args]
        known[id(expr)] = (expr, 1 + sum(size for size, _ in parts), 1 + max(depth for _, depth in parts))
    return known[id(expr)][1:]


def _name(node: Node) -> str:
    import libsbml

    return node.getName() or str(libsbml.formulaToL3String(node)).partition("(")[0]
