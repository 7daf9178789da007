"""What holds for every unit and quantity."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.errors import InputError
from bonesim.units import Quantity, Unit, known_symbols

EPS = 2.0**-52

powers = st.sampled_from([-2, -1, 1, 2])
factors = st.lists(st.tuples(st.sampled_from(known_symbols()), powers), min_size=1, max_size=3)
numbers = st.floats(min_value=1e-30, max_value=1e30)


def text_of(product):
    return "*".join(f"{symbol}^{power}" for symbol, power in product)


@st.composite
def convertible(draw):
    """Two units of one dimension, written with different symbols."""
    sorts = [["s", "day", "week", "month", "year"], ["kg", "g", "ug", "pg"], ["pM", "nM", "mM"], ["mL", "L", "dL"]]
    chosen = draw(st.lists(st.tuples(st.sampled_from(sorts), powers), min_size=1, max_size=3))
    one, other = ([(draw(st.sampled_from(sort)), power) for sort, power in chosen] for _ in range(2))
    return text_of(one), text_of(other)


@given(factors)
def test_a_unit_over_itself_is_a_plain_one(product):
    unit = Unit.parse(f"({text_of(product)})/({text_of(product)})")
    assert unit.dimension == ()
    assert unit.scale == 1.0


@given(factors)
def test_order_does_not_matter(product):
    one, other = Unit.parse(text_of(product)), Unit.parse(text_of(product[::-1]))
    assert one.kind == other.kind
    assert one.conversion_to(other) == 1.0


@given(convertible(), numbers)
def test_there_and_back_is_the_same_number(units, number):
    # each way rounds once, by half an ulp of the result, that is EPS/2 relative
    one, other = units
    there = Quantity.parse(f"{number!r} {one}").to(other)
    if 1e-300 < there < 1e300:
        assert Quantity.parse(f"{there!r} {other}").to(one) == pytest.approx(number, rel=2 * EPS)


@given(convertible())
def test_conversion_is_the_ratio_of_scales(units):
    # scale is rounded once, their ratio once more: at most three roundings
    one, other = map(Unit.parse, units)
    assert one.conversion_to(other) == pytest.approx(one.scale / other.scale, rel=3 * EPS)


@given(factors)
def test_sbml_factors_multiply_to_the_dimension(product):
    unit = Unit.parse(text_of(product))
    exponents = {"second": 0.0, "mole": 0.0}
    for row in unit.sbml_factors():
        exponents[row.kind] = exponents.get(row.kind, 0.0) + row.exponent
    dimension = dict(unit.dimension)
    assert exponents["second"] == dimension.get("s", 0)
    assert exponents["mole"] == dimension.get("mol", 0)


@given(st.text(max_size=40))
def test_any_text_is_a_finite_quantity_or_an_input_error(text):
    with suppress(InputError):
        assert math.isfinite(Quantity.parse(text).value)


@given(st.text(alphabet="123.^*/() daypMugk-", max_size=30))
def test_any_text_is_a_unit_or_an_input_error(text):
    with suppress(InputError):
        assert 0.0 < Unit.parse(text).scale < math.inf
