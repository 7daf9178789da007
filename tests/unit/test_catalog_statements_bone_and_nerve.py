"""What the review says of vesicles of bone cells, endothelium and nerves is in the catalogue, sentence by sentence."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bonesim.catalog import Edge, Source, load_catalog

CATALOG = load_catalog()


class Statement(NamedTuple):
    """One directed statement; nodes, in their order, with the sign by which the cargo moves them."""

    source: str
    cargo: str | None
    nodes: str
    port: str
    effect: int
    context: str | None = None
    carrier: str | None = None


BMSC = [
    Statement("bmsc", None, nodes, port, 1)
    for nodes in ("BMP2+ SMAD1+ RUNX2+", "HIF1A+ VEGFA+", "MAPK+", "PI3K+ AKT+")
    for port in ("preosteoblast.osteogenic_differentiation", "endothelial.angiogenesis")
] + [
    Statement("bmsc", None, "", "MSC.chondrogenic_differentiation", 1),
    Statement("bmsc", "miR-122-5p", "", "BMSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-206", "", "BMSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-19b", "", "MSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-146a", "", "BMSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-218", "", "BMSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-328a-5p", "", "BMSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-31a-5p", "", "BMSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-199b", "", "BMSC.osteogenic_differentiation", 1),
    Statement("bmsc", "miR-196a", "", "preosteoblast.osteogenic_differentiation", 1),
    Statement("bmsc_aged", "miR-31a-5p", "", "secreting_cell.ev_cargo_level", 1),
    Statement("bmsc_aged", "miR-31a-5p", "", "osteoclast_precursor.osteoclastogenesis", 1),
    Statement("bmsc_aged", "miR-31a-5p", "", "osteoclast.resorption_activity", 1),
    Statement("bmsc_aged", "miR-128-3p", "SMAD5-", "MSC.osteogenic_differentiation", -1),
]

BONE_CELLS = [
    Statement("osteoblast", "miR-503-3p", "HPSE-", "osteoclast_precursor.osteoclastogenesis", -1),
    Statement("osteoblast", "osteogenic transcription factors", "", "BMSC.osteogenic_differentiation", 1),
    Statement("osteoblast_rankl", "RANKL", "RANK+", "osteoclast_precursor.osteoclastogenesis", 1),
    Statement("osteoblast_hip_oa_op", None, "", "BMSC.cell_catabolism", 1),
    Statement("osteoclast", "miR-214-3p", "", "osteoblast.osteoblast_activity", -1),
    Statement("osteoclast", None, "", "circulation.ev_systemic_distribution", 1),
    Statement("osteoclast_rank", "RANK", "RANKL-", "osteoclast_precursor.osteoclastogenesis", -1),
    Statement("osteocyte", "miR-218", "", "BMSC.osteogenic_differentiation", 1),
    Statement("osteocyte_strained", None, "BMP2+ RUNX2+", "PDLSC.osteogenic_differentiation", 1),
    Statement("osteocyte_myostatin", "miR-218", "", "secreting_cell.ev_cargo_level", -1),
    Statement("osteocyte_myostatin", "miR-218", "", "BMSC.osteogenic_differentiation", -1),
    Statement("osteocyte_myostatin_mir218_rescue", "miR-218", "", "BMSC.osteogenic_differentiation", 1),
]

IN_FEMORAL_HEAD = "gionfh"
NEAT1_GEL = "alginate_gelma_ipn"
PDL1_GEL = "injectable_hydrogel_pdl1"

ENDOTHELIUM = [
    Statement("endothelial", None, "", "bone_tissue.ev_targeting", 1),
    Statement("endothelial", None, "", "BMDM.ev_uptake", 1),
    Statement("endothelial", "miR-155", "", "osteoclast_precursor.osteoclastogenesis", -1),
    Statement("endothelial", "miR-155", "", "osteoclast.resorption_activity", -1),
    Statement("vec_vegf", "VEGF", "MAPK+ ERK+", "BMSC.adipogenic_differentiation", -1, IN_FEMORAL_HEAD),
    Statement("vec_vegf", "VEGF", "MAPK+ ERK+", "BMSC.osteogenic_differentiation", 1, IN_FEMORAL_HEAD),
    Statement("huvec_neat1", "NEAT1", "", "macrophage.m2_polarization", 1),
    Statement("huvec_neat1", "NEAT1", "", "BMSC.osteogenic_differentiation", 1, None, NEAT1_GEL),
    Statement("endothelial_pdl1", "PD-L1", "PD1+", "T_cell.t_cell_activation", -1),
    Statement("endothelial_pdl1", "PD-L1", "", "MSC.osteogenic_differentiation", 1),
    Statement("endothelial_pdl1", "PD-L1", "", "bone_tissue.inflammation", -1, "fracture", PDL1_GEL),
]

PERIOSTEUM = "bionic_periosteum"

NERVE = [
    Statement("tbi_neuron", "FN1", "", "bone_tissue.ev_targeting", 1),
    Statement("tbi_neuron", "miR-328a-3p", "FOXO4-", "MSC.osteogenic_differentiation", 1),
    Statement("tbi_neuron", "miR-150-5p", "CBL-", "MSC.osteogenic_differentiation", 1),
    Statement("tbi_nerve", "osteoblast-associated miRNAs", "", "secreting_cell.ev_cargo_level", 1),
    Statement("schwann", "let-7c-5p", "TGFB+", "BMSC.osteogenic_differentiation", 1),
    Statement("schwann", None, "TGFB1+ SMAD2_3+", "BMSC.osteogenic_differentiation", 1),
    Statement("schwann", None, "", "EPC.migration", 1),
    Statement("schwann", None, "", "EPC.angiogenesis", 1),
    Statement("schwann", None, "", "macrophage.m2_polarization", 1),
    Statement("schwann", None, "", "periosteal_nerve.ev_targeting", 1, "bone_defect", PERIOSTEUM),
    Statement("schwann", None, "JNK3+ MAPK+", "endothelial.angiogenesis", 1, "bone_defect", PERIOSTEUM),
    Statement("schwann", None, "", "bone_tissue.bone_homeostasis", 1),
    Statement("nerve_generic", None, "", "bone_tissue.bone_homeostasis", 1),
]

STATEMENTS = [*BMSC, *BONE_CELLS, *ENDOTHELIUM, *NERVE]
SOURCES = [CATALOG.sources[name] for name in dict.fromkeys(statement.source for statement in STATEMENTS)]

# As the review spells it, and a source in whose chains a reader would look for it.
SPELLINGS = [
    ("bmsc", "BMP-2"),
    ("bmsc", "Smad1"),
    ("bmsc", "RUNX2"),
    ("bmsc", "HIF-1alpha"),
    ("bmsc", "VEGF"),
    ("bmsc", "Akt"),
    ("bmsc_aged", "Smad5"),
    ("osteoblast", "heparanase"),
    ("osteocyte_strained", "Runx2"),
    ("vec_vegf", "MAPK/ERK"),
    ("endothelial_pdl1", "PD-1"),
    ("schwann", "TGF-beta"),
    ("schwann", "SMAD2/3"),
    ("schwann", "JNK3/MAPK"),
]


def stated_by(source: Source, edge: Edge) -> Statement:
    nodes = " ".join(f"{node.node}{'+' if node.sign > 0 else '-'}" for node in edge.chain)
    return Statement(source.id, edge.cargo, nodes, edge.port, edge.effect, edge.context, edge.conditions.carrier)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda one: f"{one.source}-{one.cargo}-{one.port}-{one.nodes}")
def test_a_statement_is_one_edge(statement: Statement) -> None:
    source = CATALOG.sources[statement.source]
    assert [stated_by(source, edge) for edge in source.edges].count(statement) == 1


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.id)
def test_no_other_edge_reaches_a_cell_or_vesicle(source: Source) -> None:
    """What is beyond the statements above says only that bone is kept in balance, or that cargo is handed over."""
    beyond = {edge.process for edge in source.edges if stated_by(source, edge) not in STATEMENTS}
    assert beyond <= {"bone_homeostasis", "ev_cargo_transfer"}


@pytest.mark.parametrize(("source", "spelling"), SPELLINGS)
def test_the_spelling_of_the_review_is_found(source: str, spelling: str) -> None:
    nodes = [node for edge in CATALOG.sources[source].edges for node in edge.chain]
    assert any(spelling in (node.node, *node.aliases) for node in nodes)


def test_the_strand_of_the_osteoclast_mirna_is_found_by_both_names() -> None:
    (cargo,) = CATALOG.sources["osteoclast"].cargo
    assert {cargo.name, *cargo.aliases} == {"miR-214-3p", "miR-214"}


def test_the_mirna_that_helps_and_harms_is_told_in_both_sources() -> None:
    for name in ("bmsc", "bmsc_aged"):
        assert any("Contradiction" in note and "miR-31a-5p" in note for note in CATALOG.sources[name].notes)


def test_what_the_pdl1_gel_leaves_alone_is_a_note() -> None:
    source = CATALOG.sources["endothelial_pdl1"]
    assert any("spleen" in note for note in source.notes)
    assert all(edge.process != "offtarget_organ_effect" for edge in source.edges)


def test_only_the_nerve_vesicles_without_a_stated_direction_reach_no_cell() -> None:
    undirected = [source for source in SOURCES if not source.direction_stated]
    assert [source.id for source in undirected] == ["tbi_nerve"]
    assert {edge.process for source in undirected for edge in source.edges} == {"ev_cargo_level"}
