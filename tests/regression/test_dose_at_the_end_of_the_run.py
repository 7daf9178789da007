"""Doses every 0.1 day in a run of 0.3 day: the fourth stood at 0.30000000000000004 day, after the end, and the ledger
stopped the run. For the same reason a dose could miss by an ulp the recorded time that it was meant to meet."""

from __future__ import annotations

import json

import pytest
from questions import bolus, question

from bonesim.catalog import load_catalog
from bonesim.pharmacology.schedule import dose_times, record_times
from bonesim.run import run
from bonesim.scenario.exposure import dose_groups
from bonesim.units import Quantity


def test_a_dose_on_the_last_day_is_given() -> None:
    given = bolus(start="0 day", every="0.1 day", count="4")
    result = run(question(given, duration="0.3 day", record__every="0.1 day"), backend="numpy")
    dosed, vehicle = json.loads(result.attrs["ledger"])
    assert dosed["delivered"] == pytest.approx(400.0, rel=1e-9)
    assert vehicle["delivered"] == 0.0


@pytest.mark.parametrize(
    ("every", "record", "most_events"),
    [("0.1 day", "0.1 day", 14), ("0.1 day", "1 day", 4), ("0.7 day", "0.7 day", 8), ("8 h", "1 day", 1)],
)
def test_doses_that_fall_on_recorded_times_do_so_exactly(every: str, record: str, most_events: int) -> None:
    scenario = question(bolus(start="0.7 day", every=every, count="40"), duration="1 year", record__every=record)
    (group,) = dose_groups(scenario, load_catalog())
    recorded = set(record_times(Quantity.parse("1 year"), Quantity.parse(record)))
    values = {one.id: one.value for one in group.module.model.parameters}
    times = []
    *events, later = group.module.model.events
    assert later.id == "later_doses"
    for number, event in enumerate(events):
        first = values["dose0_start" if number == 0 else f"dose0_{number}_start"]
        times += [first + turn * values["dose0_every"] for turn in range(event.count)]
    wanted = [one.time_day for one in dose_times(Quantity.parse("0.7 day"), Quantity.parse(every), 40)]
    assert times == pytest.approx(wanted, rel=1e-15)
    assert [time for time in times if time in recorded] == [time for time in wanted if time in recorded]
    assert len(events) <= most_events
