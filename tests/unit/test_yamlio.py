"""YAML as bonesim reads it, and what a schema says of it."""

import math
import os
import time
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bonesim.errors import InputError, Place
from bonesim.units import Quantity
from bonesim.yamlio import QuantityField, compose, quantity, read, read_text, validate

DATA = Path(__file__).parents[1] / "data"


def refusal(call, *arguments):
    with pytest.raises(InputError) as refused:
        call(*arguments)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-12", -12),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1e9", 1e9),
        ("1.", 1.0),
        ("-.5", -0.5),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("12:30:00", "12:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("nan", "nan"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!float 12", 12.0),
        ("! 12", "12"),
        (">-\n  12", "12"),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    read_value = read_text(f"a: {text}\n").data["a"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_nan_is_a_number():
    assert math.isnan(read_text("a: .nan").data["a"])


def test_places_are_lines_of_keys_and_items():
    document = read_text("a: 1\ndoses:\n  - amount: 1 ug\n    with.dot: 2\n  -\n    amount:\n      3 ug\n", "s.yaml")
    assert {path: place.line for path, place in document.places.items()} == {
        (): 1,
        ("a",): 1,
        ("doses",): 2,
        ("doses", 0): 3,
        ("doses", 0, "amount"): 3,
        ("doses", 0, "with.dot"): 4,
        ("doses", 1): 6,
        ("doses", 1, "amount"): 6,
    }
    assert str(document.place(("doses", 0, "with.dot"))) == 's.yaml:4: doses[0]."with.dot"'
    assert str(document.place(("doses", 1, "start", "x"))) == "s.yaml:6: doses[1].start.x"
    assert str(document.place(())) == "s.yaml:1"


def test_an_alias_is_a_copy_with_the_places_of_its_definition():
    document = read_text("a: &x\n  b: {c: 1}\nd: *x\n")
    assert document.data == {"a": {"b": {"c": 1}}, "d": {"b": {"c": 1}}}
    assert document.data["a"]["b"] is not document.data["d"]["b"]
    assert document.place(("d",)).line == 3
    assert document.place(("d", "b", "c")).line == 2


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    document = read(tmp_path / "a.yaml")
    assert document.data == {"a": 1, "b": 2}
    assert document.place(("b",)).line == 2


REFUSED = {
    "yaml_duplicate_key": (":7: doses[0].amount: duplicate key, first given on line 5\n  try: keep one of the two"),
    "yaml_bomb": (":6: f[0]: more than 200000 entries once aliases are written out\n  try: fewer aliases of aliases"),
    "yaml_too_deep": ":1: nested deeper than 60 levels\n  try: a flatter file",
    "yaml_empty": ": the file is empty\n  try: write at least one 'key: value'",
    "yaml_two_documents": (":2: a second document begins here\n  try: one document a file; delete the line '---'"),
    "yaml_merge_key": (
        ":3: dose: merge keys are not read\n  try: write the keys out, or name the whole block with an alias"
    ),
    "yaml_tag": ":2: title: tag '!!python/object/apply:os.getcwd' is not read\n  try: leave the tag out",
    "yaml_key_not_text": ":2: arms: key '1' is no text\n  try: put it in quotes: \"1\"",
    "yaml_alias_of_itself": ":2: a.b: alias '*a' stands inside what it names\n  try: write the value out",
    "yaml_alias_of_nothing": ":1: a: alias '*b' names nothing above it\n  try: write '&b' where it is defined",
    "yaml_control_character": ":2: character U+0007 is not allowed in YAML\n  try: delete it",
    "yaml_not_utf8": ":2: byte 0xe9 is not UTF-8 text\n  try: save the file as UTF-8",
    "yaml_number_too_large": ":2: a.b: '1e999' is beyond the range of numbers\n  try: a smaller exponent",
}


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("fault", REFUSED)
def test_broken_file_is_refused(fault, loader, monkeypatch):
    monkeypatch.setattr(compose, "LOADER", getattr(yaml, loader, yaml.SafeLoader))
    file = DATA / f"{fault}.yaml"
    assert refusal(read, file) == f"{file}{REFUSED[fault]}"


@pytest.mark.parametrize("fault", ["yaml_unclosed_bracket", "yaml_tab"])
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_what_is_no_yaml_is_refused_with_its_line(fault, loader, monkeypatch):
    # the two parsers of PyYAML word the cause differently; place, our words and remedy are ours
    monkeypatch.setattr(compose, "LOADER", getattr(yaml, loader, yaml.SafeLoader))
    file = DATA / f"{fault}.yaml"
    head, remedy = refusal(read, file).split("\n")
    line = {"yaml_unclosed_bracket": 3, "yaml_tab": 2}[fault]
    assert head.startswith(f"{file}:{line}: this is not YAML: ")
    assert (
        remedy
        == {
            "yaml_unclosed_bracket": "  try: check brackets, quotes and indentation here and above",
            "yaml_tab": "  try: indent with spaces, not tabs; text that begins with a sign stands in quotes",
        }[fault]
    )


def test_a_bomb_costs_milliseconds():
    begin = time.perf_counter()
    refusal(read, DATA / "yaml_bomb.yaml")
    refusal(read_text, "[" * 1_000_000)
    refusal(read_text, "- " * 900_000)
    assert time.perf_counter() - begin < 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("? [a]\n: b", "t:1: a key must be text\n  try: one word or a text in quotes in front of the colon"),
        ("&a a: 1\n*a : 2", "t:2: a key must be text\n  try: one word or a text in quotes in front of the colon"),
        ("a: !!int x", "t:1: a: 'x' does not agree with its tag !!int\n  try: leave the tag out"),
        ("a: !own x", "t:1: a: tag '!own' is not read\n  try: leave the tag out"),
        ("!!set {a}", "t:1: tag '!!set' is not read\n  try: leave the tag out"),
        ("%YAML 1.1\n---\na: 1", "t:1: only YAML 1.2 is read\n  try: delete the line '%YAML ...'"),
        ("a: " + "9" * 401, f"t:1: a: '{'9' * 57}...' has too many digits\n  try: at most 400"),
        ("a: \ud800", "t:1: character U+D800 is not allowed in YAML\n  try: delete it"),
        ("a" * 2_000_001, "t: the text is larger than 2 MB\n  try: split it"),
        ("~", "t: the file is empty\n  try: write at least one 'key: value'"),
    ],
)
def test_text_that_is_not_read(text, message):
    assert refusal(read_text, text, "t") == message


def test_depth_counts_through_aliases():
    half = "[" * 40 + "]" * 40
    assert refusal(read_text, f"a: &a {half}\nb: {'[' * 40}*a{']' * 40}", "t") == (
        "t:2: nested deeper than 60 levels\n  try: a flatter file"
    )


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "weekly.yaml").write_text("a: 1\n")
    (tmp_path / "large.yaml").write_bytes(b"#" * 2_000_001)
    missing, folder = tmp_path / "weekl.yaml", tmp_path / "none" / "a.yaml"
    assert refusal(read, missing) == f"{missing}: no such file\n  try: did you mean 'weekly.yaml'?"
    assert (
        refusal(read, folder) == f"{folder}: no such file\n  try: check the path; there is no folder '{folder.parent}'"
    )
    assert refusal(read, tmp_path) == f"{tmp_path}: this is a folder\n  try: name a file in it"
    large = tmp_path / "large.yaml"
    assert refusal(read, large) == f"{large}: the file is larger than 2 MB\n  try: split it, or move data to a table"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path):
    secret = tmp_path / "a.yaml"
    secret.write_text("a: 1\n")
    secret.chmod(0)
    assert refusal(read, secret) == f"{secret}: the file may not be read\n  try: check its permissions"


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dose(Block):
    source: str
    amount: Annotated[Quantity, QuantityField("ug", "particles", "ug/kg", above=0, at_most=("10 g", "1e16 particles"))]
    route: Literal["intravenous", "local"] = "local"
    start: quantity("day", at_least=0) = Quantity.parse("0 day")
    count: int = Field(1, gt=0)


class Drug(Block):
    drug: str
    amount: quantity("mg")


class Protocol(Block):
    schema_version: Literal[1]
    doses: tuple[Dose | Drug, ...] = ()
    level: float | None = None
    either: float | str = 1.0
    flag: bool = False
    arms: dict[str, dict[str, float]] = {}

    @model_validator(mode="after")
    def check(self):
        if self.level == 7:
            raise InputError("seven is taken", place=Place(key="level"), remedy="six")
        if self.level == 8:
            raise ValueError("eight is taken")
        return self


def validated(text):
    return validate(read_text(f"schema_version: 1\n{text}", "s"), Protocol)


def test_a_valid_document_becomes_the_model():
    protocol = validated("doses: [{source: m2, amount: 1e10 particles, start: 4 week}]\nlevel: 3\nflag: true\n")
    assert protocol.doses[0].amount == Quantity.parse("1e10 particles")
    assert protocol.doses[0].start.to("day") == 28.0
    assert protocol.level == 3.0


KEYS = "\n  try: keys with values, e.g. {key: value}"


@pytest.mark.parametrize(
    ("dose", "message"),
    [
        ("source: a, amout: 1 ug", "amout: unknown key\n  try: did you mean 'amount'?"),
        ("source: a, amount: 1 ug, zzz: 1", "zzz: unknown key\n  try: one of source, amount, route, start, count"),
        ("drug: a, amount: 1 mg, dru: 1", "dru: unknown key\n  try: did you mean 'drug'?"),
        ("source: a, amount: 1 ug, route: locl", "route: 'locl' is not known here\n  try: did you mean 'local'?"),
        ("source: a, amount: 1 ug, count: 0", "count: 0 is out of range\n  try: a number above 0"),
        ("source: a, amount: 1 ug, count: 1.5", "count: expected a whole number, got 1.5\n  try: a number such as 3"),
        ("source: 12, amount: 1 ug", "source: expected text, got 12\n  try: put it in quotes: '12'"),
        ("source: a, amount: 100", "amount: 100 has no unit\n  try: write a unit, e.g. '100 ug'"),
        ("source: a, amount: '100'", "amount: '100' has no unit\n  try: write a unit, e.g. '100 ug'"),
        ("source: a, amount: [1]", "amount: expected a number with its unit, got a list\n  try: e.g. '100 ug'"),
        ("source: a, amount: true", "amount: expected a number with its unit, got true\n  try: e.g. '100 ug'"),
        (
            "source: a, amount: 100 kg",
            "amount: '100 kg' is out of range (above 0, at most 10 g)\n  try: check the number and its unit",
        ),
        (
            "source: a, amount: -3 ug/kg",
            "amount: '-3 ug/kg' is out of range (above 0)\n  try: check the number and its unit",
        ),
        (
            "source: a, amount: 1e17 particles",
            "amount: '1e17 particles' is out of range (above 0, at most 1e16 particles)\n"
            "  try: check the number and its unit",
        ),
        ("source: a, amount: inf ug", "amount: 'inf ug' is not finite\n  try: a finite number, e.g. '100 ug'"),
        (
            "source: a, amount: 3 day",
            "amount: '3 day' is a time, not a mass, a count of particles or a mass per mass\n"
            "  try: write it in ug, particles or ug/kg, e.g. '100 ug'",
        ),
        (
            "source: a, amount: 1 ug, start: 3 kg",
            "start: '3 kg' is a mass, not a time\n  try: write it in day, e.g. '4 day'",
        ),
    ],
)
def test_fault_in_a_dose(dose, message):
    assert (
        refusal(validated, f"doses:\n  - {{source: a, amount: 1 ug}}\n  - {{{dose}}}\n") == f"s:4: doses[1].{message}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("level: abc", "s:2: level: expected a number, got 'abc'\n  try: a number such as 0.5"),
        ("level: '12'", "s:2: level: expected a number, got '12'\n  try: leave out the quotes: 12"),
        ("level: true", "s:2: level: expected a number, got true\n  try: a number such as 0.5"),
        ("either: [1]", "s:2: either: expected a number or text, got a list\n  try: a number such as 0.5"),
        ("flag: 1", "s:2: flag: expected true or false, got 1\n  try: write true or false"),
        ("doses: {}", "s:2: doses: expected a list, got a block of keys\n  try: a list such as [a, b]"),
        ("doses: [7]", f"s:2: doses[0]: expected a block of keys, got 7{KEYS}"),
        ("arms:\n  a:\n    b.c: x", "s:4: arms.a.\"b.c\": expected a number, got 'x'\n  try: a number such as 0.5"),
        ("level: 7", "s:2: level: seven is taken\n  try: six"),
        ("level: 8", "s:1: eight is taken"),
        ("leveL: 1", "s:2: leveL: unknown key\n  try: did you mean 'level'?"),
    ],
)
def test_fault_of_a_type(text, message):
    assert refusal(validated, text) == message


def test_all_faults_are_told_in_the_order_of_lines():
    document = read_text("level: x\nflag: 3\ndoses: [{}]\n", "s")
    assert refusal(validate, document, Protocol) == (
        "s:1: missing key 'schema_version'\n  try: add 'schema_version: ...'\n"
        "s:1: level: expected a number, got 'x'\n  try: a number such as 0.5\n"
        "s:2: flag: expected true or false, got 3\n  try: write true or false\n"
        "s:3: doses[0]: missing key 'source'\n  try: add 'source: ...'\n"
        "s:3: doses[0]: missing key 'amount'\n  try: add 'amount: ...'"
    )


def test_unknown_version_is_refused():
    assert refusal(validate, read_text("schema_version: 2", "s"), Protocol) == (
        "s:1: schema_version: 2 is not known here\n  try: write 1"
    )
    assert refusal(validate, read_text("- 1", "s"), Protocol) == f"s:1: expected a block of keys, got a list{KEYS}"


class Mass(Block):
    kind: Literal["mass"]
    amount: float


class Count(Block):
    kind: Literal["count"]
    cells: int


class Preparation(Block):
    given: Annotated[Mass | Count, Field(discriminator="kind")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: mass, amount: x", "given.amount: expected a number, got 'x'\n  try: a number such as 0.5"),
        (
            "kind: mass, mass: 1",
            "given: missing key 'amount'\n  try: add 'amount: ...'\ns:1: given.mass: unknown key\n"
            "  try: one of kind, amount",
        ),
        ("kind: mas, amount: 1", "given.kind: 'mas' is not known here\n  try: did you mean 'mass'?"),
        ("amount: 1", "given: missing key 'kind'\n  try: add 'kind: ...'"),
    ],
)
def test_tagged_union(text, message):
    assert refusal(validate, read_text(f"given: {{{text}}}", "s"), Preparation) == f"s:1: {message}"


def test_quantity_field_for_editors_and_programs():
    properties = Dose.model_json_schema()["properties"]
    assert properties["amount"]["type"] == "string"
    assert properties["amount"]["examples"] == ["100 ug", "1e10 particles", "100 ug/kg"]
    dose = Dose(source="a", amount=Quantity.parse("5 ug"))
    assert dose.model_dump()["amount"] == "5 ug"
    with pytest.raises(ValidationError):
        Dose(source="a", amount=Quantity.parse("5 day"))
    with pytest.raises(ValueError, match="the limit 3 needs a unit"):
        QuantityField("day", above=3)


def test_thousands_of_faults_are_told_quickly():
    document = read_text(f"schema_version: 1\ndoses: [{', '.join(['7'] * 20_000)}]", "s")
    begin = time.perf_counter()
    message = refusal(validate, document, Protocol)
    assert time.perf_counter() - begin < 2.0
    assert message.startswith(f"s:2: doses[0]: expected a block of keys, got 7{KEYS}\ns:2: doses[1]: expected")
