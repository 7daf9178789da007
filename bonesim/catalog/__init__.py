"""What is known: vesicle sources, contexts, mediators, species, routes, carriers, and where each number comes from.

An entry is evidence first and numbers second. Each file holds one source, context, factor, species, route or carrier
and is read once, checked against the schema, then against everything else (`check`), and kept until a file changes.

Choices a newcomer may question:

- Edges end in processes of cells. Outcomes of tissue (`computed: true` in `vocabulary.yaml`) are worked out by the
  model; a catalogue that wrote them down would contain the answer.
- The strength of an edge is a named prior of its class (`data/priors.yaml`), the same for every source, because no
  fold change against vehicle was found for any of them. A number of its own is allowed where one is published.
- Processes, cells, carriers and evidence grades are a closed vocabulary, since models are joined by them; molecules are
  open, so that a new source is one new file. Only the spelling of known molecules is held.
- A context sets causes (a level of a mediator), never results; what follows from them is held against `validation`.

>>> from bonesim.catalog import load_catalog
>>> [edge.id for edge in load_catalog().sources["macrophage_m1"].edges if edge.cargo == "miR-222"]
['m1_mir222_bcl2_apoptosis']
"""

from __future__ import annotations

from bonesim.catalog.document import carrier_to_json, context_to_json, source_to_json
from bonesim.catalog.load import Catalog, load_catalog
from bonesim.catalog.schema import Carrier, Context, Edge, Factor, Number, Reference, Route, Source, Species

__all__ = [
    "Carrier",
    "Catalog",
    "Context",
    "Edge",
    "Factor",
    "Number",
    "Reference",
    "Route",
    "Source",
    "Species",
    "carrier_to_json",
    "context_to_json",
    "load_catalog",
    "source_to_json",
]
