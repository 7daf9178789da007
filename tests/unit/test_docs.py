"""The documentation says what the program does: its blocks run, its tables agree with schema, cards and priors.

On a page, a `yaml PATH` or `text PATH` block is written to PATH, a `console` block is run line by line, a `python`
block is run; a `text` block after a `python` block is what that prints. In output, `...` stands for anything.
"""

from __future__ import annotations

import doctest
import re
import runpy
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bonesim.catalog import Number, load_catalog
from bonesim.cli.main import COMMANDS, main
from bonesim.compose.card import Port, load_card
from bonesim.resources import model_ids
from bonesim.scenario.schema import LATER, scenario_json_schema

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ALL_PAGES = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
RUNS = {"console", "python"}


@dataclass(frozen=True)
class Block:
    """A fenced block: first word behind the fence, the rest of that line, and the text."""

    kind: str
    title: str
    text: str


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    found = []
    for info, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        kind, _, title = info.partition(" ")
        found.append(Block(kind, title, text))
    return found


def executed(page: Path) -> bool:
    return any(block.kind in RUNS for block in blocks(page))


def same(wanted: str, got: str) -> None:
    """Fail unless `got` is what the page shows, white space aside."""
    if not doctest.OutputChecker().check_output(wanted, got, LOOSE):
        pytest.fail(f"the page shows\n{wanted}\nand it printed\n{got}")


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each line behind `$`, with the lines that follow it up to the next."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        yield line, shown


class Reader:
    """Somebody who does what a page says, in a folder of their own."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def follow(self, page: Path) -> None:
        printed = ""
        for block in blocks(page):
            if block.title and block.kind in {"yaml", "text"}:
                Path(block.title).parent.mkdir(parents=True, exist_ok=True)
                Path(block.title).write_text(block.text, encoding="utf-8")
            elif block.kind == "console":
                for line, shown in commands(block.text):
                    self.command(line, shown)
            elif block.kind == "python":
                printed = self.python(block.text)
            elif block.kind == "text":
                same(block.text, printed)

    def command(self, line: str, shown: str) -> None:
        words = shlex.split(line, comments=True)
        if words[0] == "export":
            self.monkeypatch.setenv(*words[1].split("=", 1))
            return
        assert words[0] == "bonesim", f"this test does not run '{words[0]}'"
        wanted = re.search(r"# exit code (\d+)$", line)
        code = main(words[1:])
        output = "".join(self.capsys.readouterr())
        assert code == (int(wanted[1]) if wanted else 0), output
        if shown:
            same(shown, output)

    def python(self, text: str) -> str:
        Path("example.py").write_text(text, encoding="utf-8")
        runpy.run_path("example.py", run_name="__main__")
        return self.capsys.readouterr().out


@pytest.fixture
def reader(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Reader:
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "BONESIM_CATALOG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Reader(capsys, monkeypatch)


@pytest.mark.parametrize("page", [page for page in PAGES if executed(page)], ids=name_of)
def test_what_a_page_shows_happens(page: Path, reader: Reader) -> None:
    reader.follow(page)


def test_every_command_stands_in_the_readme() -> None:
    shown = "".join(block.text for block in blocks(ROOT / "README.md") if block.kind == "console")
    assert {line.split()[1] for line, _ in commands(shown)} == set(COMMANDS)


def test_the_readme_installs_and_tests_with_one_command_each() -> None:
    main_job, tests = [block for block in blocks(ROOT / "README.md") if block.kind == "sh"]
    assert main_job.text == "pip install . && bonesim run scenarios/ovx_m2.yaml --plot -o out/\n"
    assert (tests.title, tests.text) == ("test", "pip install '.[test]' && pytest -n auto\n")


def test_the_scenario_of_the_readme_is_the_shipped_one() -> None:
    shown = next(block.text for block in blocks(ROOT / "README.md") if block.kind == "yaml")
    assert shown == (ROOT / "scenarios" / "ovx_m2.yaml").read_text(encoding="utf-8")
    assert len(shown.splitlines()) == 10


def test_the_page_on_scenarios_lists_every_key_of_the_schema() -> None:
    assert table(ROOT / "docs" / "scenario.md", "| key |") == schema_rows()


def test_the_page_on_scenarios_names_the_keys_that_come_later() -> None:
    text = (ROOT / "docs" / "scenario.md").read_text(encoding="utf-8").partition("## Keys of later versions")[2]
    assert {key.rpartition(".")[2] for key in re.findall(r"`([a-z\[\].]+)`", text)} == set(LATER)


def test_the_page_on_models_lists_every_port() -> None:
    rows = [
        [f"`{card.id}`", port.direction, f"`{port.name}`", ", ".join(port.cells), action(port)]
        for card in map(load_card, model_ids())
        for port in card.ports
    ]
    assert table(ROOT / "docs" / "models.md", "| module | direction |") == rows


def test_the_page_on_the_network_lists_every_prior() -> None:
    rows = []
    for name, number in load_catalog().priors.items():
        unit = "" if number.unit == "dimensionless" else f" {number.unit}"
        rows.append([f"`{name}`", f"{number.value:g}{unit}", f"{number.low:g} to {number.high:g}", number.basis])
    assert table(ROOT / "docs" / "network.md", "| name | value |") == rows


def test_the_page_on_exposure_lists_the_numbers_of_the_rat() -> None:
    rows = []
    for symbol, number in load_catalog().species["rat"].of_module("iv_two_phase").items():
        unit = "" if number.unit == "dimensionless" else f" {number.unit}"
        rows.append([f"`{symbol}`", f"{number.value:g}{unit}", f"{number.low:g} to {number.high:g}", number.basis])
    assert table(ROOT / "docs" / "exposure.md", "| symbol |") == rows


def test_the_page_on_exposure_lists_every_site() -> None:
    names = ("t_half_depot", "share_site", "share_blood")
    rows = [
        [f"`{route.id}`", route.site, *(written(route.parameters.get(name)) for name in names)]
        for route in load_catalog().routes.values()
        if route.parameters
    ]
    assert table(ROOT / "docs" / "exposure.md", "| route |") == rows


def test_the_page_on_exposure_lists_every_carrier() -> None:
    rows = []
    for carrier in load_catalog().carriers.values():
        release, form = carrier.release, ""
        if release:
            form = f"half-life {written(release.half_life)}" if release.half_life else ""
            form = form or f"evenly over {written(release.duration)}"
        burst = written(release.burst) if release else ""
        numbers = (written(number) for number in (carrier.retention, carrier.targeting))
        rows.append([f"`{carrier.id}`", carrier.kind, burst, form, *numbers])
    assert table(ROOT / "docs" / "exposure.md", "| carrier |") == rows


def written(number: Number | None) -> str:
    """A number as the tables of a page have it: `5 day (2 to 10)`."""
    if number is None:
        return ""
    unit = "" if number.unit == "dimensionless" else f" {number.unit}"
    return f"{number.value:g}{unit} ({number.low:g} to {number.high:g})"


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(there), f"{target}: no such heading"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in sorted(folder.glob("0*.md"))]
    for number, name in enumerate(listed, start=1):
        text = (folder / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {number:04} ")
        for part in ("**Context.**", "**Choice.**", "**Alternatives.**", "**What would change our mind.**"):
            assert part in text, f"{name} has no {part}"


@pytest.mark.parametrize("page", [*ALL_PAGES, ROOT / ".ci" / "run"], ids=name_of)
def test_a_page_is_ascii_and_names_no_folder_of_one_machine(page: Path) -> None:
    text = page.read_text(encoding="ascii")
    assert not re.search(r"(?<![\w.])/(home|root|work|tmp|Users|mnt|opt)/", text)


def table(page: Path, head: str, after: str = "") -> list[list[str]]:
    """The cells of the table on a page whose first line begins with `head`, below where `after` stands."""
    text = page.read_text(encoding="utf-8")
    lines = text[text.index(after) :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head)) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def action(port: Port) -> str:
    """What a port does, as the page on models says it."""
    if port.multiplies or port.divides:
        names = "`, `".join(port.multiplies or port.divides)
        text = f"{'multiplies' if port.multiplies else 'divides'} `{names}`"
        return text + (f", unless a module gives `{port.unless}`" if port.unless else "")
    if port.sum:
        return f"gives the sum of `{'`, `'.join(port.sum)}`"
    verbs = {"replaces": port.replaces, "adds to": port.jumps, "sets": port.sets, "gives": port.symbol}
    verb, name = next((verb, name) for verb, name in verbs.items() if name)
    text = f"{verb} `{name}`" + (" over its start" if port.relative else "") + (", optional" if port.optional else "")
    return text + (f", drives `{'`, `'.join(port.drives)}`" if port.drives else "")


def schema_rows() -> list[list[str]]:
    """The table of keys as the JSON Schema has them."""
    schema = scenario_json_schema()
    return list(_rows(schema, schema["$defs"], ""))


def _rows(block: dict[str, Any], blocks: dict[str, Any], prefix: str) -> Iterator[list[str]]:
    for key, said in block["properties"].items():
        name, needed = prefix + key, "required" if key in block.get("required", []) else ""
        said = {**said, **_present(said)} if "anyOf" in said else said
        many = said.get("type") == "array"
        named = list(said.get("patternProperties", {}).values())
        reference = (said.get("items", {}) if many else named[0] if named else said).get("$ref")
        if reference:
            inner = blocks[reference.rpartition("/")[2]]
            about = said.get("description") or inner["description"]
            kind = "list of blocks" if many else "blocks by name" if named else "block"
            yield [f"`{name}`", kind, needed, about]
            yield from _rows(inner, blocks, f"{name}{'[]' if many else '.NAME' if named else ''}.")
        else:
            yield [f"`{name}`", _value(said), needed or _default(said), said["description"]]


def _present(said: dict[str, Any]) -> dict[str, Any]:
    """What stands in a key that may be left out."""
    found: dict[str, Any] = next(one for one in said["anyOf"] if one.get("type") != "null")
    return found


def _value(said: dict[str, Any]) -> str:
    if "const" in said or "enum" in said:
        return ", ".join(f"`{one}`" for one in said.get("enum", [said.get("const")]))
    if said.get("examples"):
        return "quantity: " + ", ".join(f"`{one}`" for one in said["examples"])
    if "additionalProperties" in said:
        return "by path: a list, or a range"
    return {"string": "text", "integer": "whole number", "number": "number", "array": "list of text"}[said["type"]]


def _default(said: dict[str, Any]) -> str:
    default = said.get("default")
    if default is None or default == []:
        return ""
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
