"""Hierarchical SBML: submodels made flat with their names, conversions and places, other files only from beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bonesim
from bonesim.errors import InputError, UnsupportedModelError
from bonesim.sbml.comp import DEEPEST
from bonesim.sbml.read import read_antimony, read_model, read_sbml

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"
 xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true">
"""
DECAY = """<{tag} id="{id}">
<listOfCompartments><compartment id="c" spatialDimensions="3" size="2" constant="true"/></listOfCompartments>
<listOfSpecies><species id="S" compartment="c" initialConcentration="4" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/></listOfParameters>
<listOfReactions><reaction id="R" reversible="false">
<listOfReactants><speciesReference species="S" stoichiometry="1" constant="true"/></listOfReactants>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>S</ci><ci>c</ci></apply>
</math></kineticLaw></reaction></listOfReactions>
<comp:listOfPorts><comp:port comp:id="rate" comp:idRef="k"/>
<comp:port comp:id="loss" comp:idRef="R"/></comp:listOfPorts>
</{tag}>
"""


def decay(name: str = "decay", tag: str = "comp:modelDefinition") -> str:
    """A species that decays: S(t) = 4 exp(-t/2)."""
    return DECAY.format(tag=tag, id=name)


def outer(submodels: str, elements: str = "", name: str = "outer") -> str:
    return f'<model id="{name}">\n{elements}\n<comp:listOfSubmodels>\n{submodels}\n</comp:listOfSubmodels>\n</model>\n'


def document(model: str, definitions: str = "", externals: str = "") -> str:
    inside = f"<comp:listOfModelDefinitions>\n{definitions}</comp:listOfModelDefinitions>\n" if definitions else ""
    outside = f"<comp:listOfExternalModelDefinitions>\n{externals}\n</comp:listOfExternalModelDefinitions>\n"
    return f"{HEAD}{model}{inside}{outside if externals else ''}</sbml>\n"


def submodel(name: str, of: str = "decay", more: str = "", inside: str = "") -> str:
    return f'<comp:submodel comp:id="{name}" comp:modelRef="{of}" {more}>{inside}</comp:submodel>'


def external(name: str, source: str, of: str = "decay") -> str:
    return f'<comp:externalModelDefinition comp:id="{name}" comp:source="{source}" comp:modelRef="{of}"/>'


def parameter(name: str, value: float, replaces: str = "") -> str:
    inside = f"<comp:listOfReplacedElements>{replaces}</comp:listOfReplacedElements>" if replaces else ""
    return f'<parameter id="{name}" value="{value}" constant="true">{inside}</parameter>'


def parameters(*rows: str) -> str:
    return f"<listOfParameters>{''.join(rows)}</listOfParameters>"


def test_symbols_of_submodels_carry_their_names_and_are_found_by_either_spelling() -> None:
    model = read_sbml(document(outer(submodel("A") + submodel("B")), decay()), file="m.xml")
    assert [state.id for state in model.states] == ["A__S", "B__S"]
    assert sorted(parameter.id for parameter in model.parameters) == ["A__c", "A__k", "B__c", "B__k"]
    assert [model.resolve(name) for name in ("A.S", "A__S")] == ["A__S", "A__S"]
    assert model.public_name("B__S") == "B.S"
    with pytest.raises(InputError, match=r"'S' is the name of several quantities\n  try: write one of A\.S, B\.S"):
        model.resolve("S")


def test_a_submodel_within_a_submodel_is_found_by_the_end_of_its_name() -> None:
    pair = '<comp:modelDefinition id="pair"><comp:listOfSubmodels>' + submodel("A") + submodel("B")
    definitions = f"{pair}</comp:listOfSubmodels></comp:modelDefinition>\n{decay()}"
    model = read_sbml(document(outer(submodel("L", "pair")), definitions), file="m.xml")
    assert [state.id for state in model.states] == ["L__A__S", "L__B__S"]
    assert [model.resolve(name) for name in ("L.A.S", "A.S", "B__S")] == ["L__A__S", "L__A__S", "L__B__S"]


@pytest.mark.parametrize(
    ("more", "elements", "rate"),
    [
        ("", "", 0.5),
        ("", parameters(parameter("q", 0.1, '<comp:replacedElement comp:submodelRef="A" comp:portRef="rate"/>')), 0.1),
        ('comp:timeConversionFactor="slow"', parameters(parameter("slow", 10.0)), 0.05),
        ('comp:extentConversionFactor="many"', parameters(parameter("many", 3.0)), 1.5),
    ],
    ids=["as it is", "replaced", "slower", "larger extents"],
)
def test_replacements_and_conversion_factors_act(more: str, elements: str, rate: float) -> None:
    model = read_sbml(document(outer(submodel("A", more=more), elements), decay()), file="m.xml")
    times = np.array([0.0, 1.0, 5.0])
    result = bonesim.simulate(model, times, ["A.S"], rtol=1e-9)
    assert result["A.S"].values == pytest.approx(4.0 * np.exp(-rate * times), rel=1e-7)


def test_what_is_deleted_is_gone() -> None:
    deletion = '<comp:listOfDeletions><comp:deletion comp:portRef="loss"/></comp:listOfDeletions>'
    model = read_sbml(document(outer(submodel("A", inside=deletion)), decay()), file="m.xml")
    assert "A__R" not in model.by_id
    assert bonesim.simulate(model, [0.0, 5.0], ["S"])["S"].values.tolist() == [4.0, 4.0]


def test_an_element_replaced_by_that_of_a_submodel_has_its_value() -> None:
    taken = '<comp:replacedBy comp:submodelRef="A" comp:portRef="rate"/>'
    elements = f'<listOfParameters><parameter id="q" value="7" constant="true">{taken}</parameter></listOfParameters>'
    model = read_sbml(document(outer(submodel("A"), elements), decay()), file="m.xml")
    assert [(one.id, one.value) for one in model.parameters] == [("A__c", 2.0), ("q", 0.5)]


def test_a_model_that_only_offers_ports_is_read_as_it_is() -> None:
    model = read_sbml(document(decay("alone", "model")), file="m.xml")
    assert [symbol.id for symbol in model.symbols()] == ["S", "c", "k", "R"]


def test_files_beside_the_model_are_read_and_named_in_places(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "leaf.xml").write_text(document(decay("any", "model"), decay()), encoding="utf-8")
    middle = document(outer(submodel("L", "leaf"), name="middle"), externals=external("leaf", "leaf.xml"))
    (tmp_path / "parts" / "middle.xml").write_text(middle, encoding="utf-8")
    path = tmp_path / "m.xml"
    path.write_text(document(outer(submodel("M", "E")), externals=external("E", "./parts/middle.xml", "middle")))
    model = read_model(path)
    assert [state.id for state in model.states] == ["M__L__S"]
    (origin,) = {one.origin for one in model.parameters if one.id == "M__L__k"}
    # Both models in leaf.xml have a parameter `k`; this is the line of the second.
    assert (origin.file, origin.line) == (str(tmp_path / "parts" / "leaf.xml"), 21)


def test_faults_in_another_file_are_told_with_its_place(tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.xml"
    leaf.write_text(document(decay("any", "model"), decay().replace("<ci>k</ci>", "<ci>kk</ci>")), encoding="utf-8")
    path = tmp_path / "m.xml"
    path.write_text(document(outer(submodel("A", "E")), externals=external("E", "leaf.xml")))
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{leaf}:")


BOMB = '<!DOCTYPE x [<!ENTITY a "b">]>'
OTHERS = {
    "missing.xml": "there is no file 'missing.xml' beside the model\n  try: put it there, or correct the name",
    "https://example.org/m.xml": "a model cannot come from 'https://example.org/m.xml'",
    "file:leaf.xml": "a model cannot come from 'file:leaf.xml'",
    "/leaf.xml": "a model cannot come from '/leaf.xml'",
    "../leaf.xml": "'../leaf.xml' is outside of the model's folder",
    "link.xml": "'link.xml' is outside of the model's folder",
}


@pytest.mark.parametrize("source", OTHERS)
def test_other_files_come_from_beside_the_model_alone(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "leaf.xml").write_text(document(decay("any", "model"), decay()), encoding="utf-8")
    (folder / "link.xml").symlink_to(tmp_path / "leaf.xml")
    path = folder / "m.xml"
    path.write_text(document(outer(submodel("A", "E")), externals=external("E", source)), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_model(path)
    expected = OTHERS[source]
    if "try" not in expected:
        expected += f"\n  try: a relative path to a file below '{folder}', the folder of the model"
    assert str(caught.value) == f"{path}:11: {expected}"


def test_other_files_are_looked_at_like_the_first(tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.xml"
    leaf.write_text(BOMB + "<sbml/>", encoding="utf-8")
    path = tmp_path / "m.xml"
    path.write_text(document(outer(submodel("A", "E")), externals=external("E", "leaf.xml")), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert str(caught.value) == (
        f"{leaf}:1: document type and entity declarations are not allowed\n  try: remove the <!DOCTYPE ...> part"
    )


def chain(levels: int) -> str:
    """Models that each contain the next."""
    links = (
        f'<comp:modelDefinition id="m{k}"><comp:listOfSubmodels>{submodel("A", f"m{k + 1}")}</comp:listOfSubmodels>'
        "</comp:modelDefinition>\n"
        for k in range(1, levels)
    )
    return "".join(links) + f'<comp:modelDefinition id="m{levels}"/>\n'


LOOP = '<comp:modelDefinition id="a"><comp:listOfSubmodels>' + submodel("B", "a")
WRONG = {
    "unknown model": (
        document(outer(submodel("A", "decai")), decay()),
        "7: submodel 'A' is of model 'decai', which 'm.xml' does not define\n  try: did you mean 'decay'?",
    ),
    "itself": (
        document(outer(submodel("A", "outer"))),
        "7: models contain each other in a circle: outer -> outer\n  try: break it",
    ),
    "circle": (
        document(outer(submodel("A", "a")), f"{LOOP}</comp:listOfSubmodels></comp:modelDefinition>\n"),
        "11: models contain each other in a circle: a -> a\n  try: break it",
    ),
    "unknown port": (
        document(outer(submodel("A"), parameters(parameter("q", 1.0, '<comp:replacedElement comp:submodelRef="A" '
                 'comp:portRef="rat"/>'))), decay()),
        "5: not valid SBML: The 'portRef' of a <replacedElement> is set to 'rat' which is not a <port> within the "
        "<model> referenced by submodel 'A' (rule 1020701)\n"
        "  try: see rule 1020701 of the SBML specification, or validate the file at sbml.org",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_a_hierarchy_that_does_not_fit_is_refused_with_place_and_remedy(fault: str) -> None:
    text, expected = WRONG[fault]
    with pytest.raises(InputError) as caught:
        read_sbml(text, file="m.xml")
    assert str(caught.value) == f"m.xml:{expected}"


def test_more_levels_than_we_flatten_are_refused_and_as_many_are_not() -> None:
    read_sbml(document(outer(submodel("A", "m1")), chain(DEEPEST)), file="m.xml")
    with pytest.raises(UnsupportedModelError, match=r"^m\.xml:60: submodel 'A': hierarchies of submodels that are"):
        read_sbml(document(outer(submodel("A", "m1")), chain(DEEPEST + 1)), file="m.xml")


LAYOUT = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"
 xmlns:layout="http://www.sbml.org/sbml/level3/version1/layout/version1" layout:required="false"><model id="m">
<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters><listOfRules>
<rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>2</cn></math></rateRule>
</listOfRules></model></sbml>
"""


def test_a_package_that_changes_no_values_is_left_aside_with_a_remark() -> None:
    model = read_sbml(LAYOUT, file="m.xml")
    said = "package 'layout' is not read; the model says that no value depends on it (required=\"false\")"
    assert model.remarks == (said,)
    assert bonesim.simulate(model, [0.0, 1.0]).attrs["remarks"] == f'["{said}"]'.replace('="false"', '=\\"false\\"')


PARTS = """model cells()
  S = 4; k = 0.5;
  S' = -k*S;
end
model tissue()
  A: cells(); B: cells();
  A_S = 1;
end
model whole()
  L: tissue(); q = 3;
  L.B.k = q;
end
"""


def test_submodels_of_antimony_have_the_same_names_and_places_as_those_of_sbml() -> None:
    model = read_antimony(PARTS.replace("A_S = 1;", ""), file="m.ant")
    assert {symbol.id: symbol.origin.line for symbol in model.symbols()} == {
        "L__A__S": 2, "L__B__S": 2, "L__A__k": 2, "L__B__k": 2, "q": 10,
    }  # fmt: skip
    result = bonesim.simulate(model, [0.0, 1.0], ["L.A.S", "B.S"], rtol=1e-9)
    assert result["L.A.S"].values[-1] == pytest.approx(4.0 * np.exp(-0.5), rel=1e-7)
    assert result["B.S"].values[-1] == pytest.approx(4.0 * np.exp(-3.0), rel=1e-7)


def test_links_between_submodels_of_antimony_are_kept() -> None:
    text = (
        "model cell()\n S = 1; k = 2; J: S -> P; k*S; P = 0;\nend\nmodel two()\n A: cell(); B: cell(); B.S is A.P;\nend"
    )
    model = read_antimony(text, file="m.ant")
    assert sorted(state.id for state in model.states) == ["A__P", "A__S", "B__P"]


def test_more_submodels_of_antimony_than_we_flatten_are_refused() -> None:
    levels = "".join(f"model m{k}()\n{f' A: m{k - 1}(); B: m{k - 1}();' if k else ' x = 1;'}\nend\n" for k in range(12))
    with pytest.raises(UnsupportedModelError, match=r"^m\.ant:32: submodel 'B': hierarchies of submodels that are as"):
        read_antimony(levels, file="m.ant")


@pytest.mark.parametrize("number", ["1e400", "1e-400"])
def test_a_number_that_antimony_would_cut_is_refused(number: str) -> None:
    with pytest.raises(InputError) as caught:
        read_antimony(f"x = 1;\ny = -{number};\n", file="m.ant")
    assert str(caught.value) == (
        f"m.ant:2: '{number}' is out of the range of numbers\n  try: a number from 1e-307 to 1e307 in size"
    )
