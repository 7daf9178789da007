"""What each file of the catalogue may say, as frozen values.

The schema holds shapes and types; what needs a second file, or two fields together, is held by `bonesim.catalog.check`,
which knows the line of everything.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bonesim.units import Quantity, Unit
from bonesim.yamlio import QuantityField

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Ascii = Annotated[str, StringConstraints(pattern=r"^[ -~]+$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Age = Annotated[Quantity, QuantityField("week", above=0)]
ReferenceId = int | Id
Texts = tuple[str, ...]
ReferenceIds = tuple[ReferenceId, ...]


class Block(BaseModel):
    """A mapping of a catalogue file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(Block):
    """A value with its range, its class and where it comes from."""

    value: Finite
    unit: str = "dimensionless"
    low: Finite
    high: Finite
    basis: Literal["measured", "fitted", "assumed"]
    source: str = Field(default="", description="Paper and DOI; needed unless the number is assumed.")
    why: str = Field(default="", description="Reason for the value or its range; needed if the number is assumed.")
    prior: str | None = Field(default=None, description="Name under priors, where the number was taken from there.")

    @property
    def quantity(self) -> Quantity:
        """The value with its unit."""
        return Quantity(self.value, Unit.parse(self.unit), f"{self.value!r} {self.unit}")


class Reference(Block):
    """One paper, or the number of one that could not be identified."""

    id: ReferenceId
    authors: str = ""
    year: int | None = None
    title: str = ""
    journal: str = ""
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    confidence: Literal["certain", "likely", "possible"] | None = None
    unresolved: str = Field(default="", description="What is missing, where neither DOI nor PubMed number is known.")


class Cargo(Block):
    """One molecule that the vesicles carry."""

    name: Ascii
    kind: str
    aliases: tuple[Ascii, ...] = ()
    refs: ReferenceIds
    copies_per_vesicle: Number | None = None
    port: Id | None = Field(
        default=None,
        description="Port of a module that takes it outside cells, by its number of molecules; no edge then acts.",
    )
    note: str = ""


class ChainNode(Block):
    """One molecule or pathway between cargo and process, and how the cargo moves it."""

    node: Ascii
    aliases: tuple[Ascii, ...] = ()
    direction: Literal["up", "down"]

    @property
    def sign(self) -> int:
        """+1 where the cargo raises the node, -1 where it lowers it."""
        return 1 if self.direction == "up" else -1


class Conditions(Block):
    """What must hold, beside the context, for an edge to act."""

    carrier: str | None = Field(default=None, description="Acts only if the vesicles are given with this carrier.")


class Edge(Block):
    """A cargo changes a process of a cell through a chain of nodes.

    `strength` is the log2 change of the odds of the process when the cargo saturates, without its sign; the sign is
    `effect`. `cargo` is null where the review names none.
    """

    id: Id
    cargo: str | None
    chain: tuple[ChainNode, ...]
    cell_target: str
    process: str
    effect: Literal[1, -1]
    context: str | None
    conditions: Conditions = Conditions(carrier=None)
    evidence: str
    mechanism: Literal["stated", "unknown"]
    refs: Annotated[ReferenceIds, Field(min_length=1)]
    strength: Number
    note: str = ""

    @property
    def link_sign(self) -> int:
        """Sign of the last link, from the last node to the process: effect times the sign of that node.

        A cargo that lowers BCL2 and raises apoptosis has the link BCL2 -| apoptosis, -1.
        """
        return self.effect * self.chain[-1].sign if self.chain else self.effect

    @property
    def port(self) -> str:
        """`cell_target.process`, the name by which models take the edge's process."""
        return f"{self.cell_target}.{self.process}"


class Lot(Block):
    """How a preparation's amounts convert, and how far one batch is like another."""

    particles_per_ug: Number
    particles_per_cell: Number | None = Field(default=None, description="Vesicles that a parent cell gave.")
    purity: Number | None = Field(default=None, description="Share of counted particles that are vesicles.")
    spread: Number | None = Field(
        default=None,
        description="Vesicles in a counted dose over those that were counted; the prior `lot_spread` where left out.",
    )

    @property
    def per_ug(self) -> float:
        """Particles per microgram of protein, whatever unit the entry uses."""
        return self.particles_per_ug.quantity.to("particle/ug")

    @property
    def per_cell(self) -> float | None:
        """Particles per parent cell, where that is known."""
        return self.particles_per_cell.quantity.to("particle/cell") if self.particles_per_cell else None


class Source(Block):
    """Vesicles of one kind of parent cell in one state: what they carry and what that does."""

    id: Id
    label: str
    category: str
    parent_state: str
    aliases: tuple[Ascii, ...] = ()
    effect_stated: bool
    direction_stated: bool
    refs: ReferenceIds = ()
    cargo: tuple[Cargo, ...]
    edges: tuple[Edge, ...]
    tropism: dict[Id, Number] = Field(default={}, description="Affinity of cells over that of the usual cell.")
    lot: Lot
    notes: Texts = ()
    open_questions: Texts = ()
    references: tuple[Reference, ...] = Field(default=(), description="Papers that only this file uses.")


class FactorEdge(Block):
    """A mediator multiplies the drive of a cell process by level^gain."""

    id: Id
    cell_target: str
    process: str
    gain: Number
    refs: Annotated[ReferenceIds, Field(min_length=1)]
    note: str = ""


class Factor(Block):
    """A mediator by its level.

    Edges ask for a level that is 1 in health. A mediator that is 0 there has none; it fills the in-port of its name.
    """

    id: Id
    label: str
    unit: str = Field(description="What the level counts in, such as 'relative to health'.")
    healthy: Literal[0, 1]
    about: str
    edges: tuple[FactorEdge, ...]
    limits: Texts = ()


class Cause(Block):
    """A mediator goes from its healthy level to `level`, halfway after each `half_time`, and back after `lasts`."""

    factor: str
    level: Number
    half_time: Number
    lasts: Number | None = Field(default=None, description="From the begin on; for as long as the run if left out.")


class Injury(Block):
    """What happens to a module at once when the context begins: `amount` at one of its ports.

    It is added to the state behind a port that `jumps`, and put in the place of the parameter of one that `sets`.
    """

    module: Id
    port: Id
    amount: Number | Finite = Field(description="A plain number where it is exact, by what the port means.")


class Validation(Block):
    """A published observation of the untreated course; a number where there is one, else a statement."""

    quantity: Id
    statement: str
    value: Finite | None = None
    unit: str = ""
    low: Finite | None = None
    high: Finite | None = None
    at: str
    use: Literal["fitted", "check"]
    source: str
    note: str = ""


class FreeParameter(Block):
    """A number that was adjusted, and to how many data."""

    parameter: str
    fitted_to: str
    data_points: int


Amount = Annotated[Quantity, QuantityField("ug", "particles", "ug/kg", "particles/kg", above=0)]
Span = Annotated[Quantity, QuantityField("day", above=0)]


class Protocol(Block):
    """How a source is given when it is profiled: `count` doses from `start` on, watched for `horizon`."""

    species: str = "rat"
    amount: Amount = Quantity.parse("100 ug")
    route: Id = "local"
    start: Annotated[Quantity, QuantityField("day", at_least=0)] = Quantity.parse("0 day")
    every: Span | None = None
    count: Annotated[int, Field(ge=1)] = 1
    horizon: Span = Quantity.parse("28 day")


class Context(Block):
    """A disease or setting by its causes."""

    id: Id
    label: str
    kind: str
    start: Literal["healthy_steady_state"]
    about: str
    species: Texts = Field(default=(), description="Whom it holds for; all species where it is left out.")
    sex: Literal["female", "male"] | None = Field(default=None, description="Whom it holds for; both if left out.")
    causes: tuple[Cause, ...]
    injuries: tuple[Injury, ...] = ()
    modules: tuple[Id, ...] = Field(
        default=(), description="Of the library; they join each scenario with this context."
    )
    validation: tuple[Validation, ...] = ()
    free_parameters: tuple[FreeParameter, ...] = ()
    protocol: Protocol | None = Field(
        default=None, description="How sources are profiled in it; the usual way if none."
    )
    limits: Texts = ()


class AnimalNumber(Number):
    """A number of the default animal: a count of cells, or a volume."""

    scales_with: Literal["mass"] | None = None


class ModuleParameter(Number):
    """The value that a species gives to a parameter of a module."""

    module: Id
    symbol: Id


class Defaults(Block):
    """What a scenario need not say of its subject."""

    mass: Number
    age: Number


class AgeRange(Block):
    """The ages for which a scenario may ask."""

    low: Age
    high: Age
    basis: Literal["measured", "assumed"]
    source: str = Field(default="", description="Paper and DOI; needed unless the range is assumed.")
    why: str = Field(default="", description="Reason for the range; needed if it is assumed.")


class Species(Block):
    """Body, cells and kinetics of one species."""

    id: Id
    label: str
    about: str
    defaults: Defaults
    ages: AgeRange | None = Field(default=None, description="Any age where it is left out.")
    cells: dict[Id, AnimalNumber]
    volumes: dict[Id, AnimalNumber] = {}
    parameters: tuple[ModuleParameter, ...]
    limits: Texts = ()

    def of_module(self, module: str) -> dict[str, ModuleParameter]:
        """The parameters of one module, by symbol."""
        return {parameter.symbol: parameter for parameter in self.parameters if parameter.module == module}


SiteName = Literal["blood", "bone", "joint", "disc", "none"]


class Route(Block):
    """A way of giving a dose, the module that carries it, and the tissue in which it is given."""

    id: Id
    label: str
    module: Id | None = Field(description="Of kinetics; null where vesicles cannot be given so.")
    site: SiteName = Field(description="Tissue whose cells are reached at the site itself.")
    about: str
    secreted: bool = Field(default=False, description="The body itself secretes it: an amount a day, over a time.")
    refused: str = Field(default="", description="Why vesicles cannot be given so.")
    parameters: dict[Id, Number] = Field(default={}, description="Values of the module's parameters at this site.")


class Release(Block):
    """How a carrier lets vesicles go: a burst at once, the rest by half-lives or evenly over a time."""

    form: Literal["first_order", "even"]
    burst: Number
    half_life: Number | None = None
    duration: Number | None = None


class Carrier(Block):
    """What holds vesicles at a site, or changes where they go, as far as it changes kinetics."""

    id: Id
    label: str
    kind: Literal["hydrogel", "scaffold", "biomaterial", "functionalisation", "engineering"]
    about: str
    release: Release | None = Field(default=None, description="Of what holds vesicles; none if the vesicle is changed.")
    retention: Number | None = Field(default=None, description="Factor on the half-life of free vesicles at the site.")
    targeting: Number | None = Field(default=None, description="Factor on the odds of the share that enters bone.")
    limits: Texts = ()


class Process(Block):
    """A process of a cell, or an outcome of tissue that is computed and no edge may end in."""

    about: str
    computed: bool = False


class ContextName(Block):
    """A context that entries may name before it has a file."""

    label: str
    kind: str


class Site(Block):
    """A tissue apart from bone: cells that live there alone, and contexts that are told there."""

    about: str
    cells: tuple[Id, ...]
    contexts: tuple[Id, ...]


class Vocabulary(Block):
    """The identifiers that entries may use."""

    processes: dict[Id, Process]
    cell_targets: dict[Id, str]
    lineages: dict[Id, tuple[Id, ...]] = Field(
        default={}, description="Cell targets that are one pool of cells under several names."
    )
    categories: dict[Id, str]
    cargo_kinds: tuple[Id, ...]
    evidence: dict[Id, str]
    routes: dict[Id, str]
    sites: dict[Id, Site]
    carriers: dict[Id, str]
    contexts: dict[Id, ContextName]
    nodes: dict[Ascii, tuple[Ascii, ...]] = Field(description="Spelling of molecules, with the aliases of each.")

    def site_of(self, cell: str, context: str | None = None) -> str:
        """Where a cell is reached: its own site, else that of the context, else bone."""
        sites = [*(name for name, site in self.sites.items() if cell in site.cells)]
        sites += [name for name, site in self.sites.items() if context in site.contexts]
        return sites[0] if sites else "bone"

    def lineage(self, cell: str) -> str:
        """The pool that a cell target belongs to; one in none is a pool of its own."""
        return next((name for name, cells in self.lineages.items() if cell in cells), cell)


class PriorsFile(Block):
    """`priors.yaml`: numbers by class, used by name."""

    priors: dict[Id, Number]


class ReferencesFile(Block):
    """`references.yaml`: papers shared by all entries."""

    references: tuple[Reference, ...]
