"""Rows as text: for the terminal, and as the tables of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.rows import Row, read_rows
from bonesim.resources import write_whole

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
RESULTS = Path(__file__).parent / "results"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def line(row: Row) -> str:
    """One row for the terminal."""
    asked = f", rtol {row.rtol:.1e}" if row.rtol else ""
    reached = f", error {row.error:.1e}" if row.error else ""
    size = f"{row.members} members, {row.cores} core{'s' * (row.cores > 1)}, {row.repeats} times"
    number = f"{_number(row)}{_verdict(row)}{asked}{reached}"
    return f"{row.problem} | {row.engine} | {row.quantity}: {number} ({size}) {row.note}".rstrip()


def write_page() -> None:
    """Put the tables of all kept results into the page, between its two marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    sections = [_machine(file) for file in sorted(RESULTS.glob("*.json"))]
    write_whole(PAGE, f"{before}{BEGIN}\n{''.join(sections)}\n{END}{after}")


def _machine(file: Path) -> str:
    """All tables of one machine."""
    rows = read_rows(file)
    tables = [
        _table("Bars", "bars", rows, [("ratio", _quantity), ("reached", _number), ("bar (goal)", _wanted)]),
        _table("Members per second and core", "rates", rows, [("error", _error), ("rate", _number), ("note", _note)]),
        _table(
            "The whole batch",
            "threads million cold",
            rows,
            [("what", _quantity), ("value", _number), ("bar (goal)", _wanted)],
        ),
        _table("How near to peak arithmetic", "throughput", rows, [("fraction", _number), ("note", _note)]),
        _table("libRoadRunner at rtol 1e-12 against the reference", "reference", rows, [("difference", _number)]),
    ]
    figures = [
        f"![{path.stem}](../benchmarks/results/{path.name})" for path in sorted(RESULTS.glob(f"{file.stem}-*.png"))
    ]
    versions = sorted({f"{name} {number}" for row in rows for name, number in row.versions.items()})
    heading = f"\n## {rows[0].machine}\n\n{', '.join(versions)}.\n"
    return heading + "".join(tables) + "\n### Work and precision\n\n" + "\n".join(figures) + "\n"


Column = tuple[str, Callable[[Row], str]]


def _table(title: str, parts: str, rows: Iterable[Row], columns: Sequence[Column]) -> str:
    """A heading and a table of the rows of some parts, nothing where there are none."""
    chosen = [row for row in rows if row.part in parts.split()]
    if not chosen:
        return ""
    shown: list[Column] = [("problem", lambda row: row.problem), ("engine", lambda row: row.engine), *columns]
    shown += [("members", lambda row: f"{row.members:,}"), ("cores", lambda row: str(row.cores))]
    shown += [("times", lambda row: str(row.repeats))]
    lines = ["| " + " | ".join(name for name, _ in shown) + " |", "|---" * len(shown) + "|"]
    lines += ["| " + " | ".join(cell(row) for _, cell in shown) + " |" for row in chosen]
    return f"\n### {title}\n\n" + "\n".join(lines) + "\n"


def _quantity(row: Row) -> str:
    return row.quantity


def _error(row: Row) -> str:
    return f"{row.error:.0e}" if row.error else ""


def _note(row: Row) -> str:
    return row.note.replace("|", "/")


def _number(row: Row) -> str:
    """Median with least and largest; nothing where there is no number."""
    if row.median != row.median:
        return "-"
    return f"{_short(row.median)} ({_short(row.least)} to {_short(row.largest)})"


def _short(value: float) -> str:
    """Three digits, large numbers with their thousands."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _wanted(row: Row) -> str:
    if row.bar is None:
        return ""
    return f"{row.bar:g}" + (f" ({row.goal:g})" if row.goal is not None else "") + _verdict(row)


def _verdict(row: Row) -> str:
    """Whether a bar is met; less is better for seconds and memory."""
    if row.bar is None or row.median != row.median:
        return ""
    met = row.median <= row.bar if row.quantity.endswith((", s", ", GiB")) else row.median >= row.bar
    return ", met" if met else ", missed"
