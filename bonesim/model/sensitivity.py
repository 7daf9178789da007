r"""How a model's course depends on its parameters and initial values: the model with its slopes as further states.

With :math:`s = dy/dp` for a parameter or an initial value p,

    s' = J s + df/dp,        s(0) = dy(0)/dp,

and at an event at the time T, which sets y to h,

    s+ = (dh/dy) s- + dh/dp + (dh/dy f- + dh/dt - f+) dT/dp,        with f- and f+ the rates before and after it.

Parameters that rest on p (initial assignments) or that an event sets have slopes of their own, constant between
events. The states of each p stand together, in the order of the model's own, so that the Jacobian is block lower
triangular with J in every block of the diagonal; the entries of J are rules, written once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bonesim.errors import InputError, closest
from bonesim.model.check import well_posed
from bonesim.model.derive import BY_TIME, ONE, ZERO, add, gradient, multiply, rule_gradients, subtract
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, free_name, substitute, symbols, walk
from bonesim.model.ode import OdeModel, Parameter, Rule, State, TimedEvent
from bonesim.model.past import without_delays
from bonesim.model.smooth import refuse_jumps


@dataclass(frozen=True)
class Sensitivities:
    """A model with its slopes.

    model : the model, then the states of each name in turn
    slopes : id of the slope of every state and every quantity asked for: (quantity, name) -> id
    """

    model: OdeModel
    slopes: dict[tuple[str, str], str]


def with_sensitivities(model: OdeModel, names: Sequence[str], quantities: Iterable[str] = ()) -> Sensitivities:
    """The model with the slopes of its states and of `quantities` by each of `names`, flat ids all of them.

    A name is that of a parameter, or that of a state and then means its initial value, whatever the model computes
    it from.

    Raises
    ------
    InputError
        If a name is no parameter or state, is computed, or stands twice, or constraints determine a state.
    UnsupportedModelError
        If a rate jumps where a state crosses a limit, or the model has events that states trigger, or delayed values.
    """
    model = without_delays(well_posed(model).without_constraints("a sensitivity"), "sensitivities")
    for place, name in enumerate(names):
        _check(model, name, names[:place])
    slopes = _Slopes(model, names)
    refuse_jumps(model, set().union(*(moved.keys() for moved in slopes.moving.values())))
    return slopes.extended(tuple(quantities))


def _check(model: OdeModel, name: str, before: Sequence[str]) -> None:
    known = {symbol.id for symbol in model.symbols() if not isinstance(symbol, Rule)}
    if name not in known:
        problem = f"'{name}' is no parameter and no state, so nothing has a sensitivity to it"
        raise InputError(problem, remedy=closest(name, sorted(known)))
    symbol = model.by_id[name]
    if isinstance(symbol, Parameter) and symbol.initial is not None:
        problem = f"'{name}' is computed by an initial assignment, so nothing can be changed by it"
        raise InputError(problem, remedy="take the sensitivity to what it is computed from")
    if name in before:
        raise InputError(f"sensitivities to '{name}' are asked for twice", remedy="name it once")


class _Slopes:
    """Names and expressions of all slopes of one model.

    moving : for each p, the parameters that depend on it, with their slopes
    rules, parameters : what is added to the model
    """

    def __init__(self, model: OdeModel, names: Sequence[str]) -> None:
        self.model, self.names = model, names
        self.taken = set(model.by_id)
        self.rules: list[Rule] = []
        self.parameters: list[Parameter] = []
        self.states = {
            (state.id, name): free_name(f"d__{state.id}__d__{name}", self.taken)
            for name in names
            for state in model.states
        }
        self.moving = {name: self._moving(name) for name in names}
        variables = dict.fromkeys(state.id for state in model.states)
        variables |= dict.fromkeys(moved for name in names for moved in self.moving[name])
        chain, self.gradients = rule_gradients(model, variables, self.taken)
        self.rules += [Rule(rule_id, expr) for rule_id, expr in chain]
        for name in names:
            self._carry(name)

    def extended(self, quantities: tuple[str, ...]) -> Sensitivities:
        """The model with all that belongs to the slopes."""
        added = self._added_states()
        events = tuple(self._with_jumps(event) for event in self.model.events)
        slopes = dict(self.states)
        for quantity in quantities:
            for name in self.names:
                if (quantity, name) not in slopes:
                    expr = self.total(Sym(quantity), name)
                    slopes[quantity, name] = self._rule(f"d__{quantity}__d__{name}", expr)
        model = self.model.with_(
            states=(*self.model.states, *added),
            parameters=(*self.model.parameters, *self.parameters),
            rules=(*self.model.rules, *self.rules),
            events=events,
        )
        return Sensitivities(model, slopes)

    def total(self, expr: Expr, name: str) -> Expr:
        """The derivative of an expression along with all that depends on p, time held fast."""
        result = ZERO
        gradients = self.gradients | {q: {q: ONE} for q in self.moving[name]}
        for variable, slope in gradient(expr, gradients).items():
            if variable != BY_TIME:
                result = add(result, multiply(slope, self._slope(variable, name)))
        return result

    def _slope(self, variable: str, name: str) -> Expr:
        """dv/dp of a state or a parameter."""
        if (variable, name) in self.states:
            return Sym(self.states[variable, name])
        return self.moving[name].get(variable, ZERO)

    def _moving(self, name: str) -> dict[str, Expr]:
        """Parameters that may depend on p: p itself, what is computed from it, and what events set with it or states.

        The slope of one is a parameter too, but for p where nothing sets it: that has 1.
        """
        model = self.model
        reads = {rule.id: symbols(rule.expr) for rule in model.rules}
        starts = {q.id: symbols(q.initial) for q in model.parameters if q.initial is not None}
        starts |= {state.id: symbols(state.initial) for state in model.states}
        is_state = isinstance(model.by_id[name], State)
        computed = set() if is_state else _reached({name}, reads | starts)
        dependent = computed | {name} | {state.id for state in model.states}
        assigned = {target for event in model.events for target, _ in event.assignments}
        while True:
            reached = _reached(dependent, reads)
            set_by_events = {
                target
                for event in model.events
                for target, expr in event.assignments
                if symbols(expr) & reached or (TIME in walk(expr) and _times(event) & reached)
            }
            if set_by_events <= dependent:
                break
            dependent |= set_by_events
        carried = [q.id for q in model.parameters if q.id in dependent]
        return {
            q: ONE if q == name and q not in assigned else Sym(free_name(f"d__{q}__d__{name}", self.taken))
            for q in carried
        }

    def _carry(self, name: str) -> None:
        """The parameters that hold slopes of parameters."""
        for q, slope in self.moving[name].items():
            if isinstance(slope, Sym):
                symbol = self.model.by_id[q]
                initial = symbol.initial if isinstance(symbol, Parameter) else None
                start = ZERO if initial is None else self._start(initial, name)
                value = ONE if q == name else start
                unit = _unit(symbol.unit, self.model.by_id[name].unit)
                self.parameters.append(Parameter(slope.name, 0.0, unit, value, origin=symbol.origin))

    def _start(self, initial: Expr, name: str) -> Expr:
        """Slope of an initial value; to the initial value of a state none has one but itself, since that wins last."""
        return ZERO if isinstance(self.model.by_id[name], State) else self.total(initial, name)

    def _added_states(self) -> list[State]:
        entries = {state.id: self._entries(state) for state in self.model.states}
        added = []
        for name in self.names:
            for state in self.model.states:
                rate = ZERO
                for variable, entry in entries[state.id].items():
                    rate = add(rate, multiply(entry, self._slope(variable, name)))
                added.append(
                    State(
                        self.states[state.id, name],
                        ONE if state.id == name else self._start(state.initial, name),
                        rate,
                        _unit(state.unit, self.model.by_id[name].unit),
                        f"d({state.label or state.id})/d({name})",
                        state.origin,
                    )
                )
        return added

    def _entries(self, state: State) -> dict[str, Expr]:
        """The derivatives of a rate by states and parameters, each a rule if it is more than a name or a number."""
        return {
            variable: Sym(self._rule(f"d_rate_{state.id}__d_{variable}", slope)) if isinstance(slope, Call) else slope
            for variable, slope in gradient(state.rate, self.gradients).items()
            if variable != BY_TIME
        }

    def _rule(self, rule_id: str, expr: Expr) -> str:
        self.rules.append(Rule(free_name(rule_id, self.taken), expr))
        return self.rules[-1].id

    def _with_jumps(self, event: TimedEvent) -> TimedEvent:
        """The event with the jumps of all slopes."""
        jumps = [jump for name in self.names for jump in self._jumps(event, name)]
        return replace(event, assignments=(*event.assignments, *jumps))

    def _jumps(self, event: TimedEvent, name: str) -> list[tuple[str, Expr]]:
        delay = self._delay(event, name)
        rate = {state.id: state.rate for state in self.model.states}
        after = self._rates_after(event) if delay != ZERO else {}
        set_here = dict(event.assignments)
        jumps = []
        for target in dict.fromkeys([*set_here, *after]):
            expr = set_here.get(target, Sym(target))
            slope = self._slope(target, name)
            if not isinstance(slope, Sym):
                continue
            new = self.total(expr, name)
            if delay != ZERO:
                drift = subtract(self._drift(expr, rate), after.get(target, rate.get(target, ZERO)))
                new = add(new, multiply(drift, delay))
            if new != slope:
                jumps.append((slope.name, new))
        return jumps

    def _drift(self, expr: Expr, rate: dict[str, Expr]) -> Expr:
        """The total derivative of an expression by time."""
        drift = ZERO
        for variable, slope in gradient(expr, self.gradients).items():
            along = ONE if variable == BY_TIME else rate.get(variable, ZERO)
            drift = add(drift, multiply(slope, along))
        return drift

    def _delay(self, event: TimedEvent, name: str) -> Expr:
        """dT/dp of an event: by its first time, and by its interval as often as that has passed.

        Times are fixed at the start, and so are their slopes, whatever becomes of the parameters later.
        """
        first, every = (self._start(expr, name) for expr in (event.time, event.every or ZERO))
        delay = self._kept(f"d__{event.id}__d__{name}", first)
        if every == ZERO or event.every is None:
            return delay
        begun = self._kept(f"{event.id}__first", event.time)
        interval = self._kept(f"{event.id}__every", event.every)
        turns = Call("div", (subtract(TIME, begun), interval))
        return add(delay, multiply(turns, self._kept(f"d__{event.id}__every__d__{name}", every)))

    def _kept(self, name: str, expr: Expr) -> Expr:
        """An expression as it was at the start."""
        if isinstance(expr, Num):
            return expr
        self.parameters.append(Parameter(free_name(name, self.taken), 0.0, initial=expr))
        return Sym(self.parameters[-1].id)

    def _rates_after(self, event: TimedEvent) -> dict[str, Expr]:
        """Rates right after an event, of the states whose rate it changes, and of those it sets."""
        model = self.model
        new: dict[str, Expr] = {
            target: Sym(self._rule(f"{target}__after__{event.id}", expr)) for target, expr in event.assignments
        }
        for rule in model.rules:
            if symbols(rule.expr) & new.keys():
                new[rule.id] = Sym(self._rule(f"{rule.id}__after__{event.id}", substitute(rule.expr, new)))
        return {
            state.id: substitute(state.rate, new)
            for state in model.states
            if symbols(state.rate) & new.keys() or state.id in new
        }


def _reached(roots: set[str], reads: dict[str, frozenset[str]]) -> set[str]:
    """`roots` and whatever reads one of them, directly or not."""
    reached, grown = set(roots), True
    while grown:
        more = {name for name, read in reads.items() if name not in reached and read & reached}
        reached, grown = reached | more, bool(more)
    return reached


def _times(event: TimedEvent) -> frozenset[str]:
    return symbols(event.time) | (symbols(event.every) if event.every is not None else frozenset())


def _unit(above: str, below: str) -> str:
    """The unit of a quotient, as text."""
    if below in ("", "dimensionless"):
        return above
    return f"({above or 'dimensionless'})/({below})"
