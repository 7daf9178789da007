"""The catalogue as a program: files added, files refused, documents printed."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path

import pytest
import yaml

from bonesim.catalog import Number, context_to_json, load_catalog, source_to_json
from bonesim.catalog.check import numbers
from bonesim.catalog.load import DATA
from bonesim.errors import InputError

NEW_SOURCE = textwrap.dedent(
    """\
    id: new_cell
    label: vesicles of a new cell
    category: other
    parent_state: default
    effect_stated: true
    direction_stated: true
    cargo:
      - {name: miR-1, kind: miRNA, refs: [somebody2020]}
    edges:
      - id: new_mir1_ocn
        cargo: miR-1
        chain: [{node: NEWNODE, direction: down}]
        cell_target: osteoblast
        process: mineralization
        effect: 1
        context: null
        evidence: in_vitro
        mechanism: stated
        refs: [somebody2020]
        strength: {value: 0.5, low: 0.1, high: 1, basis: assumed, why: an example}
    lot:
      particles_per_ug: {prior: particles_per_ug}
    references:
      - {id: somebody2020, doi: 10.1000/example}
    """
)


@pytest.fixture
def extra(tmp_path: Path) -> Path:
    """A folder with one valid source."""
    (tmp_path / "new_cell.yaml").write_text(NEW_SOURCE)
    return tmp_path


def changed(folder: Path, old: str, new: str) -> str:
    """Replace `old` in the source of `folder`, load, and give the message without the folder's path."""
    file = folder / "new_cell.yaml"
    assert old in NEW_SOURCE
    file.write_text(NEW_SOURCE.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        load_catalog(folder)
    return str(caught.value).replace(f"{folder}{os.sep}", "")


def test_a_source_is_added_by_a_file(extra: Path) -> None:
    catalog = load_catalog(extra)
    assert "new_cell" not in load_catalog().sources
    (edge,) = catalog.source("new_cell").edges
    assert edge in catalog.edges
    assert catalog.source_of["new_mir1_ocn"] is catalog.sources["new_cell"]
    assert catalog.references["somebody2020"].doi == "10.1000/example"


def test_a_source_is_added_through_the_environment(extra: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONESIM_CATALOG", str(extra))
    assert "new_cell" in load_catalog().sources


def test_a_context_is_added_in_a_folder_of_its_section(tmp_path: Path) -> None:
    (tmp_path / "contexts").mkdir()
    text = (DATA / "contexts" / "healthy.yaml").read_text().replace("id: healthy", "id: rested")
    (tmp_path / "contexts" / "rested.yaml").write_text(text)
    assert load_catalog(tmp_path).context("rested").causes == ()


def test_an_unchanged_catalogue_is_not_read_again(extra: Path) -> None:
    assert load_catalog(extra) is load_catalog(extra)


def test_a_changed_file_is_read_again(extra: Path) -> None:
    before = load_catalog(extra)
    (extra / "new_cell.yaml").write_text(NEW_SOURCE.replace("vesicles of a new cell", "vesicles of a newer cell"))
    assert before.sources["new_cell"].label == "vesicles of a new cell"
    assert load_catalog(extra).sources["new_cell"].label == "vesicles of a newer cell"


def test_a_named_prior_becomes_its_number(extra: Path) -> None:
    catalog = load_catalog(extra)
    lot = catalog.sources["new_cell"].lot.particles_per_ug
    assert lot.prior == "particles_per_ug"
    assert lot.model_copy(update={"prior": None}) == catalog.priors["particles_per_ug"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "process: mineralization",
            "process: mineralisation",
            "new_cell.yaml:14: edges[0].process: unknown process 'mineralisation'\n"
            "  try: did you mean 'mineralization'?",
            id="unknown process",
        ),
        pytest.param(
            "strength: {value: 0.5, low: 0.1, high: 1, basis: assumed, why: an example}",
            "strength: {prior: cargo_half_life}",
            "new_cell.yaml:20: edges[0].strength: "
            "'h' does not convert to 'dimensionless': a time is not a plain number\n"
            "  try: a unit such as 'dimensionless'",
            id="prior of another kind",
        ),
        pytest.param(
            "particles_per_ug: {prior: particles_per_ug}",
            "particles_per_ug: {value: 5, unit: particle/day, low: 1, high: 9, basis: assumed, why: an example}",
            "new_cell.yaml:22: lot.particles_per_ug.unit: 'particle/day' does not convert to 'particle/ug': "
            "a count of particles per time is not a count of particles per mass\n"
            "  try: a unit such as 'particle/ug'",
            id="unit of a lot",
        ),
        pytest.param(
            "process: mineralization",
            "process: bone_formation",
            "new_cell.yaml:14: edges[0].process: 'bone_formation' is an outcome that is computed; "
            "no edge may end there\n"
            "  try: the process of a cell that leads to it, e.g. 'osteogenic_differentiation' or 'resorption_activity'",
            id="outcome of tissue",
        ),
        pytest.param(
            "cell_target: osteoblast",
            "cell_target: osteoblasts",
            "new_cell.yaml:13: edges[0].cell_target: unknown cell target 'osteoblasts'\n"
            "  try: did you mean 'osteoblast'?",
            id="unknown cell",
        ),
        pytest.param(
            "cargo: miR-1",
            "cargo: miR-11",
            "new_cell.yaml:11: edges[0].cargo: 'miR-11' is not among the cargo of this source\n"
            "  try: did you mean 'miR-1'?",
            id="cargo not listed",
        ),
        pytest.param(
            ", why: an example",
            "",
            "new_cell.yaml:20: edges[0].strength: an assumed number must say why\n"
            "  try: `why:` with the reason for value and range",
            id="assumed without why",
        ),
        pytest.param(
            "basis: assumed, why: an example",
            "basis: measured",
            "new_cell.yaml:20: edges[0].strength: a measured number needs a source\n"
            "  try: `source:` with paper and DOI",
            id="measured without source",
        ),
        pytest.param(
            "value: 0.5",
            "value: 2",
            "new_cell.yaml:20: edges[0].strength.value: 2 lies outside its range 0.1 to 1\n  try: low <= value <= high",
            id="outside its range",
        ),
        pytest.param(
            "low: 0.1, high: 1",
            "low: 0.5, high: 0.5",
            "new_cell.yaml:20: edges[0].strength: an assumed number needs a range\n"
            "  try: `low:` and `high:` that differ",
            id="assumed without range",
        ),
        pytest.param(
            "value: 0.5, low: 0.1, high: 1, basis: assumed, why: an example",
            "prior: in_vitro_stated_mechanisms",
            "new_cell.yaml:20: edges[0].strength.prior: unknown prior 'in_vitro_stated_mechanisms'\n"
            "  try: did you mean 'in_vitro_stated_mechanism'?",
            id="unknown prior",
        ),
        pytest.param(
            "{value: 0.5, low:",
            "{prior: in_vitro_stated_mechanism, low:",
            "new_cell.yaml:20: edges[0].strength.prior: a prior stands alone\n  try: the prior, or a number of its own",
            id="prior with more",
        ),
        pytest.param(
            "refs: [somebody2020]\n    strength",
            "refs: [somebody2021]\n    strength",
            "new_cell.yaml:19: edges[0].refs[0]: reference somebody2021 is not known\n"
            "  try: an entry with this id under `references:` of this file, or in references.yaml",
            id="unknown reference",
        ),
        pytest.param(
            "doi: 10.1000/example",
            "year: 2020",
            "new_cell.yaml:24: references[0]: reference somebody2020 can not be looked up\n"
            "  try: a doi or pmid, or `unresolved:` with what is missing",
            id="reference that says nothing",
        ),
        pytest.param(
            "node: NEWNODE",
            "node: IRS-1",
            "new_cell.yaml:12: edges[0].chain[0].node: 'IRS-1' is an alias\n"
            "  try: 'IRS1', with 'IRS-1' among its aliases",
            id="alias as node",
        ),
        pytest.param(
            "[{node: NEWNODE, direction: down}]",
            "[]",
            "new_cell.yaml:12: edges[0].chain: a stated mechanism needs at least one node\n"
            "  try: the nodes, or `mechanism: unknown`",
            id="mechanism without chain",
        ),
        pytest.param(
            "effect_stated: true",
            "effect_stated: false",
            "new_cell.yaml:5: effect_stated: the source has edges but no stated effect\n"
            "  try: effect_stated: true, or no edges",
            id="edges without effect",
        ),
        pytest.param(
            "context: null",
            "context: fractures",
            "new_cell.yaml:16: edges[0].context: unknown context 'fractures'\n  try: did you mean 'fracture'?",
            id="unknown context",
        ),
        pytest.param(
            "    context: null",
            "    context: null\n    conditions: {carrier: ha_hydrogel}",
            "new_cell.yaml:17: edges[0].conditions.carrier: unknown carrier 'ha_hydrogel'\n"
            "  try: did you mean 'ha_hydrogel_sdf1a'?",
            id="unknown carrier",
        ),
        pytest.param(
            "parent_state",
            "parent_stat",
            "new_cell.yaml:4: parent_stat: unknown key\n  try: did you mean 'parent_state'?",
            id="unknown key",
        ),
        pytest.param(
            "id: new_cell",
            "id: macrophage_m2",
            f"new_cell.yaml:1: id: the id 'macrophage_m2' is taken by {DATA / 'sources' / 'macrophage_m2.yaml'}\n"
            "  try: an id of its own",
            id="id of another file",
        ),
    ],
)
def test_a_fault_is_refused_with_place_and_remedy(extra: Path, old: str, new: str, message: str) -> None:
    assert changed(extra, old, new) == message


def test_one_edge_id_in_two_files_is_refused(extra: Path) -> None:
    other = extra / "other.yaml"
    other.write_text(NEW_SOURCE.split("references:")[0].replace("new_cell", "other_cell").replace("somebody2020", "92"))
    with pytest.raises(InputError) as caught:
        load_catalog(extra)
    assert str(caught.value) == (
        f"{other}:10: edges[0].id: the id 'new_mir1_ocn' is taken by {extra / 'new_cell.yaml'}\n  try: an id of its own"
    )


def test_a_node_that_pushes_both_ways_is_refused(extra: Path) -> None:
    edge = NEW_SOURCE[NEW_SOURCE.index("  - id: new_mir1_ocn") : NEW_SOURCE.index("lot:")]
    second = edge.replace("new_mir1_ocn", "new_mir1_again").replace("effect: 1", "effect: -1")
    message = changed(extra, edge, edge + second)
    assert message == (
        "new_cell.yaml:26: edges[1].effect: NEWNODE would both raise and lower osteoblast.mineralization "
        "in this source\n  try: the direction of the last node, the effect, or a context that tells the two apart"
    )


def test_all_faults_of_all_files_are_told_at_once(extra: Path) -> None:
    (extra / "new_cell.yaml").write_text(
        NEW_SOURCE.replace("category: other", "category: others").replace("kind: miRNA", "kind: siRNA")
    )
    with pytest.raises(InputError) as caught:
        load_catalog(extra)
    assert [part.place.key for part in caught.value.parts if part.place] == ["category", "cargo[0].kind"]


def test_a_missing_extra_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    with pytest.raises(InputError) as caught:
        load_catalog(folder)
    assert str(caught.value) == (
        f"there is no folder '{folder}'\n"
        "  try: a folder with one YAML file for each source, as argument or in BONESIM_CATALOG"
    )


def test_an_unknown_source_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        load_catalog().source("macrophage_m3")
    assert str(caught.value).startswith("source: unknown source 'macrophage_m3'\n  try: did you mean 'macrophage_m")


def test_the_document_of_a_source_is_that_of_the_contract() -> None:
    catalog = load_catalog()
    document = json.loads(json.dumps(source_to_json(catalog.sources["macrophage_m2"], catalog.references)))
    assert list(document)[:6] == ["id", "label", "category", "effect_stated", "cargo", "edges"]
    assert document["cargo"][0] == {"name": "miR-690", "kind": "miRNA", "aliases": [], "refs": [92]}
    edge = document["edges"][0]
    strength = edge.pop("strength")
    assert edge == {
        "id": "m2_mir690_irs1_taz_osteogenesis",
        "cargo": "miR-690",
        "chain": [
            {"node": "IRS1", "aliases": ["IRS-1"], "direction": "up"},
            {"node": "TAZ", "aliases": ["WWTR1"], "direction": "up"},
            {"node": "RUNX2", "aliases": ["RUNX-2"], "direction": "up"},
        ],
        "cell_target": "BMSC",
        "process": "osteogenic_differentiation",
        "effect": 1,
        "context": None,
        "evidence": "in_vitro",
        "mechanism": "stated",
        "refs": [92, 98, 99],
        "note": catalog.sources["macrophage_m2"].edges[0].note,
    }
    assert list(strength) == ["value", "low", "high", "basis", "why"]
    assert (strength["value"], strength["low"], strength["high"], strength["basis"]) == (0.6, 0.2, 1.5, "assumed")


def test_the_document_of_a_source_resolves_every_reference_in_it() -> None:
    catalog = load_catalog()
    for source in catalog.sources.values():
        document = source_to_json(source, catalog.references)
        papers = {paper["id"]: paper for paper in document["references"]}
        asked = {ref for block in (*document["cargo"], *document["edges"]) for ref in block["refs"]}
        assert asked <= set(papers), source.id
        assert all(one["doi"] or one["pmid"] or one["pmcid"] or one["unresolved"] for one in papers.values()), source.id
    assert papers["wang2024"]["doi"] == "10.1186/s12964-023-01431-7"


def test_a_condition_stands_in_the_document_where_there_is_one() -> None:
    catalog = load_catalog()
    edges = source_to_json(catalog.sources["macrophage_m2"], catalog.references)["edges"]
    conditions = {edge["id"]: edge.get("conditions") for edge in edges}
    assert conditions["m2_sdf1a_gel_angiogenesis"] == {"carrier": "ha_hydrogel_sdf1a"}
    assert conditions["m2_mir690_irs1_taz_osteogenesis"] is None


def test_the_document_of_a_context_names_its_causes() -> None:
    document = json.loads(json.dumps(context_to_json(load_catalog().contexts["ovx_osteoporosis"])))
    (cause,) = document["causes"]
    assert cause["factor"] == "oestrogen"
    assert cause["level"]["value"] == pytest.approx(22 / 62, abs=5e-4)
    assert document["free_parameters"][0]["data_points"] == 1


def test_the_document_of_a_context_names_its_injuries_and_modules() -> None:
    document = json.loads(json.dumps(context_to_json(load_catalog().contexts["fracture"])))
    assert document["modules"] == ["callus_healing"]
    defect, trauma, size = document["injuries"]
    assert (defect, trauma) == (
        {"module": "callus_healing", "port": "defect", "amount": 1.0},
        {"module": "callus_healing", "port": "trauma", "amount": 1.0},
    )
    assert (size["port"], size["amount"]["value"], size["amount"]["basis"]) == ("gap_size", 0.1, "assumed")


def test_a_mediator_with_edges_that_is_not_1_in_health_is_told(tmp_path: Path) -> None:
    (tmp_path / "factors").mkdir()
    text = (DATA / "factors" / "inflammasome_activator.yaml").read_text()
    text = text.replace("healthy: 1", "healthy: 0").replace("inflammasome_activator", "activator")
    (tmp_path / "factors" / "activator.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_catalog(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'factors' / 'activator.yaml'}:4: healthy: a mediator with edges is not 1 in health\n"
        "  try: `healthy: 1`, or no edges and a module with an in-port that is called like the mediator"
    )


def test_a_level_that_has_no_power_is_told(tmp_path: Path) -> None:
    (tmp_path / "contexts").mkdir()
    lines = ["id: castration", "label: castration", "kind: setting", "start: healthy_steady_state", "about: a test"]
    lines += ["causes:", "  - factor: oestrogen"]
    lines += ["    level: {value: 0, low: 0, high: 0.2, basis: assumed, why: a test}"]
    lines += ["    half_time: {value: 1, unit: day, low: 0.5, high: 2, basis: assumed, why: a test}"]
    (tmp_path / "contexts" / "castration.yaml").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        load_catalog(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'contexts' / 'castration.yaml'}:8: causes[0].level: the level of oestrogen may come to 0, and "
        "has no power there\n  try: a range above 0"
    )


def test_an_injury_of_a_module_that_is_not_brought_along_and_a_port_given_twice_are_told(tmp_path: Path) -> None:
    (tmp_path / "contexts").mkdir()
    lines = ["id: crack", "label: crack", "kind: injury", "start: healthy_steady_state", "about: a test", "causes: []"]
    lines += ["modules: [callus_healing]", "injuries:"]
    lines += ["  - {module: callus_heeling, port: defect, amount: 1}"]
    lines += 2 * ["  - {module: callus_healing, port: trauma, amount: 1}"]
    (tmp_path / "contexts" / "crack.yaml").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        load_catalog(tmp_path)
    file = tmp_path / "contexts" / "crack.yaml"
    assert str(caught.value) == (
        f"{file}:9: injuries[0].module: unknown module 'callus_heeling'\n  try: did you mean 'callus_healing'?\n"
        f"{file}:11: injuries[2].port: port 'trauma' of callus_healing is given twice\n  try: one amount for each port"
    )


@pytest.mark.parametrize(
    ("direction", "effect", "sign"), [("up", 1, 1), ("up", -1, -1), ("down", 1, -1), ("down", -1, 1)]
)
def test_the_last_link_has_the_sign_of_effect_times_node(extra: Path, direction: str, effect: int, sign: int) -> None:
    text = NEW_SOURCE.replace("direction: down", f"direction: {direction}").replace("effect: 1", f"effect: {effect}")
    (extra / "new_cell.yaml").write_text(text)
    assert load_catalog(extra).sources["new_cell"].edges[0].link_sign == sign


def test_an_edge_without_nodes_links_the_cargo_itself() -> None:
    edge = next(edge for edge in load_catalog().edges if edge.id == "m1_loc103691165_osteogenesis")
    assert edge.chain == ()
    assert edge.link_sign == edge.effect == 1


def test_every_number_of_a_file_is_found_for_checking() -> None:
    """The walk over blocks sees as many numbers as the text has, so none escapes the checks."""
    ages = 1  # a range without a value, checked by itself
    file = DATA / "species" / "rat.yaml"
    assert len(list(numbers(load_catalog().species["rat"]))) + ages == file.read_text().count("basis:")


AGES = {
    "low: 3 week, high: 3 week, basis: assumed, why: a guess": (
        "ages.high: '3 week' is not above '3 week'\n  try: low < high"
    ),
    "low: 3 week, high: 1 year, basis: assumed": (
        "ages: an assumed range must say why\n  try: `why:` with the reason for the range"
    ),
    "low: 3 week, high: 1 year, basis: measured": (
        "ages: a measured range needs a source\n  try: `source:` with paper and DOI"
    ),
}


@pytest.mark.parametrize("ages", AGES)
def test_a_range_of_ages_is_checked(extra: Path, ages: str) -> None:
    text = (DATA / "species" / "rat.yaml").read_text()
    head, _, rest = text.partition("\nages:")
    (extra / "species").mkdir()
    file = extra / "species" / "mouse.yaml"
    file.write_text(f"{head}\nages: {{{ages}}}\n{rest[rest.index('cells:') :]}".replace("id: rat", "id: mouse"))
    line = head.count("\n") + 2
    with pytest.raises(InputError) as caught:
        load_catalog(extra)
    assert str(caught.value) == f"{file}:{line}: {AGES[ages]}"


NUMBER = "{value: 2, unit: day, low: 1, high: 4, basis: assumed, why: an example}"
SHARE = "{value: 0.1, low: 0, high: 0.4, basis: assumed, why: an example}"
CARRIERS = {
    "release: {form: even, burst: SHARE, half_life: NUMBER}": (
        "release.form: a release of form even needs its duration alone\n  try: duration"
    ),
    "release: {form: first_order, burst: SHARE, half_life: NUMBER, duration: NUMBER}": (
        "release.form: a release of form first_order needs its half_life alone\n  try: half_life"
    ),
    "release: null": "id: the carrier 'my_gel' changes nothing\n  try: `release:`, `retention:` or `targeting:`",
    "retention: NUMBER": (
        "retention.unit: 'day' does not convert to 'dimensionless': a time is not a plain number\n"
        "  try: a unit such as 'dimensionless'"
    ),
}


@pytest.mark.parametrize("text", CARRIERS)
def test_a_carrier_is_checked(tmp_path: Path, text: str) -> None:
    (tmp_path / "carriers").mkdir()
    said = text.replace("NUMBER", NUMBER).replace("SHARE", SHARE)
    entry = f"id: my_gel\nlabel: my gel\nkind: hydrogel\nabout: an example\n{said}\n"
    (tmp_path / "carriers" / "my_gel.yaml").write_text(entry)
    with pytest.raises(InputError) as caught:
        load_catalog(tmp_path)
    assert [str(part).partition(": ")[2] for part in caught.value.parts] == [CARRIERS[text]]


def test_a_carrier_is_added_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "carriers").mkdir()
    factor = NUMBER.replace("unit: day, ", "")
    entry = f"id: my_gel\nlabel: my gel\nkind: hydrogel\nabout: an example\nretention: {factor}\n"
    (tmp_path / "carriers" / "my_gel.yaml").write_text(entry)
    source = NEW_SOURCE.replace("    context: null\n", "    context: null\n    conditions: {carrier: my_gel}\n")
    (tmp_path / "new_cell.yaml").write_text(source)
    catalog = load_catalog(tmp_path)
    assert catalog.carriers["my_gel"].retention is not None
    assert catalog.source_of["new_mir1_ocn"].edges[0].conditions.carrier == "my_gel"


@pytest.mark.parametrize("keys", ["module: null", "module: site_depot\nrefused: no reason"])
def test_a_route_carries_vesicles_or_says_why_not(tmp_path: Path, keys: str) -> None:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "oral.yaml").write_text(f"id: oral\nlabel: oral\n{keys}\nsite: none\nabout: an example\n")
    with pytest.raises(InputError) as caught:
        load_catalog(tmp_path)
    assert "module: vesicles must either be carried or refused" in str(caught.value)


def test_numbers_are_frozen() -> None:
    number = load_catalog().priors["V50"]
    assert isinstance(number, Number)
    with pytest.raises(ValueError, match="frozen"):
        number.value = 2.0


def test_the_shared_files_are_plain_yaml() -> None:
    """A second reader finds the same priors, so nothing rests on a peculiarity of ours."""
    data = yaml.safe_load((DATA / "priors.yaml").read_text())["priors"]
    assert {name: row["value"] for name, row in data.items()} == {
        name: number.value for name, number in load_catalog().priors.items()
    }
