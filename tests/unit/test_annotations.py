"""SBO terms and MIRIAM resources: read from every kind of element, kept in a joined model, written and read back."""

from __future__ import annotations

import libsbml
import pytest

from bonesim.export import flat_model
from bonesim.model import document
from bonesim.model.ode import Annotation, OdeModel
from bonesim.sbml.annotations import ANTIMONY
from bonesim.sbml.antimony_write import write_antimony
from bonesim.sbml.read import read_antimony, read_sbml
from bonesim.sbml.write import write_sbml

OSTEOBLAST, PAPER = "https://identifiers.org/CL:0000062", "https://identifiers.org/doi:10.1000/a&b"
TEXT = f"""
model *m()
  compartment c = 1; species S in c; S = 2;
  J: S -> ; k*S; k = 0.5; x = 1; x' = -k;
  x identity "{OSTEOBLAST}"
  x hypernym "https://identifiers.org/CL:1", "https://identifiers.org/CL:2"
  k.sboTerm = 27
  J.sboTerm = 176
end
m publication "{PAPER}"
"""
EXPECTED = {
    "": Annotation("", "", (("bqmodel:isDescribedBy", PAPER),)),
    "J": Annotation("J", "", (("bqbiol:is", "https://identifiers.org/SBO:0000176"),)),
    "k": Annotation("k", "SBO:0000027"),
    "x": Annotation(
        "x",
        "",
        (
            ("bqbiol:is", OSTEOBLAST),
            ("bqbiol:isVersionOf", "https://identifiers.org/CL:1"),
            ("bqbiol:isVersionOf", "https://identifiers.org/CL:2"),
        ),
    ),
}


@pytest.fixture(scope="module")
def model() -> OdeModel:
    return read_antimony(TEXT, file="m.ant")


def told(model: OdeModel) -> dict[str, Annotation]:
    return {one.id: one for one in model.annotations}


def test_they_are_read_from_the_model_and_every_kind_of_element(model: OdeModel) -> None:
    assert told(model) == EXPECTED


def test_sbml_and_antimony_bring_them_back(model: OdeModel) -> None:
    assert told(read_sbml(write_sbml(model), file="m.xml")) == EXPECTED
    assert told(read_antimony(write_antimony(model), file="m.ant")) == EXPECTED
    assert document.from_document(document.to_document(model)).annotations == model.annotations


def test_what_is_written_is_valid_for_libsbml(model: OdeModel) -> None:
    raw = libsbml.readSBMLFromString(write_sbml(model))
    raw.checkConsistency()
    noted = [raw.getError(k) for k in range(raw.getNumErrors())]
    assert [one.getMessage() for one in noted if one.getSeverity() >= libsbml.LIBSBML_SEV_ERROR] == []
    assert raw.getModel().getParameter("x").getCVTerm(0).getResourceURI(0) == OSTEOBLAST


@pytest.mark.parametrize("qualifier", ANTIMONY)
def test_every_qualifier_that_antimony_knows_comes_back(qualifier: str, model: OdeModel) -> None:
    symbol = "" if qualifier.startswith("bqmodel") else "x"
    one = Annotation(symbol, "", ((qualifier, PAPER),))
    assert told(read_antimony(write_antimony(model.with_(annotations=(one,))), file="m.ant")) == {symbol: one}


def test_a_joined_model_says_what_its_cells_are() -> None:
    said = told(flat_model("scenarios/ovx_m2.yaml"))
    assert ("bqbiol:is", OSTEOBLAST) in said["core__OBa"].resources
