"""Callus healing for every number within its range: shares that add up, rest without injury, effects of one sign."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from bonesim.compose.card import load_card
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate

CARD = load_card("callus_healing")
MODEL = read_library_model("callus_healing")
VALUES = {parameter.id: parameter.value for parameter in MODEL.parameters}
RANGES = {
    name: (note.low, note.high)
    for name, note in CARD.symbols.items()
    if name in VALUES and note.low is not None and note.high is not None
}
SHARES = ("haematoma", "granulation", "cartilage", "woven_bone", "fibrous_tissue", "lamellar_bone")
CELLS = ("stromal_cells", "osteoblasts", "debris")
OPENED = {"haematoma": 1.0, "debris": 1.0}
FRACTURE, CRITICAL = 0.1, 1.0
TIMES = [0.0, 1.0, 3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 42.0, 91.0, 364.0]
ROUNDING = 1e-12
"""Of sums of a few numbers below 1."""

DRAWS = 200
SEED = 20

Members = dict[str, np.ndarray]


def inside() -> Members:
    """Members with each parameter anywhere in its range."""
    rng = np.random.default_rng(SEED)
    return {name: rng.uniform(low, high, DRAWS) for name, (low, high) in RANGES.items()}


def everywhere() -> Members:
    """The same members, and as many that have each parameter at an end of its range."""
    rng = np.random.default_rng(SEED + 1)
    return {name: np.concatenate([row, rng.choice(RANGES[name], DRAWS)]) for name, row in inside().items()}


def healing(members: Members, size: float, times: list[float], *outputs: str, **driven: float) -> xr.Dataset:
    """Healing of a gap of that size, with parameters multiplied by what drives them."""
    values = members | {"gap_size": np.full_like(members["gap_size"], size)}
    values |= {name: values[name] * factor for name, factor in driven.items()}
    return simulate("callus_healing", times, outputs, parameters=values, initial=OPENED, rtol=1e-8)


def test_every_number_that_is_no_unit_has_a_range() -> None:
    fixed = {name for name, (low, high) in RANGES.items() if low == high}
    assert fixed == {"vessel_supply", "m1_macrophages", "m2_macrophages", "inflammation_gain", "gap_size"}
    assert set(RANGES) == set(VALUES)
    assert all(low <= VALUES[name] <= high for name, (low, high) in RANGES.items())


@pytest.mark.parametrize("size", [FRACTURE, CRITICAL])
def test_shares_of_the_gap_are_never_negative_and_add_up_to_1(size: float) -> None:
    result = healing(everywhere(), size, TIMES, *SHARES, *CELLS, "callus_vessels")
    for name in (*SHARES, *CELLS, "callus_vessels"):
        assert float(result[name].min()) >= -ROUNDING, name
    for name in (*SHARES, "stromal_cells", "debris", "callus_vessels"):
        assert float(result[name].max()) <= 1.0 + ROUNDING, name
    total = sum(result[name].values for name in SHARES)
    assert np.abs(total - 1.0).max() <= ROUNDING


def test_without_an_injury_nothing_moves() -> None:
    symbols = (*SHARES, *CELLS, "new_bone", "healed")
    result = simulate("callus_healing", [0.0, 364.0], symbols, parameters=everywhere())
    for name in symbols:
        whole = name in {"lamellar_bone", "new_bone", "healed"}
        assert (result[name].values == float(whole)).all(), name


@pytest.mark.parametrize("size", [FRACTURE, CRITICAL])
def test_cells_and_debris_are_gone_after_years(size: float) -> None:
    result = healing(everywhere(), size, [0.0, 20 * 364.0], *CELLS, "haematoma", "cartilage")
    for name in ("debris", "haematoma", "cartilage"):
        assert float(result[name].isel(time=-1).max()) < 1e-6, name
    for name in ("stromal_cells", "osteoblasts"):  # what is left follows the granulation tissue that is left
        assert float(result[name].isel(time=-1).max()) < 1e-2, name


def test_a_larger_gap_has_less_bone_in_every_member() -> None:
    courses = [healing(everywhere(), size, TIMES, "new_bone")["new_bone"].values for size in (0.1, 0.4, 1.0, 1.6)]
    for smaller, larger in pairwise(courses):
        assert (larger[:, 1:] <= smaller[:, 1:] + 1e-7).all()


SIGNS = {
    "migration": 1,
    "proliferation": 1,
    "apoptosis": -1,
    "osteogenic_differentiation": 1,
    "chondrogenic_differentiation": 1,
    "osteoblast_activity": 1,
    "mineralization": 1,
    "osteoblast.apoptosis": -1,
    "angiogenesis": 1,
    "endothelial.proliferation": 1,
    "endothelial.migration": 1,
    "EPC.proliferation": 1,
    "EPC.migration": 1,
    "resorption_activity": -1,
    "inflammation": -1,
    "m1_polarization": -1,
    "m2_polarization": 1,
}
"""Of a process on bone in the gap on day 28; resorption as under inhibitors in mice (doi:10.1359/jbmr.081113)."""

BOTH_WAYS = {"osteoclastogenesis"}
"""More vessels early, less woven bone later: the sum has no sign that holds for all numbers."""

PROCESS_PORTS = {port.name: port for port in CARD.ports if port.multiplies}
FRACTION = 0.9
"""Of members in which the sign must hold."""


def test_every_process_port_has_a_stated_sign_or_none() -> None:
    assert set(SIGNS) | BOTH_WAYS == set(PROCESS_PORTS)


@pytest.mark.parametrize("size", [FRACTURE, CRITICAL])
@pytest.mark.parametrize("name", SIGNS)
def test_a_process_changes_bone_on_day_28_in_the_stated_direction(name: str, size: float) -> None:
    driven = dict.fromkeys(PROCESS_PORTS[name].multiplies, 1.2)
    plain = healing(inside(), size, [0.0, 28.0], "new_bone")["new_bone"].values[:, -1]
    more = healing(inside(), size, [0.0, 28.0], "new_bone", **driven)["new_bone"].values[:, -1]
    assert np.mean(SIGNS[name] * (more - plain) > 0) >= FRACTION


def test_osteoclasts_bring_vessels_earlier_and_leave_less_bone_later() -> None:
    shown = ("callus_vessels", "new_bone")
    plain = simulate("callus_healing", [0.0, 7.0, 28.0], shown, initial=OPENED, parameters={"gap_size": 0.3})
    more = {name: 1.5 * VALUES[name] for name in PROCESS_PORTS["osteoclastogenesis"].multiplies}
    many = simulate("callus_healing", [0.0, 7.0, 28.0], shown, initial=OPENED, parameters={"gap_size": 0.3} | more)
    assert float(many["callus_vessels"][1]) > float(plain["callus_vessels"][1])
    assert float(many["new_bone"][1]) > float(plain["new_bone"][1])
    assert float(many["new_bone"][2]) < float(plain["new_bone"][2])
