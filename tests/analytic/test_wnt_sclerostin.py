"""Wnt, its inhibitors and beta-catenin: closed forms at rest, dose response, and whose signals pass."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.compose.module import load_module
from bonesim.steady import steady_state

MODULE = "wnt_sclerostin"
DEFAULT = {one.id: one.value for one in load_module(MODULE, MODULE).model.parameters}


def needed(sclerostin: float, DKK1: float) -> float:
    """Wnt that occupies half of the receptors, over wnt_half, beside so much of the inhibitors relative to health."""
    weights = np.array(
        [DEFAULT["sclerostin_healthy"] / DEFAULT["K_sclerostin"], DEFAULT["DKK1_healthy"] / DEFAULT["K_DKK1"]]
    )
    return float((1 + weights @ [sclerostin, DKK1]) / (1 + weights.sum()))


@pytest.mark.parametrize("wnt", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(("sclerostin", "DKK1"), [(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (4.0, 2.5)])
def test_receptors_follow_competitive_binding(wnt: float, sclerostin: float, DKK1: float) -> None:
    values = {"wnt_production": wnt, "sclerostin_expression": sclerostin, "DKK1_expression": DKK1}
    rest = steady_state(MODULE, ["LRP"], parameters=values)
    half = DEFAULT["wnt_half"] * needed(sclerostin, DKK1)
    assert float(rest["LRP"]) == pytest.approx(wnt / (wnt + half), rel=1e-8)


@pytest.mark.parametrize("synthesis", [0.2, 1.0, 1.6, 3.0, 12.0])
@pytest.mark.parametrize("wnt", [0.0, 1.0, 20.0])
def test_beta_catenin_is_where_synthesis_and_both_ways_of_destruction_meet(synthesis: float, wnt: float) -> None:
    rest = steady_state(
        MODULE, ["beta_catenin", "destruction"], parameters={"catenin_synthesis": synthesis, "wnt_production": wnt}
    )
    K, bypass = DEFAULT["K_destruction"], DEFAULT["bypass"]
    saturable = (1 - bypass) * float(rest["destruction"]) * (K + 1)
    # synthesis = saturable B/(K + B) + bypass B, times K + B
    b = bypass * K + saturable - synthesis
    root = (-b + np.sqrt(b**2 + 4 * bypass * synthesis * K)) / (2 * bypass)
    assert float(rest["beta_catenin"]) == pytest.approx(root, rel=1e-7)


def test_saturating_wnt_takes_beta_catenin_to_the_fold_that_is_stated() -> None:
    folds = np.array([3.0, 4.0, 6.1])
    values = {
        "fold_at_full_wnt": folds,
        "wnt_production": 1e12,
        "bypass": [0.05, 0.015, 0.01],
        "wnt_half": [3.5, 5.0, 7.0],
    }
    rest = steady_state(MODULE, ["beta_catenin"], parameters=values, initial={"Wnt": 1e12})
    np.testing.assert_allclose(rest["beta_catenin"], folds, rtol=1e-7)


@pytest.mark.parametrize(
    ("cause", "sign"),
    [
        ("wnt_production", 1),
        ("catenin_synthesis", 1),
        ("sclerostin_expression", -1),
        ("sclerostin_level", -1),
        ("osteocytes", -1),
        ("DKK1_expression", -1),
    ],
)
def test_drives_answer_to_a_cause_without_turning_back(cause: str, sign: int) -> None:
    outputs = ["drive_osteogenic", "drive_OPG", "drive_adipogenic"]
    rest = steady_state(MODULE, outputs, parameters={cause: np.geomspace(0.05, 20.0, 12)})
    for name, way in zip(outputs, (sign, sign, -sign), strict=True):
        assert (way * np.diff(rest[name]) > 0).all(), name


def test_transcription_saturates_where_all_tcf_is_occupied() -> None:
    rest = steady_state(MODULE, ["transcription"], parameters={"catenin_synthesis": 1e6})
    assert float(rest["transcription"]) == pytest.approx(1 + DEFAULT["K_TCF"], rel=1e-4)


def test_losing_both_inhibitors_does_more_than_losing_each() -> None:
    """As in mice that lack both (Witcher et al. 2018, doi:10.1172/jci.insight.98673), where DKK1 alone did little."""
    values = {"sclerostin_expression": [0.0, 1.0, 0.0], "DKK1_expression": [1.0, 0.0, 0.0]}
    rest = steady_state(MODULE, ["drive_osteogenic"], parameters=values)
    of_sclerostin, of_DKK1, of_both = rest["drive_osteogenic"].values - 1
    assert of_sclerostin > 3 * of_DKK1
    assert of_both > 1.5 * (of_sclerostin + of_DKK1)


@pytest.mark.parametrize(
    ("cell", "node", "process", "taken"),
    [
        ("BMSC", "WNT3A", "osteogenic_differentiation", True),
        ("MSC", "CTNNB1", "adipogenic_differentiation", True),
        ("osteoblast", "SOST", "opg_expression", True),
        ("BMSC", "WNT3A", "proliferation", False),
        ("EPC", "WNT4", "angiogenesis", False),
        ("macrophage", "CTNNB1", "m2_polarization", False),
    ],
)
def test_signals_of_bone_cells_pass_and_those_of_others_do_not(cell: str, node: str, process: str, taken: bool) -> None:
    assert load_module(MODULE, MODULE).leads(cell, node, process) is taken
