"""`pharmacology.schedule`: times of administrations, and levels of infusions that overlap."""

from __future__ import annotations

import itertools
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.errors import InputError
from bonesim.pharmacology.schedule import DoseAdministration, dose_times, exact_days, infusion_levels, record_times
from bonesim.units import Quantity


def q(text: str) -> Quantity:
    return Quantity.parse(text)


def begins(*texts: str, count: int = 1) -> list[float]:
    start, *every = map(q, texts)
    return [one.time_day for one in dose_times(start, every[0] if every else None, count)]


def test_a_weekly_schedule_stands_on_whole_days():
    assert begins("4 week", "1 week", count=8) == [28.0 + 7 * k for k in range(8)]


def test_one_dose_needs_no_interval():
    assert dose_times(q("2 day")) == (DoseAdministration(2.0, 0.0, 2.0),)


@pytest.mark.parametrize(
    ("every", "k", "day"),
    [("0.1 day", 3, 0.3), ("8 h", 3, 1.0), ("1 min", 1440, 1.0), ("0.1 week", 10, 7.0), ("1 month", 12, 365.25)],
)
def test_times_are_those_of_the_decimals_as_written(every, k, day):
    assert begins("0 day", every, count=k + 1)[-1] == day


@given(st.decimals("0.001", "100", places=3), st.decimals("0.001", "100", places=3), st.sampled_from(["h", "week"]))
def test_each_time_is_the_exact_one_rounded_once(start, every, unit):
    exact = [exact_days(q(f"{start} day")) + k * exact_days(q(f"{every} {unit}")) for k in range(20)]
    assert begins(f"{start} day", f"{every} {unit}", count=20) == [float(one) for one in exact]


def test_adding_up_floats_would_miss_the_day():
    assert sum([0.1] * 10) != 1.0
    assert begins("0 day", "0.1 day", count=11)[-1] == 1.0


def test_an_infusion_ends_exactly_where_the_next_begins():
    given_ = dose_times(q("0.1 day"), q("0.7 h"), 50, q("0.7 h"))
    assert all(one.end_day == following.time_day for one, following in itertools.pairwise(given_))


def test_the_rate_delivers_the_amount_between_the_rounded_times():
    late = dose_times(q("1000.3 day"), over=q("1 h"))[0]
    assert late.rate(5.0) * (late.end_day - late.time_day) == pytest.approx(5.0, rel=1e-15)


def test_a_bolus_has_no_rate():
    with pytest.raises(ValueError, match="a bolus has no rate"):
        dose_times(q("0 day"))[0].rate(1.0)


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one_administration(count):
    with pytest.raises(ValueError, match="administrations"):
        dose_times(q("0 day"), q("1 day"), count)


def test_several_need_an_interval():
    with pytest.raises(ValueError, match="2 administrations every None"):
        dose_times(q("0 day"), count=2)


def test_only_a_time_is_a_time():
    with pytest.raises(InputError, match="does not convert to 'day'"):
        exact_days(q("3 ug"))


def test_exact_days_of_a_decimal():
    assert exact_days(q("0.1 week")) == Fraction(7, 10)


@pytest.mark.parametrize(
    ("duration", "every", "times"),
    [
        ("3 day", "1 day", [0.0, 1.0, 2.0, 3.0]),
        ("10 day", "3 day", [0.0, 3.0, 6.0, 9.0, 10.0]),
        ("1 day", "0.3333333333333333 day", [0.0, 0.3333333333333333, 0.6666666666666666, 1.0]),
        ("1 day", "1 day", [0.0, 1.0]),
    ],
)
def test_the_end_is_always_recorded(duration, every, times):
    assert list(record_times(q(duration), q(every))) == times


def test_doses_and_records_share_their_times():
    doses = {one.time_day for one in dose_times(q("0 day"), q("0.3 h"), 200)}
    assert doses < set(record_times(q("10 day"), q("0.1 h")))


def infusion(start: float, end: float) -> DoseAdministration:
    return DoseAdministration(start, end - start, end)


def test_two_overlapping_infusions_add_up_and_end_at_zero():
    levels = infusion_levels([(infusion(0, 2), 0.1), (infusion(1, 3), 0.2)])
    assert levels == [(0, 0.1), (1, pytest.approx(0.3)), (2, 0.2), (3, 0.0)]


def test_infusions_in_a_row_make_no_gap():
    assert infusion_levels([(infusion(1, 2), 5.0), (infusion(0, 1), 4.0)]) == [(0, 4.0), (1, 5.0), (2, 0.0)]


def test_an_infusion_between_two_times_that_are_one_number_has_no_level():
    assert infusion_levels([(DoseAdministration(1e6, 1e-13, 1e6), 3.0)]) == [(1e6, 0.0)]


def test_levels_of_many_infusions_take_no_longer_than_their_number():
    given_ = dose_times(q("0 day"), q("1 h"), 50_000, q("90 min"))
    begin = time.perf_counter()
    levels = infusion_levels((one, 1.0) for one in given_)
    assert time.perf_counter() - begin < 5.0  # a sum over all infusions at each edge would take minutes
    assert len(levels) == 100_000
    assert {rate for _, rate in levels} == {0.0, 1.0, 2.0}


def test_no_infusion_has_no_level():
    assert infusion_levels([]) == []


def test_a_bolus_is_no_infusion():
    with pytest.raises(ValueError, match="a bolus has no rate"):
        infusion_levels([(infusion(1, 1), 1.0)])


spans = st.tuples(st.integers(0, 20), st.integers(1, 20), st.floats(1e-3, 1e12))


@given(st.lists(spans, min_size=1, max_size=8))
def test_levels_deliver_what_was_ordered_and_end_at_exactly_zero(spans):
    ordered = [(infusion(start, start + length), rate) for start, length, rate in spans]
    levels = infusion_levels(ordered)
    delivered = sum(rate * (later[0] - time) for (time, rate), later in itertools.pairwise(levels))
    assert delivered == pytest.approx(sum(rate * length for _, length, rate in spans), rel=1e-12)
    assert levels[-1][1] == 0.0
    assert levels == infusion_levels(ordered[::-1])
