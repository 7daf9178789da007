"""Units and quantities: what is read, what it measures, how it converts, and what is refused."""

from fractions import Fraction

import pytest

from bonesim.errors import InputError
from bonesim.units import SYMBOLS, Quantity, SbmlFactor, Unit, describe, known_symbols


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("pM/day", {"pM": 1, "day": -1}),
        ("1/(pM*day)", {"pM": -1, "day": -1}),
        ("ug/kg", {"ug": 1, "kg": -1}),
        ("particles/kg", {"particle": 1, "kg": -1}),
        ("items", {"particle": 1}),
        ("cells/mL", {"cell": 1, "mL": -1}),
        ("1/day^2", {"day": -2}),
        ("day^-0.5", {"day": Fraction(-1, 2)}),
        (" pM / day ", {"pM": 1, "day": -1}),
        ("ug/kg*day", {"ug": 1, "kg": -1, "day": 1}),
        ("1/(1/day)", {"day": 1}),
        ("(ug/kg)^2", {"ug": 2, "kg": -2}),
        ("day*day", {"day": 2}),
        ("percent", {"%": 1}),
        ("dimensionless", {}),
        ("1", {}),
        ("pM/minute", {"pM": 1, "min": -1}),
        ("hour", {"h": 1}),
        ("second", {"s": 1}),
    ],
)
def test_unit_is_read(text, factors):
    assert dict(Unit.parse(text).factors) == factors


def test_factors_are_not_cancelled():
    assert Unit.parse("ug/ug").factors == (("ug", 1), ("ug", -1))


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("week", "day", 7.0),
        ("month", "day", 30.4375),
        ("year", "day", 365.25),
        ("year", "month", 12.0),
        ("h", "min", 60.0),
        ("pM", "nmol/L", 1e-3),
        ("mM", "mol/m^3", 1.0),
        ("1/h", "1/day", 24.0),
        ("mL", "cm^3", 1.0),
        ("ug/kg", "dimensionless", 1e-9),
        ("%", "1", 0.01),
        ("kg^0.5", "g^0.5", 1000**0.5),
    ],
)
def test_conversion(one, other, factor):
    assert Unit.parse(one).conversion_to(other) == pytest.approx(factor, rel=4e-16)


def test_conversion_between_particles_and_mass_is_refused():
    with pytest.raises(InputError) as refused:
        Unit.parse("ug").conversion_to("particles")
    assert str(refused.value) == "'ug' does not convert to 'particles': a mass is not a count of particles"


def test_cells_are_no_particles():
    assert not Unit.parse("cells").same_dimension(Unit.parse("particles"))
    assert Unit.parse("item").same_dimension(Unit.parse("particles"))


def test_kind_tells_what_dimension_cancels():
    per_mass, plain = Unit.parse("ug/kg"), Unit.parse("dimensionless")
    assert per_mass.same_dimension(plain)
    assert per_mass.kind != plain.kind
    assert per_mass.kind == Unit.parse("mg/g").kind
    assert Unit.parse("%").kind == plain.kind


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("day", "a time"),
        ("ug/kg", "a mass per mass"),
        ("pM", "an amount of substance per volume"),
        ("1/day", "a number per time"),
        ("cm^2", "an area"),
        ("day^2", "a time^2"),
        ("%", "a plain number"),
    ],
)
def test_kind_in_words(unit, words):
    assert describe(Unit.parse(unit).kind) == words


@pytest.mark.parametrize(
    ("unit", "rows"),
    [
        ("day", [SbmlFactor("second", 1.0, 0, 86400.0)]),
        ("pM", [SbmlFactor("mole", 1.0, -12, 1.0), SbmlFactor("litre", -1.0, 0, 1.0)]),
        ("1/(mM*s)", [SbmlFactor("mole", -1.0, -3), SbmlFactor("litre", 1.0), SbmlFactor("second", -1.0)]),
        ("cells", [SbmlFactor("item")]),
        ("1", [SbmlFactor("dimensionless")]),
    ],
)
def test_sbml_factors(unit, rows):
    assert Unit.parse(unit).sbml_factors() == rows


@pytest.mark.parametrize("symbol", known_symbols())
def test_sbml_factors_have_the_scale_of_the_unit(symbol):
    kinds = {"gram": 1e-3, "litre": 1e-3}
    unit = Unit.parse(symbol)
    size = 1.0
    for row in unit.sbml_factors():
        size *= (row.multiplier * 10.0**row.scale * kinds.get(row.kind, 1.0)) ** row.exponent
    assert unit.scale == pytest.approx(size, rel=1e-15)


def test_no_symbol_is_a_prefix_trap():
    assert {"m", "M", "min", "month", "mM", "mm", "mol", "mmol"} <= set(SYMBOLS)
    assert Unit.parse("mM").dimension != Unit.parse("mm").dimension


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("100 ug", 100.0, "ug"),
        ("1e10 particles/kg", 1e10, "particles/kg"),
        ("-3 day", -3.0, "day"),
        ("+.5 day", 0.5, "day"),
        ("12week", 12.0, "week"),
        ("5 1/day", 5.0, "1/day"),
        ("50%", 50.0, "%"),
    ],
)
def test_quantity_is_read(text, value, unit):
    quantity = Quantity.parse(text)
    assert (quantity.value, quantity.unit.text, str(quantity)) == (value, unit, text)


def test_quantity_is_converted_with_one_rounding():
    assert Quantity.parse("49 day").to("week") == 7.0
    assert Quantity.parse("3 month").to("day") == 91.3125


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100", "'100' has no unit\n  try: write a unit, e.g. '100 ug'"),
        ("", "'' has no number in front of its unit\n  try: a number and a unit, e.g. '100 ug'"),
        ("ug", "'ug' has no number in front of its unit\n  try: a number and a unit, e.g. '100 ug'"),
        ("1/day", "'1/day' has no number in front of its unit\n  try: a number and a unit, e.g. '1 1/day'"),
        ("inf ug", "'inf ug' is not finite\n  try: a finite number, e.g. '100 ug'"),
        ("-.Inf ug", "'-.Inf ug' is not finite\n  try: a finite number, e.g. '100 ug'"),
        ("nan ug", "'nan ug' is not finite\n  try: a finite number, e.g. '100 ug'"),
        ("1e999 ug", "'1e999 ug' is not finite\n  try: a finite number, e.g. '100 ug'"),
        (
            "1,000 ug",
            "'1,000 ug' has a malformed number '1,000'\n  try: digits with a decimal point, e.g. '0.5 ug' or '1e3 ug'",
        ),
        (
            "1.2.3 ug",
            "'1.2.3 ug' has a malformed number '1.2.3'\n  try: digits with a decimal point, e.g. '0.5 ug' or '1e3 ug'",
        ),
        ("3 days", "unknown unit 'days'\n  try: did you mean 'day'?"),
        ("3 minutes", "unknown unit 'minutes'\n  try: did you mean 'minute'?"),
        ("3 \u00b5g", "unknown unit '\u00b5g'\n  try: did you mean 'ug'?"),
        (
            "3 quux",
            "unknown unit 'quux'\n  try: one of s, min, h, day, week, month, year, kg, g, mg, ug, ng, ... (47 in all)",
        ),
    ],
)
def test_bad_quantity_is_refused(text, message):
    with pytest.raises(InputError) as refused:
        Quantity.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it ends too early"),
        ("ug/", "it ends too early"),
        ("(ug", "a parenthesis is not closed"),
        ("ug)", "unexpected ')'"),
        ("ug day", "unexpected 'day'"),
        ("m2", "unexpected '2'"),
        ("ug**2", "unexpected '*'"),
        ("2*day", "unexpected '2'"),
        ("ug.day", "unexpected '.day'"),
        ("day^x", "unexpected 'x'"),
    ],
)
def test_unit_that_is_no_product_is_refused(text, problem):
    with pytest.raises(InputError) as refused:
        Unit.parse(text)
    remedy = "a product of units, e.g. 'pM/day' or '1/(pM*day)'"
    assert str(refused.value) == f"unit '{text}' cannot be read: {problem}\n  try: {remedy}"


@pytest.mark.parametrize("text", ["day^0", "day^21", "((day^20)^20)^20", "day^-400"])
def test_absurd_powers_are_refused(text):
    with pytest.raises(InputError, match=r"is out of range\n  try: a power other than 0, at most 20$"):
        Unit.parse(text)


def test_sizes_beyond_floating_point_are_refused():
    with pytest.raises(InputError) as refused:
        Unit.parse("year^20*year^20*month^20")
    assert str(refused.value) == (
        "unit 'year^20*year^20*month^20' is beyond the range of numbers\n  try: use smaller powers"
    )
    with pytest.raises(InputError) as refused:
        Quantity.parse("1e308 kg").to("pg")
    assert str(refused.value) == "'1e308 kg' is beyond the range of numbers in 'pg'"


def test_deep_parentheses_are_refused_before_they_are_read():
    with pytest.raises(InputError, match="is too long"):
        Unit.parse("(" * 5000 + "day" + ")" * 5000)
