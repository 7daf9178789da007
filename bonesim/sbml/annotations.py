"""What symbols are in the words of others: SBO terms and MIRIAM resources, read, kept and written.

A resource says by a qualifier how the symbol relates to it: `bqbiol:is` a URI, `bqmodel:isDescribedBy` a paper
(SBML Level 3 Version 2 Core, section 6; BioModels.net qualifiers). In the flat model all symbols are parameters; so the
SBO term of what was none, a species or a reaction, is kept as a resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import quoteattr

from bonesim.model.ode import Annotation
from bonesim.sbml.document import Document, Element, each

SBO = "https://identifiers.org/"
"""In front of an SBO term where it is a resource."""

_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "bqbiol": "http://biomodels.net/biology-qualifiers/",
    "bqmodel": "http://biomodels.net/model-qualifiers/",
}
ANTIMONY: Mapping[str, str] = {
    "bqbiol:is": "identity",
    "bqbiol:hasPart": "part",
    "bqbiol:isPartOf": "parthood",
    "bqbiol:isVersionOf": "hypernym",
    "bqbiol:hasVersion": "version",
    "bqbiol:isHomologTo": "homolog",
    "bqbiol:isDescribedBy": "description",
    "bqbiol:isEncodedBy": "encoder",
    "bqbiol:encodes": "encodement",
    "bqbiol:occursIn": "container",
    "bqbiol:hasProperty": "property",
    "bqbiol:isPropertyOf": "propertyBearer",
    "bqbiol:hasTaxon": "taxon",
    "bqmodel:is": "model_entity_is",
    "bqmodel:isDescribedBy": "publication",
    "bqmodel:isDerivedFrom": "origin",
}
"""Qualifier -> the word that Antimony has for it."""


def read_annotations(document: Document) -> tuple[Annotation, ...]:
    """Those of the model, under the id "", and of its compartments, species, parameters and reactions."""
    model = document.model
    lists = (
        model.getListOfCompartments(),
        model.getListOfSpecies(),
        model.getListOfParameters(),
        model.getListOfReactions(),
    )
    elements = [("", model), *((element.getId(), element) for items in lists for element in each(items))]
    found = (_read(symbol, element) for symbol, element in elements)
    return tuple(one for one in found if one.sbo or one.resources)


def _read(symbol: str, element: Element) -> Annotation:
    import libsbml

    sbo, resources = str(element.getSBOTermID()), list(_resources(element))
    if sbo and element.getTypeCode() not in {libsbml.SBML_PARAMETER, libsbml.SBML_MODEL}:
        return Annotation(symbol, "", (("bqbiol:is", f"{SBO}{sbo}"), *resources))
    return Annotation(symbol, sbo, tuple(resources))


def _resources(element: Element) -> Iterator[tuple[str, str]]:
    import libsbml

    for place in range(element.getNumCVTerms()):
        term = element.getCVTerm(place)
        if term.getQualifierType() == libsbml.MODEL_QUALIFIER:
            name = libsbml.ModelQualifierType_toString(term.getModelQualifierType())
            qualifier = f"bqmodel:{name}"
        else:
            name = libsbml.BiolQualifierType_toString(term.getBiologicalQualifierType())
            qualifier = f"bqbiol:{name}"
        for number in range(term.getNumResources()) if name else ():
            yield qualifier, str(term.getResourceURI(number))


def meta_id(symbol: str) -> str:
    """The metaid by which an annotation names its element; that of the model has a name that no symbol can have."""
    return f"meta-{symbol or 'model'}"


def annotation_element(annotation: Annotation) -> list[str]:
    """The lines of `<annotation>`; none where there are no resources."""
    if not annotation.resources:
        return []
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    lines = ["<annotation>", f"  <rdf:RDF {spaces}>"]
    lines.append(f'    <rdf:Description rdf:about="#{meta_id(annotation.id)}">')
    for qualifier, resource in annotation.resources:
        lines += [
            f"      <{qualifier}>",
            f"        <rdf:Bag><rdf:li rdf:resource={quoteattr(resource)}/></rdf:Bag>",
            f"      </{qualifier}>",
        ]
    return [*lines, "    </rdf:Description>", "  </rdf:RDF>", "</annotation>"]
