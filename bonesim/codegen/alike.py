"""Events that do the same with other parameters: a schedule of hundreds of infusions is one block with arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from bonesim.codegen.block import Block
from bonesim.codegen.program import Program
from bonesim.model.expr import Expr, Num, Sym, Time, rebuild


@dataclass(frozen=True)
class Alike:
    """Timed events from `first` up to `end` that share a block.

    arguments : (argument, event) the name that each of the block's names `argument_names` stands for
    """

    first: int
    end: int
    block: Block
    argument_names: tuple[str, ...] = ()
    arguments: tuple[tuple[str, ...], ...] = ()


def alike(program: Program) -> list[Alike]:
    """The timed events of a program, in order, neighbours that differ in parameters and constants alone together."""
    layout = program.layout
    given = frozenset((*layout.parameters, *layout.constants))
    forms = [_form(program.firing[number], given) for number in range(len(layout.events))]

    def kind(number: int) -> tuple[object, ...]:
        return (forms[number][0], number) if layout.terminal[number] else (forms[number][0],)

    groups = []
    for _, numbers in groupby(range(len(forms)), key=kind):
        members = list(numbers)
        first, end = members[0], members[-1] + 1
        block, _ = forms[first]
        groups.append(_group(first, end, program.firing[first], block, [forms[number][1] for number in members]))
    return groups


def _form(block: Block, given: frozenset[str]) -> tuple[Block, tuple[str, ...]]:
    """The block with `argument 0`, ... (no id has a space) in place of what is given, and what these stand for."""
    places: dict[str, Sym] = {}

    def leaf(node: Num | Sym | Time) -> Expr:
        if isinstance(node, Sym) and node.name in given:
            return places.setdefault(node.name, Sym(f"argument {len(places)}"))
        return node

    values = tuple((name, rebuild(expr, leaf)) for name, expr in block.values)
    stores = tuple(replace(store, expr=rebuild(store.expr, leaf)) for store in block.stores)
    return Block(values, stores), tuple(places)


def _group(first: int, end: int, block: Block, form: Block, names: list[tuple[str, ...]]) -> Alike:
    """Only what differs between the events is an argument."""
    if end - first == 1:
        return Alike(first, end, block)
    columns = {f"argument {place}": column for place, column in enumerate(zip(*names, strict=True))}
    same = {name: Sym(column[0]) for name, column in columns.items() if len(set(column)) == 1}

    def leaf(node: Num | Sym | Time) -> Expr:
        return same.get(node.name, node) if isinstance(node, Sym) else node

    values = tuple((name, rebuild(expr, leaf)) for name, expr in form.values)
    stores = tuple(replace(store, expr=rebuild(store.expr, leaf)) for store in form.stores)
    differ = {name: column for name, column in columns.items() if name not in same}
    return Alike(first, end, Block(values, stores), tuple(differ), tuple(differ.values()))
