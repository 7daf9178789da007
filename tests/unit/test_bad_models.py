"""Files that are no model, or a hostile one: a clear error with place and remedy, soon, never a traceback."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

import bonesim
from bonesim.cli.main import main
from bonesim.errors import InputError
from bonesim.model.check import ordered
from bonesim.model.expr import Num, Sym
from bonesim.model.ode import OdeModel, Rule
from bonesim.sbml import antimony, document, mathml_read, read
from bonesim.sbml.read import read_antimony, read_sbml

GOOD = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">
<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters><listOfRules>
<rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>2</cn></math></rateRule>
</listOfRules></model></sbml>
"""
UTF_8 = "try: save it as UTF-8"
SBML = "try: a model in SBML or Antimony"
COPY = ":3: the XML ends too early\n  try: get a complete copy of the file"
UTF_16 = GOOD.replace("UTF-8", "UTF-16").encode("utf-16-le")
ALIEN = GOOD.replace("level=", 'xmlns:p="http://example.org/p" p:required="true" level=').encode()
NUL = "the text holds a NUL character"
FILES: dict[str, tuple[str, bytes, str]] = {
    "cut between elements": ("m.xml", GOOD[: GOOD.index("<rateRule") - 1].encode(), COPY),
    "cut within a tag": ("m.xml", GOOD[: GOOD.index("value=")].encode(), COPY),
    "a page of the web": (
        "m.xml",
        b"<!doctype html>\n<html><body>404</body></html>",
        ":1: not SBML: this is a page of HTML\n  try: download the model file itself",
    ),
    "a model of CellML": (
        "m.xml",
        b'<model xmlns="http://www.cellml.org/cellml/1.0#"/>',
        f":1: not SBML: the root element is '<model>'\n  {SBML}",
    ),
    "JSON": ("m.xml", b'{"x": 1}', f":1: not XML: not well-formed (invalid token)\n  {SBML}"),
    "an entity of nobody": (
        "m.xml",
        GOOD.replace("<cn>", "&two;<cn>").encode(),
        f":4: not XML: undefined entity\n  {SBML}",
    ),
    "nothing": ("m.xml", b"", f": the file is empty\n  {SBML}"),
    "blanks": ("m.ant", b" \n\n", f": the file is empty\n  {SBML}"),
    "packed": ("m.xml.gz", gzip.compress(b"<sbml/>"), ": the file is compressed (gzip)\n  try: unpack it first"),
    "zipped": ("m.xml", b"PK\x03\x04", ": the file is compressed (zip)\n  try: unpack it first"),
    "NUL in SBML": ("m.xml", GOOD.replace("id=", "id\0=").encode(), f":2: {NUL}\n  {UTF_8} text"),
    "NUL in Antimony": ("m.ant", b"x = 1;\ny\0 = 2;", f":2: {NUL}\n  {UTF_8} text"),
    "UTF-16 without its mark": ("m.xml", UTF_16, f":1: {NUL}\n  {UTF_8} text"),
    "a codec that is no encoding": (
        "m.xml",
        GOOD.replace("UTF-8", "punycode").encode(),
        f":1: unknown encoding 'punycode'\n  {UTF_8}",
    ),
    "noise": ("m.ant", bytes(range(1, 256)), f":2: the text is not utf-8\n  {UTF_8}"),
    "an unknown package": (
        "m.xml",
        ALIEN,
        ":2: package 'http://example.org/p': this required SBML package is not supported\n"
        "  try: export the model as SBML core",
    ),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_file_that_is_no_model_is_refused_in_python_and_on_the_command_line(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, data, expected = FILES[fault]
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(InputError) as caught:
        bonesim.load_model(file)
    assert str(caught.value) == f"{file}{expected}"
    assert main(["simulate", str(file), "--until", "1"]) == 2
    assert capsys.readouterr().err == f"{file}{expected}\n"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xml")
    (tmp_path / "loop.xml").symlink_to("loop.xml")
    long = "n" * 300 + ".xml"
    expected = {
        ".": "this is a folder\n  try: name the model file itself",
        "pipe.xml": "this is no regular file\n  try: name the model file itself",
        "loop.xml": "the file cannot be read: Too many levels of symbolic links\n  try: a readable model file",
        long: "the file cannot be read: File name too long\n  try: a readable model file",
    }
    for name, text in expected.items():
        with pytest.raises(InputError) as caught:
            bonesim.load_model(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {text}"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "m.xml"
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(0)
    with pytest.raises(InputError) as caught:
        bonesim.load_model(file)
    assert str(caught.value) == f"{file}: the file cannot be read: Permission denied\n  try: a readable model file"


def test_functions_that_make_a_model_too_large_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathml_read, "MOST_INLINED", 100)
    function = "function f(a) a + a + a end\n"
    read_antimony(f"{function}model m()\n k = 1; y := {' + '.join(['f(k)'] * 20)};\nend\n", file="m.ant")
    rules = "".join(f" y{k} := {' + '.join(['f(k)'] * 20)};\n" for k in range(2))
    with pytest.raises(InputError) as caught:
        read_antimony(f"{function}model m()\n k = 1;\n{rules}end\n", file="m.ant")
    assert str(caught.value) == (
        "m.ant:5: functions make the formulas of this model larger than 100 terms\n"
        "  try: assignment rules in place of functions that call others"
    )


def test_texts_that_take_antimony_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as caught:
        read_antimony(f"k = 1;\nx := {'+'.join(['k'] * antimony.LONGEST)};\n", file="m.ant")
    assert str(caught.value) == (
        "m.ant:1: a statement has more than 20000 characters\n  try: split it into assignment rules"
    )
    monkeypatch.setattr(antimony, "LARGEST", 5)
    with pytest.raises(InputError) as caught:
        read_antimony("k = 1;", file="m.ant")
    assert str(caught.value) == (
        "m.ant: the Antimony text is too large: 0.0 MB\n  try: at most 0.0 MB, or the model as SBML"
    )


def test_lines_of_the_sbml_made_from_antimony_are_not_shown() -> None:
    with pytest.raises(InputError) as caught:
        read_antimony(f"x := {'sin(' * 300}1{')' * 300};", file="m.ant")
    assert str(caught.value) == (
        "m.ant: elements are nested more than 250 deep\n  try: split the formula into assignment rules"
    )


def test_what_libsbml_says_of_antimony_is_told_in_one_line() -> None:
    with pytest.raises(InputError) as caught:
        read_antimony("x = 1;\nx' = foo(3);\n", file="m.ant")
    assert str(caught.value) == (
        "m.ant:2: Antimony: The formula 'foo(3)' in the math element of the <rateRule> uses 'foo' which is not a "
        "function definition id.\n  try: see the line and the one before it; statements end with ';'"
    )


def test_a_model_too_large_for_libsbmls_checks_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_sbml(GOOD, file="m.xml").remarks == ()
    monkeypatch.setattr(document, "MOST_CHECKED", 3)
    assert read_sbml(GOOD, file="m.xml").remarks == (read.TOO_LARGE,)


def test_rules_in_order_are_seen_at_a_glance() -> None:
    # A set of all rules for each of them would take hours here.
    rules = tuple(Rule(f"r{k}", Sym(f"r{k - 1}") if k else Num(1.0)) for k in range(200_000))
    assert ordered(rules, OdeModel("m", ())) is rules


def test_comments_that_nobody_closes_are_read_once() -> None:
    # Sought from each `/*` anew, their ends would take minutes.
    model = read_antimony("x = 1;\n" + "/* \n" * 100_000, file="m.ant")
    assert [parameter.id for parameter in model.parameters] == ["x"]


FORMULA = """<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">
<listOfCompartments><compartment name="c"/></listOfCompartments>
<listOfParameters><parameter name="x" value="1"/><parameter name="k" value="1"/></listOfParameters>
<listOfRules><parameterRule name="x" formula="{}"/></listOfRules></model></sbml>
"""


@pytest.mark.parametrize("formula", ["-" * 10_000 + "k", "^".join("k" * 10_000), "sin(" * 5_000 + "k" + ")" * 5_000])
def test_formulas_of_level_1_that_are_too_deep_are_refused(formula: str) -> None:
    with pytest.raises(InputError, match=r"^m\.xml:4: rule for 'x' is too large a formula: more than 200000 terms or"):
        read_sbml(FORMULA.format(formula), file="m.xml")


def test_formulas_too_wide_for_libsbml_are_refused() -> None:
    wide = GOOD.replace("<cn>2</cn>", f"<apply><plus/>{'<cn>2</cn>' * 50_000}</apply>")
    expected = "a formula has more than 50000 terms\n  try: split the formula into assignment rules"
    for text, line in ((wide, 4), (FORMULA.format("+".join("k" * 50_000)), 4)):
        with pytest.raises(InputError) as caught:
            read_sbml(text, file="m.xml")
        assert str(caught.value) == f"m.xml:{line}: {expected}"
