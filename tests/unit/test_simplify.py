"""A model with symbols as plain numbers keeps its meaning, and loses what nothing uses."""

from __future__ import annotations

import pytest

from bonesim.model.simplify import simplified
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate

SITE = read_library_model("site_depot")
WITHOUT = {"carrier": 0.0, "release": 0.0, "at_bone": 1.0, "site": 0.0, "site_uptake": 0.0}
PLACES = ("depot", "central", "bone", "cells", "elsewhere")


def test_what_is_left_does_what_it_did() -> None:
    given = {"depot": 100.0}
    whole, part = (
        simulate(model, [0.0, 0.3, 2.0], list(PLACES), initial=given, rtol=1e-9, backend="numpy")
        for model in (SITE, simplified(SITE, WITHOUT))
    )
    for name in PLACES:
        assert part[name].values == pytest.approx(whole[name].values, rel=1e-7, abs=1e-9)


def test_states_and_what_only_they_used_are_gone() -> None:
    left = simplified(SITE, WITHOUT).by_id
    gone = SITE.by_id.keys() - left.keys()
    assert gone == {
        *("carrier", "release", "at_bone", "site", "site_uptake"),
        *("burst", "t_half_release", "release_time", "first_order", "even_rate"),
        *("site_cells", "site_capacity"),
    }


def test_what_is_kept_stays_though_nothing_uses_it() -> None:
    assert {"burst", "release_time"} <= simplified(SITE, WITHOUT, ("burst", "release_time")).by_id.keys()


def test_a_parameter_goes_with_the_one_that_used_it() -> None:
    left = simplified(SITE, {"k_uptake": 8.0})
    assert "t_half_uptake" not in left.by_id
    assert "capacity" in left.by_id
