"""What a kernel computes, in which order, as blocks of one function each. Knows no target language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from bonesim.codegen.block import TRUTHS, Block, Store, block_of
from bonesim.codegen.constraints import hastened, matched
from bonesim.codegen.delays import Delayed, Named, delayed
from bonesim.codegen.factorial import factorial
from bonesim.codegen.hoist import Hoist
from bonesim.codegen.lags import Lag, differentiable, named_lags
from bonesim.codegen.steep import number_or_zero, steep_rates
from bonesim.codegen.switches import hold
from bonesim.model.check import in_order, well_posed
from bonesim.model.derive import Jacobian, jacobian
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, fold, free_name, rebuild, substitute, symbols, walk
from bonesim.model.ode import OdeModel, StateEvent, TimedEvent
from bonesim.model.rewrite import rewritten
from bonesim.system import Layout, Queued

MUCH_TEXT = 4
"""By how many times more text than one block has, blocks of what single events change may be."""


@dataclass(frozen=True)
class Waiting:
    """Blocks of a model whose state events wait in a queue, by the functions of `system.Functions`.

    `values` and `factors` have a block for each state event, which stores a row for each target; the others store a row
    for each event.
    """

    true: Block
    delays: Block
    priorities: Block
    values: tuple[Block, ...]
    factors: tuple[Block, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All of them."""
        return (self.true, self.delays, self.priorities, *self.values, *self.factors)


@dataclass(frozen=True)
class Program:
    """All blocks of one model.

    `jumped` is what of `constants` each event changes; `start` is `rhs` and `jacobian` at once; `firing` has a block
    for each timed event, then one for each state event, but for those that wait: their blocks are in `waiting`.
    `settle` stores to "k" what conditions and triggers are at a time and state, but for triggers of a queue that are
    constants; `roots` stores to "g" a root function of each located switch with the switches as they stand, `stops` to
    "stops" when each timed switch turns next; see `codegen.switches`. The other blocks read the switches by the names
    in `layout.switches`, lags by those in `layout.lags`; `rates` are names of the rates of states at past times.
    """

    model: OdeModel
    layout: Layout
    initialise: Block
    constants: Block
    jumped: tuple[Block, ...]
    rhs: Block
    jacobian: Block
    start: Block
    observe: Block
    event_times: Block
    settle: Block
    roots: Block
    stops: Block
    firing: tuple[Block, ...]
    waiting: Waiting | None = None
    delays: tuple[DelayBlocks, ...] = ()
    rates: tuple[str, ...] = ()


@dataclass(frozen=True)
class DelayBlocks:
    """What is computed of a lag, each into "out"; see `codegen.delays`."""

    ago: Block
    ago_then: Block
    past: Block
    before: Block


def arrange(model: OdeModel, observables: Iterable[str]) -> Program:
    """The program of a model; it is checked first.

    `observables` are ids of states, parameters or rules. What depends on parameters alone is taken out of every
    block and computed once a segment; what a block does not need is not in it; what it needs twice is named.

    Raises
    ------
    InputError
        If the model is not well posed (`model.check`).
    """
    model, algebraic = matched(numeric(well_posed(model)))
    model, lags = named_lags(hastened(model))
    observables, late = tuple(observables), {lag.name for lag in lags}
    held, hoist = hold(model, late), Hoist(model)
    names = {switch.name for switch in held.switches}
    chain = [
        (name, hoist(expr))
        for name, expr in held.chain
        if name not in late and (name in names or not hoist.claims(name, expr))
    ]
    rules = [(name, expr) for name, expr in chain if name not in names]
    left = tuple(rule for rule in held.model.rules if rule.id not in hoist.named)
    taken = {*model.by_id, *(name for lag in lags for name in (lag.slope, lag.near))}
    slopes = jacobian(differentiable(held.model.with_(rules=left), lags), taken)
    slope_chain = [(name, hoist(expr)) for name, expr in slopes.chain]
    rates = [Store("dy", (row,), hoist(state.rate)) for row, state in enumerate(held.model.states)]
    entries = _slopes(slopes, steep_rates(held.model), hoist)
    watched = [Store("out", (row,), hoist(Sym(name))) for row, name in enumerate(observables)]
    instants = {switch.name: hoist(switch.at_instants) for switch in held.switches}
    seen = [(name, substitute(expr, instants)) for name, expr in rules]
    times = [Store("times", (row,), hoist(event.time)) for row, event in enumerate(model.events)]
    times += [Store("every", (row,), hoist(event.every or Num(0.0))) for row, event in enumerate(model.events)]
    happening: tuple[TimedEvent | StateEvent, ...] = (*model.events, *model.state_events)
    at_once = model.events if model.queued else happening
    firing = tuple(_firing(model, event.assignments, rules, hoist) for event in at_once)
    written = [(rule.id, hoist(rule.expr)) for rule in model.rules if rule.id not in {*hoist.named, *late}]
    targets = [{target for target, _ in event.assignments} for event in happening]
    jumping = _resting_on(set().union(*targets), [(rule.id, symbols(rule.expr)) for rule in model.rules])
    waiting = _waiting(model, rules, written, hoist.but_for(jumping)) if model.queued else None
    roots = [hoist(switch.root) for switch in held.switches if switch.root is not None]
    stops = [hoist(switch.stop) for switch in held.switches if switch.stop is not None]
    triggers = [hoist(Call("piecewise", (Num(1.0), trigger, Num(0.0)))) for trigger in held.triggers]
    blocks = {
        "rhs": block_of(model, rules, rates),
        "jacobian": block_of(model, rules + slope_chain, entries),
        "start": block_of(model, rules + slope_chain, rates + entries),
        "observe": block_of(model, seen, watched),
        "event_times": block_of(model, rules, times),
        "roots": block_of(model, rules, [Store("g", (row,), expr) for row, expr in enumerate(roots)]),
        "stops": block_of(model, rules, [Store("stops", (row,), expr) for row, expr in enumerate(stops)]),
    }
    settled = [Sym(switch.name) for switch in held.switches] + triggers
    # A queue keeps by itself which triggers were true, so that those of parameters alone are constants.
    fixed = {
        row: expr.name
        for row, expr in enumerate(settled)
        if model.queued and isinstance(expr, Sym) and expr.name in hoist.named
    }
    draft = block_of(model, chain, [Store("k", (row,), expr) for row, expr in enumerate(settled) if row not in fixed])
    rate_names = {state.id: free_name(f"{state.id}__rate", taken) for state in model.states} if lags else {}
    varying = model.with_(rules=tuple(rule for rule in model.rules if rule.id not in hoist.named))
    delays = tuple(
        _delay_blocks(model, one, rules, written, hoist)
        for one in delayed(varying, held.model, lags, rate_names, taken)
    )
    lagging = [block for one in delays for block in (one.ago, one.ago_then, one.past, one.before)]
    queued = waiting.blocks if waiting else ()
    kept = _kept(hoist, [*blocks.values(), draft, *firing, *queued, *lagging])
    constants = [(name, Store("k", (row,), hoist.value(name))) for row, name in enumerate(kept)]
    constants += [(name, Store("k", (len(kept) + row,), hoist.value(name))) for row, name in fixed.items()]
    settle = replace(draft, stores=tuple(replace(one, index=(len(kept) + one.index[0],)) for one in draft.stores))
    layout = Layout(
        states=tuple(state.id for state in model.states),
        parameters=tuple(parameter.id for parameter in model.parameters),
        observables=observables,
        constants=kept,
        events=tuple(event.count for event in model.events),
        pattern=tuple(sorted(slopes.by_state)),
        drifting=tuple(sorted(slopes.by_time)),
        time_unit=model.time_unit,
        switches=tuple(switch.name for switch in held.switches),
        conditions=tuple(switch.text for switch in held.switches),
        located=tuple(row for row, switch in enumerate(held.switches) if switch.root is not None),
        timed=len(stops),
        initially=tuple(event.initially for event in model.state_events),
        happenings=tuple(event.id for event in happening),
        terminal=tuple(event.terminal for event in happening),
        algebraic=algebraic,
        fast=tuple(row for row, state in enumerate(model.states) if state.fast is not None),
        queue=_queue(model) if model.queued else (),
        shows_all=blocks["observe"].used().issuperset(state.id for state in model.states),
        lags=tuple((lag.name, lag.slope, lag.near) for lag in lags),
        steady=tuple(symbols(lag.ago) <= hoist.fixed - jumping and TIME not in walk(lag.ago) for lag in lags),
        followed=_followed(lags, delays, blocks["start"].used() | blocks["roots"].used()),
        deep=tuple(bool(one.past.used() & late) for one in delays),
        jumping=tuple(row for row, one in enumerate(model.parameters) if one.id in jumping),
        moved_before=any(lag.moved_before for lag in lags),
    )
    starts = {lag.name: lag.start for lag in lags}
    return Program(
        model,
        layout,
        _initial(model, starts),
        block_of(model, hoist.rules, [store for _, store in constants]),
        _jumped(model, hoist, constants, targets),
        firing=firing,
        settle=settle,
        waiting=waiting,
        delays=delays,
        rates=tuple(rate_names.values()),
        **blocks,
    )


def _slopes(slopes: Jacobian, steep: set[int], hoist: Hoist) -> list[Store]:
    """The Jacobian, and slopes in time, entry by entry."""
    entries = [Store("jacobian", index, slope) for index, slope in sorted(slopes.by_state.items())]
    entries += [Store("by_time", (row,), slope) for row, slope in sorted(slopes.by_time.items())]
    numbers = [replace(one, expr=number_or_zero(one.expr)) if one.index[0] in steep else one for one in entries]
    return [replace(one, expr=hoist(one.expr)) for one in numbers]


def _resting_on(names: Iterable[str], uses: Iterable[tuple[str, Set[str]]]) -> set[str]:
    """Some names, and those, in order of use, that rest on one of them by what they use."""
    found = set(names)
    for name, used in uses:
        if not found.isdisjoint(used):
            found.add(name)
    return found


def _followed(lags: Sequence[Lag], delays: Sequence[DelayBlocks], used: set[str]) -> tuple[int, ...]:
    """The lags that are used, and those on which they rest, which stand before them."""
    found = set(used)
    for lag, blocks in zip(reversed(lags), reversed(delays), strict=True):
        if not found.isdisjoint({lag.name, lag.slope, lag.near}):
            found |= {lag.name} | blocks.past.used() | blocks.ago.used()
    return tuple(row for row, lag in enumerate(lags) if lag.name in found)


def _delay_blocks(model: OdeModel, one: Delayed, rules: Named, written: Named, hoist: Hoist) -> DelayBlocks:
    """The blocks of one lag, from rules with conditions held and as written."""

    def block(available: Named, *exprs: Expr) -> Block:
        return block_of(model, available, [Store("out", (row,), hoist(expr)) for row, expr in enumerate(exprs)])

    chain = [(name, hoist(expr)) for name, expr in one.chain]
    return DelayBlocks(
        ago=block(rules, one.ago),
        ago_then=block(written, one.ago_then),
        past=block([*written, *chain], *one.past),
        before=block([], *one.before),
    )


def numeric(model: OdeModel) -> OdeModel:
    """The model in what target languages have: truth values used as numbers as 1 and 0, factorials as their values.

    Array libraries add truth values as `or`.
    """

    def number(expr: Expr) -> Expr:
        return Call("piecewise", (Num(1.0), expr, Num(0.0))) if isinstance(expr, Call) and expr.op in TRUTHS else expr

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        if old.op in {"and", "or", "not"}:
            new = args
        elif old.op == "piecewise":
            last = len(args) - 1
            new = tuple(arg if place % 2 and place < last else number(arg) for place, arg in enumerate(args))
        else:
            new = tuple(map(number, args))
        if old.op == "factorial":
            return factorial(*new)
        return old if all(a is b for a, b in zip(new, old.args, strict=True)) else Call(old.op, new)

    def condition(expr: Expr) -> Expr:
        return fold(expr, lambda leaf: leaf, call)

    return rewritten(model, lambda expr: number(condition(expr)), condition)


def _kept(hoist: Hoist, blocks: list[Block]) -> tuple[str, ...]:
    """The constants that some block reads."""
    read = set().union(*(block.used() for block in blocks))
    return tuple(name for name in hoist.named if name in read)


def _jumped(
    model: OdeModel, hoist: Hoist, constants: list[tuple[str, Store]], targets: list[set[str]]
) -> tuple[Block, ...]:
    """For each event the block of the constants, all by their names, that rest on what it sets.

    Where a block for each is too much text, they share that of all.
    """
    names, uses = {name for name, _ in constants}, [(name, symbols(expr)) for name, expr in hoist.named.items()]
    moved = [frozenset(_resting_on(one, uses) & names) for one in targets]
    every = frozenset().union(*moved)
    if sum(map(len, set(moved))) > MUCH_TEXT * len(every):
        moved = [every if one else one for one in moved]
    blocks = {
        one: block_of(model, hoist.rules, [store for name, store in constants if name in one]) for one in set(moved)
    }
    return tuple(blocks[one] for one in moved)


def _initial(model: OdeModel, lags: Mapping[str, Expr]) -> Block:
    """Initial assignments in order of use; they may rest on parameters, initial values of states, and rules.

    Time is 0 in them, as SBML has it, wherever the simulation begins.
    """
    exprs: dict[str, Expr] = {rule.id: lags.get(rule.id, rule.expr) for rule in model.rules}
    exprs |= {parameter.id: parameter.initial for parameter in model.parameters if parameter.initial is not None}
    exprs |= {state.id: state.initial for state in model.states}
    uses = {name: sorted(symbols(expr) & exprs.keys()) for name, expr in exprs.items()}
    order = in_order(uses, model, "initial values")
    values = [(name, rebuild(exprs[name], lambda leaf: Num(0.0) if leaf == TIME else leaf)) for name in order]
    stores = [
        Store("p", (row,), Sym(parameter.id))
        for row, parameter in enumerate(model.parameters)
        if parameter.initial is not None
    ]
    stores += [Store("y", (row,), Sym(state.id)) for row, state in enumerate(model.states)]
    return block_of(model, values, stores)


def _firing(
    model: OdeModel, assignments: tuple[tuple[str, Expr], ...], rules: list[tuple[str, Expr]], hoist: Hoist
) -> Block:
    """New values first, then the stores: an event's expressions all see the values before it."""
    homes = _homes(model)
    values, stores, taken = list(rules), [], set(model.by_id)
    for target, expr in assignments:
        name = free_name(f"{target}__after", taken)
        values.append((name, hoist(expr)))
        array, row = homes[target]
        stores.append(Store(array, (row,), Sym(name)))
    return block_of(model, values, stores)


def _homes(model: OdeModel) -> dict[str, tuple[str, int]]:
    """The array and the row of what events can set."""
    homes = {state.id: ("y", row) for row, state in enumerate(model.states)}
    return homes | {parameter.id: ("p", row) for row, parameter in enumerate(model.parameters)}


def _queue(model: OdeModel) -> tuple[Queued, ...]:
    homes = _homes(model)
    return tuple(
        Queued(
            delayed=event.delay is not None,
            ranked=event.priority is not None,
            rank=None if event.priority is None else _number(event.priority),
            persistent=event.persistent,
            from_trigger_time=event.from_trigger_time,
            scaled=bool(event.factors),
            targets=tuple(homes[target] for target, _ in event.assignments),
        )
        for event in model.state_events
    )


def _number(expr: Expr) -> float | None:
    """The value of an expression of numbers alone."""
    return None if symbols(expr) or TIME in walk(expr) else float(evaluate(expr, {}))


def _waiting(model: OdeModel, rules: Named, written: Named, hoist: Callable[[Expr], Expr]) -> Waiting:
    """`rules` have their conditions held; triggers as they are written rest on rules as they are, in `written`."""

    def rows(array: str, exprs: Iterable[Expr | None]) -> list[Store]:
        return [Store(array, (row,), hoist(expr)) for row, expr in enumerate(exprs) if expr is not None]

    events = model.state_events
    factors = [[dict(event.factors).get(target) for target, _ in event.assignments] for event in events]
    values = [[expr for _, expr in event.assignments] for event in events]
    true = [Call("piecewise", (Num(1.0), event.trigger, Num(0.0))) for event in events]
    return Waiting(
        true=block_of(model, written, rows("true", true)),
        delays=block_of(model, rules, rows("delays", [event.delay for event in events])),
        priorities=block_of(model, rules, rows("priorities", [event.priority for event in events])),
        values=tuple(block_of(model, rules, rows("values", exprs)) for exprs in values),
        factors=tuple(block_of(model, rules, rows("factors", exprs)) for exprs in factors),
    )
