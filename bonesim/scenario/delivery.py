"""Whether the doses of a scenario can be given so: what routes and carriers ask of a dose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bonesim.errors import InputError
from bonesim.pharmacology.amount import amount_kind
from bonesim.scenario.schema import Dose, Scenario

if TYPE_CHECKING:
    from bonesim.catalog.schema import Carrier, Route


def unfit_delivery(
    scenario: Scenario, routes: Mapping[str, Route], carriers: Mapping[str, Carrier]
) -> Iterator[InputError]:
    """Everything about the doses that their route or carrier does not allow; unknown names are passed over."""
    able = sorted(route.id for route in routes.values() if route.module)
    for position, dose in enumerate(scenario.doses):
        key = f"doses[{position}]"
        route, carrier = routes.get(dose.route), carriers.get(dose.carrier or "")
        if route is None:
            continue
        if route.module is None:
            problem = f"vesicles are not given by '{route.id}': {route.refused}"
            yield InputError(problem, place=scenario.place(f"{key}.route"), remedy=f"one of {', '.join(able)}")
            continue
        yield from _amount(scenario, key, dose, route)
        if carrier:
            yield from _carrier(scenario, key, dose, route, carrier)


def _amount(scenario: Scenario, key: str, dose: Dose, route: Route) -> Iterator[InputError]:
    """What the body secretes is an amount a day; what is given is not."""
    if amount_kind(dose.amount.unit).per_day == route.secreted:
        return
    place = scenario.place(f"{key}.amount")
    if route.secreted:
        problem = f"'{dose.amount}' is no amount a day, and by '{route.id}' the body secretes day by day"
        yield InputError(problem, place=place, remedy="e.g. '5 ug/day', with `over: 14 day`")
    else:
        problem = f"'{dose.amount}' is an amount a day, and by '{route.id}' vesicles are given at once or over a time"
        yield InputError(problem, place=place, remedy="the whole amount, e.g. '100 ug', or route: endogenous")


def _carrier(scenario: Scenario, key: str, dose: Dose, route: Route, carrier: Carrier) -> Iterator[InputError]:
    """A carrier is put in place at once, and one that holds vesicles needs a place to hold them in."""
    place = scenario.place(f"{key}.carrier")
    if route.secreted:
        yield InputError("what the body secretes has no carrier", place=place, remedy="leave it out")
    elif carrier.release and route.site == "blood":
        problem = f"'{carrier.id}' holds vesicles at a site, and '{route.id}' gives them into blood"
        yield InputError(problem, place=place, remedy="route: local")
    elif carrier.release and dose.over:
        problem = f"'{carrier.id}' is put in place at once, and this dose is an infusion"
        yield InputError(problem, place=scenario.place(f"{key}.over"), remedy="leave it out")
