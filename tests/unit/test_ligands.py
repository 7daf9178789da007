"""Cargo on the surface of vesicles: how much of it there is, what it does, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from questions import bolus, question

from bonesim.catalog import load_catalog
from bonesim.errors import InputError
from bonesim.explain import explain
from bonesim.run import run
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario


def given(source: str, modules: tuple[str, ...] = ("rankl_opg",), **changes: str) -> Scenario:
    """Five daily doses of a source at the bone, watched for a week."""
    dose = bolus(source, amount="1e10 particles", route="local", every="1 day", count="5")
    settings = {"duration": "7 day", "outputs": "[OCa, bone_volume_fraction]"} | changes
    return question(dose, model__modules=f"[{', '.join(modules)}]", **settings)


def test_the_concentration_is_that_of_the_vesicles_in_the_fluid_of_the_marrow() -> None:
    scenario = given("osteoblast_rankl", outputs="[vesicle_rankl, osteoblast_rankl_local.bone]")
    course = run(scenario).sel(arm="dosed")
    vesicles, molecules, litres = course["osteoblast_rankl_local.bone"].values, 10, 1e-3
    assert vesicles.max() > 1e7
    pM = vesicles * molecules / (6.02214076e23 * litres) * 1e12
    assert course["vesicle_rankl"].values == pytest.approx(pM, rel=1e-12)


@pytest.mark.parametrize("core", ["pivonka2008", "lemaire2004"])
@pytest.mark.parametrize(("source", "sign"), [("osteoblast_rankl", 1), ("osteoclast_rank", -1)])
def test_a_ligand_raises_osteoclasts_at_first_and_a_decoy_lowers_them(core: str, source: str, sign: int) -> None:
    cells = run(given(source, model__core=core))["OCa"]
    change = (cells.sel(arm="dosed") / cells.sel(arm="vehicle") - 1).sel(time=slice(2, 5)).values
    assert np.all(sign * change > 1e-4)


def test_its_edges_act_where_no_module_takes_it() -> None:
    with_module, without = (resolve(given("osteoclast_rank", modules)) for modules in (("rankl_opg",), ()))
    (edge,) = (edge.id for edge in load_catalog().sources["osteoclast_rank"].edges if edge.cargo == "RANK")
    assert edge not in with_module.acting
    assert with_module.left_out[edge] == "RANK acts outside cells here, through a module, by its number of molecules"
    assert edge in without.acting
    assert not without.outside


def test_an_arm_without_it_is_the_vehicle() -> None:
    result = run(given("osteoblast_rankl", arms="{bare: {without: [RANKL]}}"))
    bare, vehicle = (result["OCa"].sel(arm=arm).values for arm in ("bare", "vehicle"))
    assert bare == pytest.approx(vehicle, rel=1e-9)


@pytest.mark.parametrize("vesicles", ["empty", "free_cargo"])
def test_no_vesicle_has_no_cargo_on_its_surface(vesicles: str) -> None:
    result = run(given("osteoblast_rankl", arms=f"{{bare: {{vesicles: {vesicles}}}}}"))
    bare, vehicle = (result["OCa"].sel(arm=arm).values for arm in ("bare", "vehicle"))
    assert bare == pytest.approx(vehicle, rel=1e-9)


def test_an_arm_may_name_it_by_an_alias() -> None:
    result = run(given("osteoblast_rankl", arms="{bare: {without: [TNFSF11]}}"))
    bare, vehicle = (result["OCa"].sel(arm=arm).values for arm in ("bare", "vehicle"))
    assert bare == pytest.approx(vehicle, rel=1e-9)


def test_an_explanation_gives_it_all_of_its_effect() -> None:
    found = explain(given("osteoblast_rankl"))
    for kind in ("cargo", "edges"):
        (row,) = (row for row in found[kind] if row["cargo"] == "RANKL")
        assert row["share"] == pytest.approx(1.0, abs=1e-4)


def test_a_species_without_the_volume_is_told() -> None:
    catalog = load_catalog()
    rat = catalog.species["rat"].model_copy(update={"volumes": {}})
    with pytest.raises(InputError) as caught:
        resolve(given("osteoblast_rankl"), replace(catalog, species={"rat": rat}))
    assert caught.value.problem == (
        "the species rat does not say how much fluid there is between the cells of its marrow"
    )
    assert caught.value.remedy == "marrow_fluid under `volumes` in its entry"
