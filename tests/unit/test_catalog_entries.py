"""What each entry of the catalogue must keep, and what the review says of macrophage vesicles."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from bonesim.catalog import Edge, Number, Reference, Route, Source, load_catalog
from bonesim.catalog.load import DATA, HERE
from bonesim.units import Unit

CATALOG = load_catalog()
FILES = sorted((*DATA.rglob("*.yaml"), HERE / "vocabulary.yaml"))

STATED = {
    # source, cargo, nodes with direction, cell.process: effect, as read from the review
    ("macrophage_m1", "miR-155", "BMP2-", "MSC.osteogenic_differentiation"): -1,
    ("macrophage_m1", "miR-155", "BMP9-", "MSC.osteogenic_differentiation"): -1,
    ("macrophage_m1", "miR-155", "RUNX2-", "MSC.osteogenic_differentiation"): -1,
    ("macrophage_m1", "miR-98", "DUSP1- JNK+", "preosteoblast.osteogenic_differentiation"): -1,
    ("macrophage_m1", "miR-222", "BCL2-", "BMSC.apoptosis"): 1,
    ("macrophage_m1", "LOC103691165", "", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", "miR-690", "IRS1+ TAZ+ RUNX2+", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", "miR-690", "IRS1+ TAZ+ PPARG-", "BMSC.adipogenic_differentiation"): -1,
    ("macrophage_m2", "miR-5106", "SIK2-", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", "miR-5106", "SIK3-", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", "miR-26a-5p", "RUNX2+", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", "miR-26a-5p", "ALP+", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", "IL-10 mRNA", "IL10+", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", None, "COL2+", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", None, "OCN+", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", "LOC103691165", "", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", None, "", "BMSC.osteogenic_differentiation"): 1,
    ("macrophage_m2", None, "", "BMSC.proliferation"): 1,
    ("macrophage_m2", None, "", "BMSC.migration"): 1,
    ("macrophage_m2", None, "", "endothelial.proliferation"): 1,
    ("macrophage_m2", None, "", "endothelial.migration"): 1,
    ("macrophage_m2", None, "", "endothelial.angiogenesis"): 1,
}


def by_id(entry: Edge | Source) -> str:
    return entry.id


def chain_of(edge: Edge) -> str:
    return " ".join(f"{node.node}{'+' if node.sign > 0 else '-'}" for node in edge.chain)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_is_ascii_and_named_by_its_id(file: Path) -> None:
    text = file.read_text()
    assert text.isascii()
    named = re.match(r"id: (\S+)", text)
    assert named is None or named[1] == file.stem


@pytest.mark.parametrize("edge", CATALOG.edges, ids=by_id)
def test_an_edge_is_backed(edge: Edge) -> None:
    source = CATALOG.source_of[edge.id]
    assert edge.cargo is None or edge.cargo in {cargo.name for cargo in source.cargo}
    papers = [CATALOG.references[ref] for ref in edge.refs]
    assert all(paper.doi or paper.pmid or paper.unresolved for paper in papers)
    assert edge.strength.basis != "assumed" or (edge.strength.low < edge.strength.high and edge.strength.why)


@pytest.mark.parametrize("edge", CATALOG.edges, ids=by_id)
def test_the_strength_of_an_edge_is_the_prior_of_its_class(edge: Edge) -> None:
    assert edge.strength.prior == f"{edge.evidence}_{edge.mechanism}_mechanism"


@pytest.mark.parametrize("edge", CATALOG.edges, ids=by_id)
def test_a_stated_mechanism_names_cargo_and_node(edge: Edge) -> None:
    assert edge.mechanism == ("stated" if edge.cargo and edge.chain else "unknown")


@pytest.mark.parametrize("edge", CATALOG.edges, ids=by_id)
def test_an_edge_without_a_cargo_says_what_is_known(edge: Edge) -> None:
    assert edge.cargo is not None or edge.note


@pytest.mark.parametrize("edge", CATALOG.edges, ids=by_id)
def test_the_nodes_of_an_edge_are_spelled_and_named_as_in_the_vocabulary(edge: Edge) -> None:
    known = CATALOG.vocabulary.nodes
    assert all(set(node.aliases) <= set(known[node.node]) for node in edge.chain)


@pytest.mark.parametrize("source", CATALOG.sources.values(), ids=by_id)
def test_a_source_without_edges_states_no_direction_and_says_why(source: Source) -> None:
    assert source.edges or (source.notes and not source.direction_stated)


@pytest.mark.parametrize("source", CATALOG.sources.values(), ids=by_id)
def test_each_cargo_has_an_edge_and_none_is_listed_twice(source: Source) -> None:
    names = [cargo.name for cargo in source.cargo]
    assert len(set(names)) == len(names)
    assert set(names) == {edge.cargo for edge in source.edges} - {None}


@pytest.mark.parametrize("number", CATALOG.priors.values(), ids=list(CATALOG.priors))
def test_a_prior_has_a_range_a_reason_and_a_unit(number: Number) -> None:
    assert number.low < number.high
    assert number.why
    Unit.parse(number.unit)


@pytest.mark.parametrize("paper", CATALOG.references.values(), ids=lambda paper: str(paper.id))
def test_a_reference_can_be_found_or_says_what_is_missing(paper: Reference) -> None:
    assert paper.doi or paper.pmid or paper.unresolved
    assert paper.doi is None or re.fullmatch(r"10\.\d{4,}/\S+", paper.doi)


def test_every_reference_is_used() -> None:
    text = "\n".join(file.read_text() for file in FILES if file.name != "references.yaml")
    for paper in CATALOG.references.values():
        named = [str(paper.id), paper.doi or "", paper.journal if paper.doi is None else ""]
        assert any(re.search(rf"\b{re.escape(name)}\b", text) for name in named if name), paper.id


@pytest.mark.parametrize("source", ["macrophage_m1", "macrophage_m2"])
def test_a_macrophage_source_has_just_the_edges_that_the_review_states(source: str) -> None:
    edges = CATALOG.sources[source].edges
    written = {(source, edge.cargo, chain_of(edge), edge.port): edge.effect for edge in edges}
    assert written == {key: effect for key, effect in STATED.items() if key[0] == source}


@pytest.mark.parametrize("source", ["macrophage_m1", "macrophage_m2"])
def test_the_shared_lncrna_promotes_osteogenesis_in_a_fracture(source: str) -> None:
    """Both polarisations carry it, against the usual opposition of M1 and M2; the contradiction is said."""
    (edge,) = (edge for edge in CATALOG.sources[source].edges if edge.cargo == "LOC103691165")
    assert (edge.effect, edge.context) == (1, "fracture")
    assert any("LOC103691165" in note for note in CATALOG.sources[source].notes)


def test_the_edges_of_the_gel_act_only_with_the_gel() -> None:
    bound = {edge.id for edge in CATALOG.edges if edge.conditions.carrier == "ha_hydrogel_sdf1a"}
    assert bound == {edge.id for edge in CATALOG.edges if edge.refs == (100,)}


@pytest.mark.parametrize(("source", "effect"), [("macrophage_m1", -1), ("macrophage_m2", 1)])
def test_m1_and_m2_oppose_each_other_outside_a_fracture(source: str, effect: int) -> None:
    edges = CATALOG.sources[source].edges
    assert {e.effect for e in edges if e.process == "osteogenic_differentiation" and e.context is None} == {effect}


def test_no_process_that_is_computed_has_another_name() -> None:
    computed = {name for name, process in CATALOG.vocabulary.processes.items() if process.computed}
    assert computed == {
        "bone_formation",
        "bone_regeneration",
        "bone_loss",
        "osteonecrosis_progression",
        "joint_degeneration",
        "disc_degeneration",
    }


def test_the_exponent_of_rankl_follows_from_its_two_points() -> None:
    """RANKL 2.5 (2 to 3) fold while estradiol falls from 164.8 to 40.7 pmol/L; three digits are kept."""
    gain = next(e.gain for e in CATALOG.factors["oestrogen"].edges if e.process == "rankl_expression")
    fall = math.log(164.8 / 40.7)
    expected = [-math.log(fold) / fall for fold in (3, 2.5, 2)]
    assert [gain.low, gain.value, gain.high] == pytest.approx(expected, abs=5e-4)


def test_oestrogen_restrains_osteoclasts_by_one_exponent() -> None:
    gains = {edge.process: edge.gain for edge in CATALOG.factors["oestrogen"].edges}
    apoptosis, resorption = gains["apoptosis"], gains["resorption_activity"]
    assert apoptosis.value > 0
    assert (resorption.value, resorption.low, resorption.high) == (-apoptosis.value, -apoptosis.high, -apoptosis.low)


def test_the_loss_of_bone_after_ovariectomy_follows_from_the_means() -> None:
    """16.3 (SE 0.9) of 28.7 (SE 1.6); the two relative standard errors add in squares; whole percent are kept."""
    row = next(row for row in CATALOG.contexts["ovx_osteoporosis"].validation if row.use == "fitted")
    ratio = 16.3 / 28.7
    error = 1.96 * ratio * math.hypot(0.9 / 16.3, 1.6 / 28.7)
    expected = [100 * (ratio - error - 1), 100 * (ratio - 1), 100 * (ratio + error - 1)]
    assert [row.low, row.value, row.high] == pytest.approx(expected, abs=0.6)


def test_the_shares_of_a_dose_stay_below_the_dose() -> None:
    """Even at the upper ends, so that no draw from the ranges makes vesicles."""
    rows = CATALOG.species["rat"].of_module("iv_two_phase")
    shares = [number for symbol, number in rows.items() if symbol.startswith("share_")]
    assert len(shares) == 5
    assert sum(number.high for number in shares) < 1


def test_a_species_gives_each_parameter_of_a_module_once() -> None:
    pairs = [(row.module, row.symbol) for row in CATALOG.species["rat"].parameters]
    assert len(set(pairs)) == len(pairs)
    assert "iv_two_phase" in {module for module, _ in pairs}


@pytest.mark.parametrize("route", [one for one in CATALOG.routes.values() if one.module], ids=lambda one: one.id)
def test_a_route_gives_the_parameters_of_its_site(route: Route) -> None:
    site = {"t_half_depot", "share_blood", *(["share_site"] if route.site != "none" else [])}
    assert set(route.parameters) == (set() if route.site == "blood" else site)


def test_every_carrier_and_route_of_the_vocabulary_has_an_entry() -> None:
    assert set(CATALOG.carriers) == set(CATALOG.vocabulary.carriers)
    assert set(CATALOG.routes) == set(CATALOG.vocabulary.routes)
