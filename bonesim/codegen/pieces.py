"""Blocks cut into pieces: a compiler takes more than twice the time for a function of twice the length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bonesim.codegen.block import Block, Store
from bonesim.codegen.schedule import Step, Value, scheduled
from bonesim.model.expr import Call, Expr, symbols, walk

COSTS = {"pow": 40, "exp": 25, "ln": 25, "ln_or_nan": 20, "log10": 25, "tanh": 30, "lower_power": 6}
"""Instructions of an operator that is more than one."""
STEP = 3
"""Instructions that bring a step's numbers from and to where they are kept."""


@dataclass
class Piece:
    """Named values and stores in order; a value that a later piece reads is kept in a place of a pool."""

    steps: list[Step] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)


def cut(block: Block, longest: int, *, overwrites: bool) -> list[Piece]:
    """Pieces of at most about `longest` instructions, in the order that `codegen.schedule` finds.

    Stores stand where their values are known; in a block that overwrites what it reads they all come last.
    """
    order = _by_use(block)
    if overwrites:
        order = [step for step in order if not isinstance(step, Store)] + list(block.stores)
    else:
        order = scheduled(order)
    found, length = [Piece()], 0
    for step in order:
        more = _cost(_expr(step))
        if length and length + more > longest:
            found.append(Piece())
            length = 0
        found[-1].steps.append(step)
        length += more
    _keep(found)
    return found


def cost(block: Block) -> int:
    """About how many instructions a block is."""
    return sum(_cost(expr) for _, expr in block.values) + sum(_cost(store.expr) for store in block.stores)


def _cost(expr: Expr) -> int:
    return STEP + sum(COSTS.get(node.op, 1) for node in walk(expr) if isinstance(node, Call))


def _expr(step: Step) -> Expr:
    return step.expr if isinstance(step, Store) else step[1]


def _by_use(block: Block) -> list[Step]:
    """Stores row by row, before each the values that it is the first to need."""
    values = dict(block.values)
    done: set[str] = set()
    order: list[Step] = []
    for store in sorted(block.stores, key=lambda store: store.index):
        order += _needed(store.expr, values, done)
        order.append(store)
    return order


def _needed(expr: Expr, values: dict[str, Expr], done: set[str]) -> Iterator[Value]:
    """The values below an expression that are not done, in order of use."""
    stack = sorted(symbols(expr) & values.keys(), reverse=True)
    while stack:
        name = stack[-1]
        ahead = [other for other in symbols(values[name]) & values.keys() if other not in done]
        if name in done or not ahead:
            stack.pop()
            if name not in done:
                done.add(name)
                yield name, values[name]
        else:
            stack += sorted(ahead, reverse=True)


def _keep(pieces: list[Piece]) -> None:
    """Give places to values that cross a border; one whose last reader has run is free for the next.

    A piece may run twice, so what it reads is still there when it has put its own values away.
    """
    last: dict[str, int] = {}
    for number, piece in enumerate(pieces):
        for step in piece.steps:
            last.update(dict.fromkeys(symbols(_expr(step)), number))
    places = 0
    free: list[int] = []
    leaving: dict[int, list[int]] = {}
    for number, piece in enumerate(pieces):
        free += leaving.pop(number, [])
        for step in piece.steps:
            if isinstance(step, Store) or last.get(step[0], number) == number:
                continue
            if not free:
                free, places = [places], places + 1
            place = piece.kept[step[0]] = free.pop()
            leaving.setdefault(last[step[0]] + 1, []).append(place)
