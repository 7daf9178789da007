"""What the review says of vesicles of immune cells, fat, umbilical cord and endothelial progenitors, line by line."""

from __future__ import annotations

import pytest

from bonesim.catalog import Edge, load_catalog
from bonesim.cli.main import main

SOURCES = load_catalog().sources

# source, cargo, nodes of the chain, cell.process, effect, context; read from the text of the review, section by section
STATEMENTS = """
macrophage_m2_ev | macrophage reprogramming factors |  | macrophage_m1.m2_polarization    | +1 | ra
macrophage_m2_ev | macrophage reprogramming factors |  | joint_tissue.inflammation        | -1 | ra
macrophage_m2_ev | macrophage reprogramming factors |  | joint_tissue.cartilage_catabolism | -1 | ra
macrophage_m2_ev | macrophage reprogramming factors |  | macrophage.m2_polarization       | +1 |
macrophage_m2_ev | macrophage reprogramming factors |  | macrophage.migration             | +1 |
macrophage_imc   |             | BMP2+ SMAD5+      | MSC.osteogenic_differentiation          | +1 |
dendritic        | IL-10       |                   | Treg.treg_recruitment                   | +1 | inflammatory_setting
dendritic        | TGFb1       |                   | Treg.treg_recruitment                   | +1 | inflammatory_setting
dendritic        | IL-10       |                   | unspecified.resorptive_cytokines        | -1 | inflammatory_setting
dendritic        | TGFb1       |                   | unspecified.resorptive_cytokines        | -1 | inflammatory_setting
dendritic        | IL-10       |                   | osteoclast.resorption_activity          | -1 | inflammatory_setting
dendritic        | TGFb1       |                   | osteoclast.resorption_activity          | -1 | inflammatory_setting
dendritic_mature | miR-335     |                   | BMSC.osteogenic_differentiation         | +1 |
monocyte         |             | RUNX2+            | BMSC.osteogenic_differentiation         | +1 |
monocyte         |             | BMP2+             | BMSC.osteogenic_differentiation         | +1 |
neutrophil_msu   | miR-1246    |                   | secreting_cell.ev_cargo_level           | +1 | gout
neutrophil_msu   | miR-1246    |                   | osteoblast.rankl_expression             | +1 | gout
neutrophil_msu   | miR-1246    | ALP-              | osteoblast.osteoblast_activity          | -1 | gout
neutrophil_msu   | miR-1246    |                   | osteoblast.opg_expression               | -1 | gout
neutrophil_msu   | miR-1246    |                   | osteoblast.osteoblast_activity          | -1 | gout
adipocyte        | miR-34a     | KLF4-             | macrophage.m2_polarization              | -1 |
adipocyte        | miR-1224    | CTNNB1-           | BMDM.m2_polarization                    | -1 |
adipocyte        | miR-1224    | CTNNB1-           | BMDM.inflammation                       | +1 |
adipocyte        | miR-34a     |                   | BMSC.osteogenic_differentiation         | -1 |
adipocyte        | miR-1224    |                   | BMSC.osteogenic_differentiation         | -1 |
adipocyte        | miR-34a     | NLRP3-            | macrophage.m1_polarization              | -1 | ti_osteolysis
ucmsc_exo        |             | WNT4+ CTNNB1+     | EPC.proliferation                       | +1 |
ucmsc_exo        |             | WNT4+ CTNNB1+     | EPC.migration                           | +1 |
ucmsc_exo        |             | WNT4+ CTNNB1+     | EPC.angiogenesis                        | +1 |
ucmsc_exo        |             | HIF1A+ VEGFA+     | endothelial.angiogenesis                | +1 |
ucmsc_exo        | miR-21      | NOTCH1+ DLL4+     | EPC.angiogenesis                        | +1 |
ucmsc_exo        | miR-21-5p   | SOX5-             | endothelial.angiogenesis                | +1 |
ucmsc_exo        | miR-21-5p   | EZH2-             | endothelial.angiogenesis                | +1 |
ucmsc_exo        | miR-126     | SPRED1- RAS+ ERK+ | endothelial.angiogenesis                | +1 |
ucmsc_exo        | miR-21      | NOTCH1+ DLL4+     | EPC.proliferation                       | +1 |
ucmsc_exo        | miR-21-5p   | SOX5-             | endothelial.proliferation               | +1 |
ucmsc_exo        | miR-21-5p   | EZH2-             | endothelial.proliferation               | +1 |
ucmsc_exo        | miR-126     | SPRED1- RAS+ ERK+ | endothelial.proliferation               | +1 |
ucmsc_exo        |             |                   | BMSC.cell_anabolism                     | +1 |
ucmsc_exo        |             |                   | BMSC.cell_catabolism                    | -1 |
ucmsc_exo        |             |                   | BMSC.proliferation                      | +1 |
ucmsc_exo        |             |                   | BMSC.apoptosis                          | -1 |
ucmsc_exo        |             | AKT+              | BMSC.osteogenic_differentiation         | +1 |
ucmsc_exo        |             | CTNNB1+           | BMSC.osteogenic_differentiation         | +1 |
ucmsc_exo        |             | WNT3A+            | BMSC.osteogenic_differentiation         | +1 |
ucmsc_exo        | miR-365a-5p | Hippo+            | BMSC.osteogenic_differentiation         | +1 | gionfh
ucmsc_exo        |             |                   | macrophage.m2_polarization              | +1 | oa
ucmsc_exo        |             |                   | joint_tissue.inflammation               | -1 | oa
ucmsc_exo        |             |                   | joint_tissue.cartilage_catabolism       | -1 | oa
ucmsc_ev         | PCNA        |                   | BMSC.ev_cargo_transfer                  | +1 |
ucmsc_ev         | PCNA        | PCNA+             | BMSC.tissue_aging                       | -1 |
ucmsc_ev         | PCNA        | PCNA+             | BMSC.senescence                         | -1 |
ucmsc_ev         | PCNA        | PCNA+             | BMSC.osteogenic_differentiation         | +1 |
ucmsc_ev         | miR-23a-3p  | PTEN- AKT+        | chondrocyte.cartilage_anabolism         | +1 |
epc              |             |                   | BMSC.osteogenic_differentiation         | +1 |
epc              | miR-126     | SPRED1-           | endothelial.proliferation               | +1 |
epc              | miR-126     | SPRED1-           | endothelial.migration                   | +1 |
epc              | miR-126     | SPRED1-           | endothelial.angiogenesis                | +1 |
epc              |             | VEGFA+            | endothelial.angiogenesis                | +1 |
epc              |             | KDR+              | endothelial.angiogenesis                | +1 |
epc              | MALAT1      |                   | secreting_cell.ev_cargo_level           | +1 |
epc              | MALAT1      | miR-124-          | osteoclast_precursor.migration          | +1 | bone_repair
epc              | MALAT1      | miR-124-          | osteoclast_precursor.osteoclastogenesis | +1 | bone_repair
epc              |             |                   | osteoblast.ferroptosis                  | -1 | giop
epc              | miR-126     | ERK+ BCL2+        | osteoblast.proliferation                | +1 |
epc              | miR-126     | ERK+ BCL2+        | osteoblast.apoptosis                    | -1 |
"""

CITED = {
    # source, cargo or last node: numbers of the review
    ("macrophage_m2_ev", "macrophage reprogramming factors"): {103},
    ("macrophage_imc", "SMAD5"): {104},
    ("ucmsc_exo", "VEGFA"): {116},
    ("ucmsc_exo", "miR-21"): {121},
    ("ucmsc_exo", "miR-21-5p"): {122},
    ("ucmsc_exo", "miR-126"): {123},
    ("ucmsc_exo", "AKT"): {126},
    ("ucmsc_exo", "WNT3A"): {127},
    ("ucmsc_exo", "miR-365a-5p"): {128},
    ("ucmsc_ev", "PCNA"): {130},
    ("ucmsc_ev", "miR-23a-3p"): {131},
    ("epc", "SPRED1"): {152},
    ("epc", "KDR"): {153},
    ("epc", "MALAT1"): {154, 164},
    ("epc", "BCL2"): {156},
}

ALIASES = {
    # as the review spells a molecule: the node under which a reader must find it
    "HIF-1alpha": "HIF1A",
    "VEGF-A": "VEGFA",
    "VEGFR-2": "KDR",
    "beta-catenin": "CTNNB1",
    "SPRED-1": "SPRED1",
    "Bcl-2": "BCL2",
    "ERK1/2": "ERK",
    "Smad5": "SMAD5",
    "Wnt3a": "WNT3A",
    "Klf4": "KLF4",
}


def row(edge: Edge, source: str) -> tuple[str, ...]:
    chain = " ".join(f"{node.node}{'+' if node.sign > 0 else '-'}" for node in edge.chain)
    return source, edge.cargo or "", chain, edge.port, f"{edge.effect:+d}", edge.context or ""


def stated() -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in line.split("|")) for line in STATEMENTS.strip().splitlines()]


@pytest.mark.parametrize("statement", stated(), ids=" ".join)
def test_a_statement_of_the_review_is_one_edge(statement: tuple[str, ...]) -> None:
    source = statement[0]
    assert [row(edge, source) for edge in SOURCES[source].edges].count(statement) == 1


@pytest.mark.parametrize(("source", "name"), CITED)
def test_an_effect_cites_the_numbers_of_its_sentence(source: str, name: str) -> None:
    edges = [e for e in SOURCES[source].edges if e.cargo == name or (e.chain and e.chain[-1].node == name)]
    assert edges
    assert {ref for edge in edges for ref in edge.refs} == CITED[source, name]


@pytest.mark.parametrize("spelling", ALIASES)
def test_a_molecule_is_found_under_the_spelling_of_the_review(spelling: str) -> None:
    nodes = [node for source in SOURCES.values() for edge in source.edges for node in edge.chain]
    assert {node.node for node in nodes if spelling in node.aliases} == {ALIASES[spelling]}


def test_unpolarised_macrophages_are_listed_without_an_effect(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "macrophage_m0"]) == 0
    page = capsys.readouterr().out
    assert "no effect is stated" in page
    assert "no cargo is named" in page


def test_vesicles_of_the_cord_are_held_by_their_gel_only() -> None:
    (edge,) = (edge for edge in SOURCES["ucmsc_exo"].edges if edge.conditions.carrier)
    assert edge.conditions.carrier == "cha_sf_gcs_dfpeg"
    assert (edge.port, edge.effect, edge.context) == ("bone_tissue.ev_retention", 1, "bone_defect")


@pytest.mark.parametrize("source", ["adipocyte", "epc", "ucmsc_exo"])
def test_a_contradiction_of_the_review_is_said(source: str) -> None:
    assert any(note.startswith("Contradiction") for note in SOURCES[source].notes)
