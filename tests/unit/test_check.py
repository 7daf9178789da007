"""What is not well posed is refused, with all that is wrong at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from equations import event, formula, model

from bonesim.errors import InputError
from bonesim.model.check import in_order, well_posed
from bonesim.model.ode import OdeModel, Origin, Parameter, Rule

GOOD = model({"x": (1, "-k*x + r")}, {"k": 1.0, "when": 2.0}, {"r": "2*q", "q": "x*k", "late": "when + 1"})


def message(ode: OdeModel) -> str:
    with pytest.raises(InputError) as caught:
        well_posed(ode)
    return str(caught.value)


def test_rules_are_put_in_order_of_use() -> None:
    assert [rule.id for rule in well_posed(GOOD).rules] != ["r", "q", "late"]
    order = [rule.id for rule in well_posed(GOOD).rules]
    assert order.index("q") < order.index("r")


def test_an_order_that_is_right_is_kept() -> None:
    ode = model({"x": (1, "b")}, {"p": 1.0}, {"a": "x", "b": "a", "c": "x", "d": "p"})
    assert well_posed(ode) == ode


def test_a_symbol_defined_twice() -> None:
    ode = GOOD.with_(parameters=(*GOOD.parameters, Parameter("x", 1.0)))
    assert message(ode) == "'x' is defined 2 times\n  try: keep one definition"


def test_undefined_names_are_told_together_with_place_and_nearest_name() -> None:
    state = replace(GOOD.states[0], rate=formula("-kk*x"), origin=Origin("m.ant", 7))
    ode = GOOD.with_(states=(state,), events=(event("whem", every="gone", x="y"),))
    assert message(ode) == (
        "m.ant:7: the rate of 'x' uses 'kk', which is not defined\n  try: did you mean 'k'?\n"
        "the time of event 'event_x' uses 'whem', which is not defined\n  try: did you mean 'when'?\n"
        "the interval of event 'event_x' uses 'gone', which is not defined\n  try: one of x, k, when, r, q, late\n"
        "event 'event_x', value of 'x' uses 'y', which is not defined\n  try: one of x, k, when, r, q, late"
    )


def test_circular_rules_name_the_circle() -> None:
    text = message(GOOD.with_(rules=(Rule("r", formula("q")), Rule("q", formula("r*x")))))
    assert text.startswith("rules define each other in a circle: ")
    assert text.partition(": ")[2].splitlines()[0] in {"r -> q -> r", "q -> r -> q"}
    assert text.endswith("  try: break the circle, e.g. by giving one of them a rate of change")


@pytest.mark.parametrize(("target", "what"), [("r", "a rule defines"), ("nothing", "is not defined")])
def test_an_event_sets_states_and_parameters_only(target: str, what: str) -> None:
    text = message(GOOD.with_(events=(event(1, **{target: "1"}),)))
    assert text == (
        f"event 'event_{target}' sets '{target}', which {what}\n  try: let an event set a state or a parameter"
    )


def test_an_event_sets_a_target_once() -> None:
    twice = replace(event(1, x="1"), assignments=(("x", formula("1")), ("x", formula("2"))))
    assert message(GOOD.with_(events=(twice,))) == (
        "event 'event_x' sets 'x' 2 times\n  try: set it once, or write one event for each value"
    )


@pytest.mark.parametrize(("time", "every"), [("x", None), ("r", None), ("1 + t", None), ("1", "q")])
def test_times_of_events_are_known_before_the_start(time: str, every: str | None) -> None:
    assert message(GOOD.with_(events=(event(time, every=every, count=2, x="1"),))) == (
        "the time of event 'event_x' depends on a state, on time itself or on a delayed value\n"
        "  try: write the time with numbers and parameters alone"
    )


def test_times_of_events_may_rest_on_rules_of_parameters() -> None:
    assert well_posed(GOOD.with_(events=(event("late", every="when", x="1"),)))


@pytest.mark.parametrize("name", ["a b", "a\nimport os", "2a", "", "\u00e9"])
def test_ids_are_plain_names(name: str) -> None:
    assert message(model({name: (1, 0)})) == (
        f"{name!r} cannot be a name\n  try: letters, digits and underscores, not beginning with a digit"
    )


def test_in_order_puts_each_after_what_it_uses() -> None:
    assert in_order({"a": ["b"], "b": ["c"], "c": []}, GOOD, "rules") == ["c", "b", "a"]
