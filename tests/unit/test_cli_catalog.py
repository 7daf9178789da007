"""`bonesim sources`, `contexts`, `carriers`, `models`, `schema` and `doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bonesim
from bonesim.catalog import carrier_to_json, context_to_json, source_to_json
from bonesim.cli.evidence import edge_text
from bonesim.cli.main import main
from bonesim.errors import InputError
from bonesim.resources import model_ids

CATALOG = bonesim.catalog()


@pytest.fixture(autouse=True)
def _no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def printed(arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments.split()) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return str(out)


@pytest.mark.parametrize("source", CATALOG.sources)
def test_a_source_as_json_is_the_document_of_the_catalogue(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(f"sources {source} --json", capsys)) == source_to_json(
        CATALOG.sources[source], CATALOG.references
    )


def test_all_sources_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed("sources --json", capsys))
    assert found == [source_to_json(source, CATALOG.references) for source in CATALOG.sources.values()]


@pytest.mark.parametrize("context", CATALOG.contexts)
def test_a_context_as_json_is_the_document_of_the_catalogue(context: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(f"contexts {context} --json", capsys)) == context_to_json(CATALOG.contexts[context])


@pytest.mark.parametrize("carrier", CATALOG.carriers)
def test_a_carrier_as_json_is_the_document_of_the_catalogue(carrier: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(f"carriers {carrier} --json", capsys)) == carrier_to_json(CATALOG.carriers[carrier])


def test_all_carriers_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed("carriers --json", capsys))
    assert found == [carrier_to_json(carrier) for carrier in CATALOG.carriers.values()]


def test_the_page_of_a_carrier_has_its_numbers_with_their_origin(capsys: pytest.CaptureFixture[str]) -> None:
    page = " ".join(printed("carriers beta_tcp", capsys).split())
    assert "time of even release: 5 day (2 to 10, measured) Int J Mol Sci 2021;22(12):6203" in page
    assert "freed at once: 0.1 (0.01 to 0.4, assumed)" in page
    assert "factor on the half-life at the site: 3 (1.2 to 10, assumed)" in printed("carriers creka", capsys)


def test_an_unknown_carrier_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["carriers", "cha_sf_gcs"]) == 2
    assert "carrier: unknown carrier 'cha_sf_gcs'" in capsys.readouterr().err


@pytest.mark.parametrize("source", CATALOG.sources)
def test_the_page_of_a_source_has_all_cargo_edges_and_references(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = printed(f"sources {source}", capsys).split()
    page = " ".join(words)
    entry = CATALOG.sources[source]
    assert all(cargo.name in page for cargo in entry.cargo)
    assert all(edge_text(edge) in page and edge.id in page for edge in entry.edges)
    dois = [CATALOG.references[ref].doi for edge in entry.edges for ref in edge.refs]
    assert all(f"doi:{doi}" in page for doi in dois if doi)


def test_the_page_of_a_context_says_what_is_injured_and_by_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.strip() for line in printed("contexts bone_defect", capsys).splitlines()]
    start = lines.index("injuries") + 1
    assert lines[start : start + 2] == [
        "defect of callus_healing: 1",
        "trauma of callus_healing: 0.7 (0.3 to 1, assumed)",
    ]
    assert "gap_size of callus_healing: 1 (0.8 to 1.6, measured)" in lines


EDGES = {
    "m2_mir690_irs1_taz_adipogenesis": "miR-690 -> IRS1 -> TAZ -| PPARG -> adipogenic differentiation (BMSC) down",
    "m2_mir5106_sik2_osteogenesis": "miR-5106 -| SIK2 -| osteogenic differentiation (BMSC) up",
    "m2_loc103691165_osteogenesis": "LOC103691165 -> osteogenic differentiation (BMSC) up",
}


@pytest.mark.parametrize("edge", EDGES)
def test_a_chain_is_written_with_arrows_and_bars(edge: str) -> None:
    found = next(one for one in CATALOG.edges if one.id == edge)
    assert edge_text(found) == EDGES[edge]


@pytest.mark.parametrize(
    ("command", "ids"), [("sources", CATALOG.sources), ("contexts", CATALOG.contexts), ("carriers", CATALOG.carriers)]
)
def test_lists_have_one_row_an_entry(command: str, ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    head, *lines = printed(command, capsys).splitlines()
    assert head.split()[0] == "id"
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(ids)


def test_the_list_of_models(capsys: pytest.CaptureFixture[str]) -> None:
    _, *lines = printed("models", capsys).splitlines()
    ids = [line.split()[0] for line in lines if not line.startswith(" ")]  # long titles go on below
    assert sorted(ids) == sorted(model_ids())


@pytest.mark.parametrize("model", model_ids())
def test_the_page_of_a_model_has_every_equation_and_parameter(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(f"models {model}", capsys)
    document = json.loads(printed(f"models {model} --json", capsys))
    for state in document["states"]:
        assert f"\n  d({state['id']})/dt = {state['rate']}\n" in page
    for rule in document["rules"]:
        assert f"\n  {rule['id']} = {rule['value']}\n" in page
    for parameter in document["parameters"]:
        assert f"\n{parameter['id']} " in page
        assert parameter["basis"] in {"measured", "fitted", "assumed", "computed"}
    assert document["reference"]["text"].split()[0] in page


def test_the_generated_code_of_a_model_is_python(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed("models lemaire2004 --code numpy", capsys)
    compile(text, "generated", "exec")
    assert "def rhs(t, y, p, k, dy):" in text


def test_the_equations_of_a_model_as_latex(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed("models komarova2003 --code latex", capsys).splitlines()
    assert (lines[0], lines[-1]) == (r"\begin{align}", r"\end{align}")
    assert (
        r"\frac{d x_{2}}{dt} &= \alpha_{2} \, {x_{1}}^{g_{12}} \, {x_{2}}^{g_{22}} - \beta_{2} \, x_{2} \\" in lines[2]
    )


def test_the_figures_of_a_model_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(f"models komarova2003 -o {tmp_path / 'figures'}", capsys)
    files = sorted(file.name for file in (tmp_path / "figures").iterdir())
    assert files == ["komarova2003_autocrine.png", "komarova2003_cycle.png"]


def test_a_model_without_figures_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "iv_two_phase", "-o", str(tmp_path / "figures")]) == 2
    assert "-o: the card of 'iv_two_phase' names no figure" in capsys.readouterr().err
    assert not (tmp_path / "figures").exists()


def test_the_schema_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(printed("schema", capsys))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "doses" in schema["properties"]


def test_doctor_finds_everything_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(printed("doctor --json", capsys))
    assert report["ok"] is True
    names = ["back ends", "cache", "library", "catalogue", "dosing", "scenario"]
    assert [check["name"] for check in report["checks"]] == names


def test_doctor_ends_with_1_if_something_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> str:
        raise InputError("it leaks")

    monkeypatch.setattr("bonesim.doctor.dosing", broken)
    monkeypatch.setattr("bonesim.doctor.shipped_scenario", lambda: "fine")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["  FAILED  dosing     it leaks", "  ok      scenario   fine"]


def test_doctor_notices_a_dose_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    from bonesim import doctor

    whole = doctor._one_compartment

    def lossy(dose: float, k: float) -> object:
        model = whole(dose, k)
        return model.with_(events=(type(model.events[0])(**{**vars(model.events[0]), "count": 2}),))

    monkeypatch.setattr(doctor, "_one_compartment", lossy)
    with pytest.raises(doctor.WrongAnswer, match="three boluses differ from the closed form"):
        doctor.dosing()


def test_an_extra_catalogue_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BONESIM_CATALOG", str(tmp_path / "none"))
    assert main(["sources"]) == 2
    assert capsys.readouterr().err == (
        f"there is no folder '{tmp_path / 'none'}'\n"
        "  try: a folder with one YAML file for each source, as argument or in BONESIM_CATALOG\n"
    )
