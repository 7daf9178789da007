"""What signal modules do to bone in the cores that have RANKL and OPG: signs from knock-outs, sizes from the cards."""

from __future__ import annotations

import pytest

from bonesim.compose.card import load_card
from bonesim.compose.link import compose
from bonesim.compose.module import load_module
from bonesim.steady import steady_state

CORES = ["pivonka2008", "lemaire2004"]
OUTPUTS = ["core__OBa", "core__OCa", "bone__bone_volume_fraction"]


def response(core: str, module: str, parameter: str, value: float) -> tuple[float, float, float]:
    """Osteoblasts, osteoclasts and bone volume at rest, over health."""
    parts = [load_module(core, "core"), load_module("bone_volume", "bone"), load_module(module, "module")]
    model = compose("joined", parts, [])
    healthy = next(one.value for one in model.parameters if one.id == f"module__{parameter}")
    rest = steady_state(model, OUTPUTS, parameters={f"module__{parameter}": [healthy, value]})
    osteoblasts, osteoclasts, bone = (float(rest[name][1] / rest[name][0]) for name in OUTPUTS)
    return osteoblasts, osteoclasts, bone


@pytest.mark.parametrize("core", CORES)
def test_ligand_on_vesicles_costs_bone(core: str) -> None:
    """As more free RANKL does in mice without OPG (Bucay et al. 1998, doi:10.1101/gad.12.9.1260)."""
    _, osteoclasts, bone = response(core, "rankl_opg", "vesicle_rankl", 0.5)
    assert osteoclasts > 1
    assert bone < 1


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(("decoy", "amount"), [("vesicle_rank", 20.0), ("given_OPG", 2.0)])
def test_a_decoy_keeps_bone(core: str, decoy: str, amount: float) -> None:
    _, osteoclasts, bone = response(core, "rankl_opg", decoy, amount)
    assert osteoclasts < 1
    assert bone > 1


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("cause", "value"),
    [("sclerostin_expression", 0.0), ("DKK1_expression", 0.5), ("wnt_production", 2.0), ("catenin_synthesis", 1.1)],
)
def test_what_raises_beta_catenin_builds_bone_with_fewer_osteoclasts(core: str, cause: str, value: float) -> None:
    """Stable beta-catenin in osteoblasts builds bone by OPG (Glass et al. 2005, doi:10.1016/j.devcel.2005.02.017)."""
    osteoblasts, osteoclasts, bone = response(core, "wnt_sclerostin", cause, value)
    assert osteoblasts > 1
    assert osteoclasts < 1
    assert bone > 1


@pytest.mark.parametrize(("core", "kept"), [("pivonka2008", 0.959), ("lemaire2004", 0.912)])
def test_how_little_ligand_shifts_bone_is_what_the_card_says(core: str, kept: float) -> None:
    assert response(core, "rankl_opg", "vesicle_rankl", 1.5)[2] == pytest.approx(kept, abs=5e-4)
    assert any(f"{kept:.3f} in {core}" in limit for limit in load_card("rankl_opg").limits)
