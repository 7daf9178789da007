"""Cards: what a port may say, which activities it takes, and that it names only what the module has."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bonesim.catalog import load_catalog
from bonesim.catalog.schema import ModuleParameter
from bonesim.compose.card import Card, Port, load_card
from bonesim.compose.module import load_module
from bonesim.errors import InputError
from bonesim.resources import model_ids
from bonesim.sbml.library import read_library_model
from bonesim.units import Quantity, Unit
from bonesim.yamlio import read, validate

CARD = """\
id: gland
kind: tissue
title: A gland
reference: {text: made up for a test}
time_unit: day
about: Nothing.
symbols:
  rate: {label: rate, unit: 1/day, basis: assumed}
  hormone: {label: hormone, unit: pM, basis: computed}
ports:
  - {name: secretion, direction: in, multiplies: [rate]}
published:
  - {quantity: rest, symbol: hormone, at: steady_state, value: 1, tolerance: 1.0e-6, source: closed form}
"""


def card_from(text: str, folder: Path) -> Card:
    """A card from its text; the file is `gland.yaml`."""
    file = folder / "gland.yaml"
    file.write_text(text, encoding="ascii")
    return validate(read(file), Card)


@pytest.mark.parametrize("model_id", model_ids())
def test_every_module_of_the_library_has_a_card_whose_symbols_are_those_of_its_file(model_id: str) -> None:
    card, model = load_card(model_id), load_module(model_id, "part").model
    assert card.id == model_id
    assert set(card.symbols) == set(model.by_id)


@pytest.mark.parametrize(
    ("cell", "process", "taken"),
    [
        ("BMSC", "apoptosis", False),
        ("osteoclast", "apoptosis", True),
        ("osteoclast", "resorption_activity", False),
    ],
)
def test_a_port_with_a_cell_in_front_takes_that_cell_only(cell: str, process: str, taken: bool) -> None:
    port = Port(name="osteoclast.apoptosis", direction="in", multiplies=("rate",))
    assert port.takes(cell, process) is taken


@pytest.mark.parametrize(("cells", "taken"), [((), True), (("BMSC", "MSC"), True), (("MSC",), False)])
def test_a_port_with_a_plain_name_takes_any_cell_or_those_it_lists(cells: tuple[str, ...], taken: bool) -> None:
    port = Port(name="proliferation", direction="in", divides=("rate",), cells=cells)
    assert port.takes("BMSC", "proliferation") is taken


def test_only_ports_that_multiply_or_divide_take_processes() -> None:
    assert not Port(name="apoptosis", direction="in", replaces="rate").takes("BMSC", "apoptosis")
    assert not Port(name="apoptosis", direction="out", symbol="rate").takes("BMSC", "apoptosis")


@pytest.mark.parametrize(
    "fields",
    [
        {"direction": "in"},
        {"direction": "out"},
        {"direction": "in", "symbol": "rate"},
        {"direction": "out", "jumps": "rate"},
        {"direction": "in", "multiplies": ["rate"], "replaces": "rate"},
        {"direction": "in", "jumps": "rate", "sets": "rate"},
        {"direction": "out", "symbol": "rate", "sum": ["rate"]},
    ],
)
def test_a_port_says_one_thing_that_fits_its_direction(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="port 'p' must say one thing that fits its direction"):
        Port.model_validate({"name": "p", **fields})


def test_a_port_may_multiply_some_parameters_and_divide_others() -> None:
    port = Port(name="p", direction="in", multiplies=("a",), divides=("b",))
    assert port.takes("BMSC", "p")


def test_symbols_that_a_card_names_and_the_module_lacks_are_told_together(tmp_path: Path) -> None:
    text = CARD.replace("multiplies: [rate]", "multiplies: [rates]").replace("symbol: hormone", "symbol: hormon")
    with pytest.raises(InputError) as caught:
        card_from(text, tmp_path)
    file = tmp_path / "gland.yaml"
    assert str(caught.value) == (
        f"{file}:11: ports[0].multiplies[0]: unknown symbol 'rates'\n  try: did you mean 'rate'?\n"
        f"{file}:13: published[0].symbol: unknown symbol 'hormon'\n  try: did you mean 'hormone'?"
    )


def test_a_switch_sets_symbols_of_the_module(tmp_path: Path) -> None:
    switches = "switches: [{at: 0, set: {rate: 1}}, {at: 2, set: {rates: 0}}], source"
    with pytest.raises(InputError) as caught:
        card_from(CARD.replace("source: closed", f"{switches}: closed"), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'gland.yaml'}:13: published[0].switches[1].set.rates: unknown symbol 'rates'\n"
        "  try: did you mean 'rate'?"
    )


def test_doses_of_a_published_value_go_through_a_port_that_jumps(tmp_path: Path) -> None:
    doses = "doses: {port: secretion, amount: 1, every: 1, count: 1}, source"
    with pytest.raises(InputError) as caught:
        card_from(CARD.replace("source: closed", f"{doses}: closed"), tmp_path)
    file = tmp_path / "gland.yaml"
    assert str(caught.value).startswith(f"{file}:13: published[0].doses.port: no port 'secretion' that jumps")


def test_a_published_value_has_one_regimen_or_several(tmp_path: Path) -> None:
    port = "  - {name: shot, direction: in, jumps: hormone}\n"
    one = "{port: shot, amount: 1, every: 1, count: 1}"
    for text, wanted in (
        ("", []),
        (f"doses: {one}, ", [0.0]),
        (f"doses: [{one}, {one[:-1]}, first: 5}}], ", [0.0, 5.0]),
    ):
        given = CARD.replace("published:", f"{port}published:").replace("source: closed", f"{text}source: closed")
        (row,) = card_from(given, tmp_path).published
        assert [doses.first for doses in row.doses] == wanted


def test_of_several_regimens_the_wrong_one_is_named(tmp_path: Path) -> None:
    doses = "doses: [{port: shot, amount: 1, every: 1, count: 1}, {port: shut, amount: 1, every: 1, count: 1}], source"
    text = CARD.replace("published:", "  - {name: shot, direction: in, jumps: hormone}\npublished:")
    with pytest.raises(InputError, match=r"published\[0\].doses\[1\].port: no port 'shut' that jumps"):
        card_from(text.replace("source: closed", f"{doses}: closed"), tmp_path)


def test_an_unknown_key_of_a_card_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        card_from(CARD.replace("multiplies:", "multiplys:"), tmp_path)
    file = tmp_path / "gland.yaml"
    assert str(caught.value).startswith(
        f"{file}:11: ports[0].multiplys: unknown key\n  try: did you mean 'multiplies'?"
    )


def test_a_card_gives_its_ports_by_name(tmp_path: Path) -> None:
    card = card_from(CARD, tmp_path)
    assert card.port("secretion").multiplies == ("rate",)
    with pytest.raises(InputError) as caught:
        card.port("dose")
    assert str(caught.value) == "module 'gland' has no port 'dose'\n  try: one of secretion"


def test_values_of_a_module_are_converted_to_the_units_of_its_file() -> None:
    module = load_module("site_depot", "depot").with_values({"t_half_depot": Quantity.parse("12 h")})
    value = {parameter.id: parameter.value for parameter in module.model.parameters}["t_half_depot"]
    assert value == 0.5


def test_values_for_unknown_parameters_are_told_together() -> None:
    values = {"t_half_depo": Quantity.parse("12 h"), "share_sites": Quantity.parse("0.5 dimensionless")}
    with pytest.raises(InputError) as caught:
        load_module("site_depot", "depot").with_values(values)
    assert str(caught.value) == (
        "t_half_depo: site_depot has no parameter 't_half_depo'\n  try: did you mean 't_half_depot'?\n"
        "share_sites: site_depot has no parameter 'share_sites'\n  try: did you mean 'share_site'?"
    )


@pytest.mark.parametrize("number", load_catalog().species["rat"].parameters, ids=lambda n: f"{n.module}.{n.symbol}")
def test_what_a_species_gives_has_one_range_and_one_source(number: ModuleParameter) -> None:
    """The card's default is the rat's: class, range and source are those of the catalogue, in the card's unit."""
    note = load_card(number.module).symbols[number.symbol]
    factor = Unit.parse(number.unit).conversion_to(Unit.parse(note.unit))
    assert (note.basis, note.source) == (number.basis, number.source or "none found")
    assert (note.low, note.high) == pytest.approx((number.low * factor, number.high * factor), rel=1e-3)
    default = next(one for one in read_library_model(number.module).parameters if one.id == number.symbol)
    assert default.value == pytest.approx(number.value * factor, rel=1e-12)
