"""Every directed effect that the catalogue or the review states, against what a profile computes, over draws."""

from __future__ import annotations

from collections import defaultdict

import pytest

from bonesim.catalog import load_catalog
from bonesim.profile import UNNAMED, profile

MEMBERS = 100
HOLDS_IN = 0.9

CATALOG = load_catalog()
ASKED = [
    (source.id, context)
    for source in CATALOG.sources.values()
    for context in sorted({edge.context for edge in source.edges}, key=str)
]


@pytest.mark.parametrize(("source", "context"), ASKED)
def test_each_stated_effect_is_computed_with_its_sign(source: str, context: str | None) -> None:
    stated = defaultdict(set)
    for edge in CATALOG.sources[source].edges:
        if edge.context in (None, context):
            stated[edge.port].add(edge.effect)
    found = profile(source, context, members=MEMBERS)
    for port, effects in stated.items():
        assert len(effects) == 1, f"{port} is stated both ways"
        assert found["processes"][port] * effects.pop() > 0, port
        assert found["agreement"]["processes"][port] >= HOLDS_IN, port


@pytest.mark.parametrize("source", [source.id for source in CATALOG.sources.values() if source.edges])
def test_without_any_cargo_nothing_is_left_of_a_source(source: str) -> None:
    edges = CATALOG.sources[source].edges
    found = profile(source, without=[edge.id for edge in edges])
    assert set(found["processes"].values()) == {0.0}
    assert set(found["outcomes"].values()) == {0.0}


# source, cargo that acts alone (all of it where none is named), context, process of tissue, direction
TISSUE = """
macrophage_m1    |              | ovx_osteoporosis | bone_loss         | +1
macrophage_m1    | miR-155      |                  | bone_loss         | +1
macrophage_m1    | miR-98       | ovx_osteoporosis | bone_loss         | +1
macrophage_m1    | miR-222      |                  | bone_loss         | +1
macrophage_m1    | LOC103691165 | fracture         | bone_regeneration | +1
macrophage_m2    |              | fracture         | bone_formation    | +1
macrophage_m2    |              | fracture         | bone_regeneration | +1
macrophage_m2    | LOC103691165 | fracture         | bone_regeneration | +1
macrophage_m2_ev |              | ra               | bone_loss         | -1
macrophage_imc   |              | bone_defect      | bone_regeneration | +1
ucmsc_exo        |              | fracture         | bone_regeneration | +1
ucmsc_exo        |              | bone_defect      | bone_regeneration | +1
ucmsc_exo        | miR-21       |                  | bone_formation    | +1
ucmsc_exo        | miR-21-5p    |                  | bone_formation    | +1
ucmsc_exo        | miR-126      |                  | bone_formation    | +1
ucmsc_exo        | miR-365a-5p  | gionfh           | bone_formation    | +1
ucmsc_exo        | miR-365a-5p  | gionfh           | bone_loss         | -1
ucmsc_ev         | PCNA         | aging            | bone_formation    | +1
epc              | miR-126      |                  | bone_formation    | +1
epc              | miR-126      | fracture         | bone_regeneration | +1
epc              | MALAT1       | bone_repair      | bone_regeneration | +1
epc              | unnamed      | giop             | bone_loss         | -1
tbi_neuron       |              | fracture         | bone_regeneration | +1
tbi_neuron       | miR-328a-3p  | tbi              | bone_formation    | +1
tbi_neuron       | miR-150-5p   | tbi              | bone_formation    | +1
schwann          |              | bone_defect      | bone_regeneration | +1
endothelial      | miR-155      | ovx_osteoporosis | bone_loss         | -1
vec_vegf         | VEGF         | gionfh           | bone_formation    | +1
huvec_neat1      | NEAT1        |                  | bone_formation    | +1
endothelial_pdl1 | PD-L1        | fracture         | bone_regeneration | +1
bmsc             |              | fracture         | bone_regeneration | +1
bmsc             | miR-122-5p   |                  | bone_formation    | +1
bmsc             | miR-206      |                  | bone_formation    | +1
bmsc             | miR-19b      |                  | bone_formation    | +1
bmsc             | miR-146a     |                  | bone_formation    | +1
bmsc             | miR-218      |                  | bone_formation    | +1
bmsc             | miR-328a-5p  |                  | bone_formation    | +1
bmsc             | miR-31a-5p   |                  | bone_formation    | +1
bmsc             | miR-199b     |                  | bone_formation    | +1
bmsc             | miR-196a     |                  | bone_formation    | +1
bmsc_aged        | miR-128-3p   | fracture         | bone_regeneration | -1
bmsc_aged        | miR-31a-5p   |                  | bone_loss         | +1
osteoclast       | miR-214-3p   |                  | bone_loss         | +1
osteoclast       | miR-214-3p   | ovx_osteoporosis | bone_formation    | -1
"""


@pytest.mark.parametrize("statement", TISSUE.strip().splitlines(), ids=lambda line: " ".join(line.split()))
def test_each_outcome_that_the_review_states_is_computed_with_its_sign(statement: str) -> None:
    source, cargo, context, process, effect = (part.strip() for part in statement.split("|"))
    others = {UNNAMED, *(one.name for one in CATALOG.sources[source].cargo)} - {cargo} if cargo else ()
    found = profile(source, context or None, without=sorted(others), members=MEMBERS)
    assert found["tissue"][process] * int(effect) > 0
    assert found["agreement"]["tissue"][process] >= HOLDS_IN
