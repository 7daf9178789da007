"""Profiles: what they say, what a knock-out takes away, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bonesim.catalog import load_catalog
from bonesim.cli.main import main
from bonesim.errors import InputError
from bonesim.plot import plot_mechanism
from bonesim.profile import profile

KEYS = {
    *("source", "label", "effect_stated", "context", "context_modelled", "species", "dose", "route", "start"),
    *("horizon", "carriers", "without", "processes", "driven", "tissue", "outcomes", "means", "exposure"),
    *("copies_per_cell", "copies_not_known", "ledger", "unknown_mechanism_share", "edges"),
}


def test_a_profile_says_what_was_asked_and_what_came_of_it() -> None:
    found = profile("macrophage_m2")
    assert set(found) == KEYS
    assert (found["species"], found["dose"], found["route"], found["horizon"]) == ("rat", "100 ug", "local", "28 day")
    assert found["processes"]["BMSC.osteogenic_differentiation"] > 0.01
    assert found["processes"]["BMSC.adipogenic_differentiation"] < -0.01
    assert found["outcomes"]["bone_volume"] > 1
    assert found["ledger"]["delivered"] == pytest.approx(found["ledger"]["scheduled"], rel=1e-9)
    assert sum(found["exposure"].values()) == pytest.approx(100, rel=1e-9)


def test_a_process_is_that_of_its_cells_together_and_0_where_nothing_reaches() -> None:
    found = profile("macrophage_m1")["processes"]
    cells = [value for name, value in found.items() if name.endswith(".osteogenic_differentiation")]
    assert len(cells) >= 2
    assert found["osteogenic_differentiation"] < min(cells) < 0
    assert found["cartilage_anabolism"] == 0.0
    computed = [name for name, process in load_catalog().vocabulary.processes.items() if process.computed]
    assert not set(computed) & set(found)


def test_tissue_has_every_computed_process_and_none_where_the_model_has_no_such_quantity() -> None:
    computed = {name for name, process in load_catalog().vocabulary.processes.items() if process.computed}
    whole, gap = profile("macrophage_m1"), profile("macrophage_m2", "fracture")
    assert set(whole["tissue"]) == computed
    assert {name for name, value in whole["tissue"].items() if value is not None} == {"bone_formation", "bone_loss"}
    assert whole["tissue"]["bone_formation"] < -0.01
    assert 2 ** -whole["tissue"]["bone_loss"] == pytest.approx(1 + whole["outcomes"]["bone_volume"] / 100, rel=1e-12)
    assert gap["tissue"]["bone_regeneration"] > 0.1
    assert gap["tissue"]["joint_degeneration"] is None


def test_means_tell_what_cells_did_before_they_swung_back() -> None:
    found = profile("osteoclast_rank", members=50)
    assert found["processes"]["osteoclastogenesis"] < 0
    assert found["means"]["osteoclasts"] < 0 < found["outcomes"]["osteoclasts"]
    assert found["agreement"]["means"]["osteoclasts"] >= 0.95
    gap = profile("macrophage_m2", "fracture")
    assert 1 + gap["means"]["new_bone"] / 100 == pytest.approx(2 ** gap["tissue"]["bone_regeneration"], rel=1e-12)


def test_edges_are_those_of_the_source_that_act_and_the_others_with_the_reason() -> None:
    source = load_catalog().sources["macrophage_m1"]
    found = profile("macrophage_m1", without=["miR-222"])["edges"]
    assert found["left_out"] == {
        "m1_mir222_bcl2_apoptosis": "is left out",
        "m1_loc103691165_osteogenesis": "acts in context fracture only",
    }
    assert sorted([*found["acting"], *found["left_out"]]) == sorted(edge.id for edge in source.edges)


def test_what_no_cargo_is_named_for_is_left_out_by_one_word() -> None:
    source = load_catalog().sources["macrophage_m2"]
    unnamed = [edge.id for edge in source.edges if edge.cargo is None]
    by_word, by_edges = (profile(source.id, without=out) for out in (["unnamed"], unnamed))
    assert {**by_word, "without": []} == {**by_edges, "without": []}
    empty = profile(source.id, "fracture", without=["unnamed", *(cargo.name for cargo in source.cargo)])
    assert set(empty["processes"].values()) == set(empty["driven"].values()) == set(empty["outcomes"].values()) == {0.0}
    assert empty["edges"]["acting"] == []


def test_without_its_cargo_a_process_is_where_it_was() -> None:
    whole, without = (profile("macrophage_m1", without=out)["processes"] for out in ((), ("miR-222",)))
    assert without.pop("BMSC.apoptosis") == without.pop("apoptosis") == 0.0
    assert whole.pop("BMSC.apoptosis") == whole.pop("apoptosis") > 0.0
    assert without == pytest.approx(whole, rel=1e-6, abs=1e-9)


def test_without_a_cargo_or_without_each_of_its_edges_is_the_same() -> None:
    edges = [edge.id for edge in load_catalog().sources["macrophage_m1"].edges if edge.cargo == "miR-155"]
    by_cargo, by_edges = (profile("macrophage_m1", without=out) for out in (["miR-155"], edges))
    assert {**by_cargo, "without": []} == {**by_edges, "without": []}


def test_a_cargo_may_be_named_by_an_alias() -> None:
    name, alias = (profile("macrophage_m1", without=[word])["processes"] for word in ("miR-98", "microRNA-98"))
    assert name == alias
    assert name["preosteoblast.osteogenic_differentiation"] == 0.0


def test_without_all_edges_nothing_is_left() -> None:
    edges = [edge.id for edge in load_catalog().sources["macrophage_m2"].edges]
    found = profile("macrophage_m2", without=edges)
    assert set(found["processes"].values()) == {0.0}
    assert set(found["outcomes"].values()) == {0.0}
    assert found["unknown_mechanism_share"] == 0.0


def test_an_effect_that_is_stated_for_a_context_acts_in_it_alone() -> None:
    free, fracture = (profile("macrophage_m1", context)["processes"] for context in (None, "fracture"))
    assert free["BMSC.osteogenic_differentiation"] == 0.0
    assert fracture["BMSC.osteogenic_differentiation"] > 0.05


@pytest.mark.parametrize(
    ("source", "context"),
    [
        ("epc", "giop"),
        ("ucmsc_exo", "gionfh"),
        ("vec_vegf", "gionfh"),
        ("macrophage_m2_ev", "ra"),
        ("dendritic", "inflammatory_setting"),
        ("neutrophil_msu", "gout"),
        ("adipocyte", "ti_osteolysis"),
    ],
)
def test_an_effect_has_the_stated_sign_in_the_disease_that_it_is_stated_for(source: str, context: str) -> None:
    found = profile(source, context)
    assert found["context_modelled"]
    stated = [edge for edge in load_catalog().sources[source].edges if edge.context == context]
    assert stated
    for edge in stated:
        assert edge.effect * found["processes"][edge.port] > 0.01, edge.id


def test_a_context_may_bring_a_protocol_of_its_own() -> None:
    found = profile("ucmsc_exo", "gionfh")
    assert (found["route"], found["start"], found["every"], found["count"]) == ("intravenous", "3 day", "1 week", 4)
    assert found["ledger"]["scheduled"] == 400.0


def test_the_share_of_unknown_mechanisms_is_that_of_the_edges_that_have_none() -> None:
    assert profile("macrophage_m1")["unknown_mechanism_share"] == 0.0
    known = [edge.id for edge in load_catalog().sources["macrophage_m2"].edges if edge.mechanism == "stated"]
    assert profile("macrophage_m2", without=known)["unknown_mechanism_share"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"source": "macrophage_m3"}, "source: unknown source 'macrophage_m3'\n  try: did you mean 'macrophage_m2'?"),
        (
            {"without": ["miR-69"]},
            "without: unknown cargo or edge of macrophage_m2 'miR-69'\n  try: did you mean 'miR-690'?",
        ),
        ({"context": "fractur"}, "context: unknown context 'fractur'\n  try: did you mean 'fracture'?"),
        ({"species": "ratt"}, "species: unknown species 'ratt'\n  try: did you mean 'rat'?"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(asked: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        profile(**{"source": "macrophage_m2", **asked})  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_draws_tell_how_often_a_sign_holds() -> None:
    found = profile("macrophage_m1", members=20)
    assert found["members"] == 20
    assert set(found["agreement"]["outcomes"]) == {name for name, value in found["outcomes"].items() if value}
    assert set(found["agreement"]["tissue"]) == {name for name, value in found["tissue"].items() if value}
    assert found["agreement"]["processes"] == {name: 1.0 for name, value in found["processes"].items() if value}
    stated = profile("macrophage_m1")
    assert found["processes"] == pytest.approx(stated["processes"], rel=1e-5, abs=1e-9)
    assert profile("macrophage_m1", members=20)["agreement"] == found["agreement"]


def test_the_command_prints_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "macrophage_m1", "--without", "miR-98", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == profile("macrophage_m1", without=["miR-98"])


@pytest.mark.parametrize("source", ["macrophage_m2", "macrophage_m0"])
def test_the_command_draws_profile_and_mechanism(source: str, tmp_path: Path) -> None:
    assert main(["profile", source, "-o", str(tmp_path / "out")]) == 0
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == [f"mechanism_{source}.png", f"profile_{source}.png"]


def test_a_mechanism_has_each_name_once_in_its_column_and_leaves_other_contexts_out() -> None:
    source = load_catalog().sources["macrophage_m1"]
    shown = {
        context: [text.get_text() for text in plot_mechanism(source, context).axes[0].texts if text.get_text()]
        for context in (None, "fracture")
    }
    assert len(shown[None]) == len(set(shown[None]))
    assert set(shown["fracture"]) - set(shown[None]) == {"LOC103691165", "osteogenic\ndifferentiation, BMSC"}
    assert {"miR-155", "BMP2", "DUSP1", "apoptosis, BMSC"} <= set(shown[None])


def test_the_command_names_places_as_the_figure_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "macrophage_m1"]) == 0
    places = capsys.readouterr().out.partition("vesicles at the end")[2]
    assert places.index("blood") < places.index("exchanging tissue") < places.index("liver")


def test_the_command_wants_one_source_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile"]) == 2
    assert capsys.readouterr().err == "profile: one source, or all\n  try: bonesim profile macrophage_m2\n"
    assert main(["profile", "macrophage_m2", "--all"]) == 2
