"""The plain back end: the equations as vectorised NumPy, one readable line each. The oracle of every other back end.

A generated file holds the functions of `system.Functions`. Names and order are the model's; numbers are written
with all their digits. What each step calls again and again is written as `numpy_kept` says, unless all is to be plain.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import cast

from bonesim.codegen.backends import numpy_linear
from bonesim.codegen.backends.numpy_kept import SIGNS, Kept, Plain, Text
from bonesim.codegen.block import TRUTHS, Block, Store
from bonesim.codegen.constraints import apart
from bonesim.codegen.program import Program, arrange
from bonesim.codegen.sparse import Elimination, eliminate
from bonesim.codegen.steep import unguarded
from bonesim.codegen.store import import_source
from bonesim.errors import InternalError
from bonesim.model.expr import Call, Expr, Num, Sym, Time, fold
from bonesim.model.ode import OdeModel
from bonesim.model.ops import ATOM, OPS
from bonesim.system import Functions, Kernels

_IMPORTED = sorted({op.numpy for op in OPS.values() if op.numpy.isidentifier()})
_ARGUMENTS = {"t", "y", "p", "k", "dy", "out", "jacobian", "by_time", "times", "every"}
_NUMBERS = ("float64", "inf", "isfinite", "nan")
_RESERVED = {*_IMPORTED, *_ARGUMENTS, *_NUMBERS, *SIGNS.values(), "kept"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def build(model: OdeModel, observables: Iterable[str], *, plain: bool = False) -> Kernels:
    """Kernels of a well-posed model that can report `observables` (ids of its symbols).

    `plain` ones have the same bits and take longer; other compilers of Python read them.
    """
    return of_program(arrange(model, observables), plain=plain)


def of_program(program: Program, *, plain: bool = False) -> Kernels:
    """Kernels of an arranged program."""
    module, file = import_source(source(program, plain=plain), name=program.model.id)
    layout = replace(program.layout, factors=_elimination(program).stored if hasattr(module, "factor") else 0)
    return Kernels(layout, cast(Functions, module), backend="numpy", source_file=file)


def source(program: Program, *, plain: bool = False) -> str:
    """The text of the generated file; the same model gives the same bytes."""
    rows, keep = _Rows(program), not plain
    linear = numpy_linear.functions(_elimination(program), program.layout.pattern, program.layout.algebraic)
    functions = [
        rows.function("initialise", "p, y", program.initialise, own={"y"}),
        rows.function("constants", "p, k", program.constants, own={"k"}),
        *_jumped(program, rows),
        rows.function("rhs", "t, y, p, k, dy", program.rhs, keep=keep),
        rows.function("jacobian", "t, y, p, k, jacobian, by_time", program.jacobian),
        _start(program, rows, keep),
        *linear,
        rows.function("observe", "t, y, p, k, out", program.observe),
        rows.function("event_times", "p, k, times, every", program.event_times),
        *_held(program, rows),
        *(rows.function(f"fire_{n}", "t, y, p, k", block, copied=True) for n, block in enumerate(program.firing)),
        _one_of("fire", "t, y, p, k", [f"fire_{n}" for n in range(len(program.firing))]),
        *_waiting(program, rows),
        *_delayed(program, rows),
    ]
    return "\n\n".join([_header(program), *functions])


def _elimination(program: Program) -> Elimination:
    slopes = {
        (store.index[0], store.index[1]): store.expr for store in program.start.stores if store.array == "jacobian"
    }
    algebraic = program.layout.algebraic
    return eliminate(len(program.layout.states), apart(slopes, algebraic), algebraic)


def _by_entry(program: Program) -> Block:
    """Rates and Jacobian, the latter as rows of its pattern."""
    place = {entry: number for number, entry in enumerate(program.layout.pattern)}
    stores = [
        replace(store, array="slopes", index=(place[store.index[0], store.index[1]],))
        if store.array == "jacobian"
        else store
        for store in program.start.stores
    ]
    return replace(program.start, stores=tuple(stores))


def _start(program: Program, rows: _Rows, keep: bool) -> str:
    """Rates and slopes. Those that are 0 where they are no number become so together, in one call for all entries."""
    block = _by_entry(program)
    bare = [unguarded(store.expr) for store in block.stores]
    stores = [
        store if expr is None else replace(store, expr=expr) for store, expr in zip(block.stores, bare, strict=True)
    ]
    block = replace(block, stores=tuple(stores))
    text = rows.function("start", "t, y, p, k, dy, slopes_, by_time", block, keep=keep)
    if any(bare):
        for array in ("slopes_", "by_time"):
            text += f"\n    if not isfinite({array}).all():\n        {array}[~isfinite({array})] = 0.0"
    return text


def _header(program: Program) -> str:
    model, layout = program.model, program.layout
    lines = [
        f"# Generated by bonesim, back end numpy, from the model {_line(model.id)} ({model.content_hash[:12]}).",
        "# Do not edit.",
        f"# y: {_numbered((state.id, state.unit) for state in model.states)}",
        f"# p: {_numbered((parameter.id, parameter.unit) for parameter in model.parameters)}",
        f"# out: {_numbered((name, program.model.by_id[name].unit) for name in layout.observables)}",
        f"from numpy import {', '.join(sorted({*_IMPORTED, *_NUMBERS, *SIGNS.values()}))}",
        "from bonesim.aligned import kept",
    ]
    return "\n".join(lines) + "\n"


def _numbered(rows: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{row} {name} [{_line(unit)}]" for row, (name, unit) in enumerate(rows))


def _line(text: str) -> str:
    """Text that may stand in a comment: what a user wrote must not end the line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _held(program: Program, rows: _Rows) -> list[str]:
    """What models have whose conditions are held during a step.

    The arrays end in `_` so that symbols of all models keep their names: no symbol does in generated code but for a
    reserved one.
    """
    if not program.layout.switches and not program.layout.initially:
        return []
    return [
        rows.function("settle", "t, y, p, k", program.settle),
        rows.function("roots", "t, y, p, k, g_", program.roots),
        rows.function("stops", "p, k, stops_", program.stops),
    ]


def _jumped(program: Program, rows: _Rows) -> list[str]:
    """A function for each block of constants that events change, and one that calls that of an event."""
    different = {id(block): block for block in program.jumped}
    names = {key: f"jumped_{number}" for number, key in enumerate(different)}
    each = [rows.function(names[key], "p, k", block, own={"k"}) for key, block in different.items()]
    return [*each, _one_of("jumped", "p, k", [names[id(block)] for block in program.jumped])]


def _waiting(program: Program, rows: _Rows) -> list[str]:
    """What models have whose state events wait in a queue."""
    if program.waiting is None:
        return []
    blocks = program.waiting
    return [
        rows.function("true", "t, y, p, k, true_", blocks.true),
        rows.function("delays", "t, y, p, k, delays_", blocks.delays),
        rows.function("priorities", "t, y, p, k, priorities_", blocks.priorities),
        *_by_number("values", "t, y, p, k, values_", blocks.values, rows),
        *_by_number("factors", "t, y, p, k, factors_", blocks.factors, rows),
    ]


def _by_number(name: str, arguments: str, blocks: Sequence[Block], rows: _Rows, by: str = "event") -> list[str]:
    """A function for each block, and the one that calls that of a number."""
    names = [f"{name}_{number}" for number in range(len(blocks))]
    each = [rows.function(one, arguments, block) for one, block in zip(names, blocks, strict=True)]
    return [*each, _one_of(name, arguments, names, by)]


def _delayed(program: Program, rows: _Rows) -> list[str]:
    """What models with lags have: four functions of each, and those that choose among them."""
    if not program.delays:
        return []
    texts = []
    for name, more in (("ago", ""), ("ago_then", ""), ("past", "dy, "), ("before", "")):
        blocks = [getattr(one, name) for one in program.delays]
        texts += _by_number(name, f"t, y, p, k, {more}out", blocks, rows, "lag")
    return texts


def _one_of(name: str, arguments: str, functions: Sequence[str], by: str = "event") -> str:
    """A table of functions, and the one that calls that of a number."""
    listed, table = "".join(f"{function}, " for function in functions), name.upper()
    return f"{table} = ({listed})\n\n\ndef {name}({by}, {arguments}):\n    {table}[{by}]({arguments})\n"


class _Rows:
    """Where each name of a model lives, and the text of functions that read it from there."""

    def __init__(self, program: Program) -> None:
        layout = program.layout
        self.home = {name: f"y[{row}]" for row, name in enumerate(layout.states)}
        self.home |= {name: f"p[{row}]" for row, name in enumerate(layout.parameters)}
        self.home |= {name: f"k[{row}]" for row, name in enumerate((*layout.constants, *layout.switches))}
        lagging = (name for lag in layout.lags for name in lag)
        self.home |= {name: f"k[{row}]" for row, name in enumerate(lagging, start=layout.lagging.start)}
        self.home |= {name: f"dy[{row}]" for row, name in enumerate(program.rates)}

    def function(
        self,
        name: str,
        arguments: str,
        block: Block,
        *,
        own: Container[str] = (),
        copied: bool = False,
        keep: bool = False,
    ) -> str:
        """One function; names whose home is an array in `own` are computed in the block, not read.

        `copied` rows keep their values while the block writes into the arrays they came from. With `keep`, one that
        writes into dy has its results on the way in rows that are kept.
        """
        copy = ".copy()" if copied else ""
        read = sorted(block.used(), key=self._position)
        lines = [f"    {_local(name)} = {self.home[name]}{copy}" for name in read if self.home[name][0] not in own]
        if keep:
            found = Kept(block, Plain(_leaf, _call, _value), _place)
            lines += [f"    {found.header}= kept({found.count}, dy.shape[-1])"] * bool(found.count)
            lines += [f"    {line}" for line in found.lines]
        else:
            lines += [f"    {_local(target)} = {_value(expr)}" for target, expr in block.values]
            lines += [f"    {_place(store)} = {_stored(store.expr)}" for store in block.stores]
        return f"def {name}({arguments}):\n" + "\n".join(lines or ["    pass"])

    def _position(self, name: str) -> tuple[str, int]:
        array, _, row = self.home[name].rstrip("]").partition("[")
        return array, int(row)


def _local(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise InternalError(f"'{name}' cannot be a name in generated code")
    return f"{name}_" if keyword.iskeyword(name) or name in _RESERVED or name.endswith("_") else name


def _place(store: Store) -> str:
    """Where a result is stored."""
    index = ", ".join(str(number) for number in store.index)
    array = store.array if store.array in _ARGUMENTS else f"{store.array}_"
    return f"{array}[{':, ' * (len(store.index) > 1)}{index}]"


def _value(expr: Expr) -> str:
    """Text of a named value; a bare number as NumPy's, since Python's raises where IEEE has infinity."""
    return f"float64({_text(expr)})" if isinstance(expr, Num) else _text(expr)


def _stored(expr: Expr) -> str:
    """Text of what is stored; a truth is stored as 1 or 0, whether that is written out or not."""
    if isinstance(expr, Call) and expr.op == "piecewise" and expr.args[::2] == (Num(1.0), Num(0.0)):
        truth = expr.args[1]
        if isinstance(truth, Call) and truth.op in TRUTHS:
            return _text(truth)
    return _text(expr)


def _text(expr: Expr) -> str:
    return fold(expr, _leaf, _call)[0]


def _leaf(leaf: Num | Sym | Time) -> Text:
    if isinstance(leaf, Num):
        text = repr(float(leaf.value))
        return text, OPS["neg"].precedence if text.startswith("-") else ATOM
    return _local(leaf.name) if isinstance(leaf, Sym) else "t", ATOM


def _call(expr: Call, args: tuple[Text, ...]) -> Text:
    op = OPS[expr.op]
    if expr.op == "piecewise":
        return _piecewise([text for text, _ in args]), ATOM
    if op.precedence == ATOM:
        return f"{op.numpy}({', '.join(text for text, _ in args)})", ATOM
    if len(args) == 1:
        return f"{op.numpy}{_bracketed(args[0], op.precedence)}", op.precedence
    left, right = args
    tight_left = op.precedence + (expr.op == "pow" or op.precedence == OPS["lt"].precedence)
    return f"{_bracketed(left, tight_left)} {op.numpy} {_bracketed(right, op.precedence + 1)}", op.precedence


def _bracketed(part: Text, at_least: int) -> str:
    text, precedence = part
    return text if precedence >= at_least else f"({text})"


def _piecewise(parts: list[str]) -> str:
    *pairs, text = parts
    for value, condition in zip(pairs[-2::-2], pairs[::-2], strict=True):
        text = f"where({condition}, {value}, {text})"
    return text
