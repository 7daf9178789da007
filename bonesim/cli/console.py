"""What commands print: pages with headings and tables on standard output, notes and progress on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, Any, Literal

import click

from bonesim.errors import InputError, Place

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPED_WIDTH = 120
"""Columns of a page that goes to a file or a pipe, where COLUMNS does not say otherwise."""

PATIENCE = 1.0
"""Seconds after which a user is told what takes so long."""


class Page:
    """Prints text for people in the width that there is; colours only on a terminal."""

    def __init__(self) -> None:
        self._console = _console()

    def title(self, text: str) -> None:
        """The first line of a page."""
        from rich.text import Text

        self._print(Text(text, style="bold"))

    def heading(self, text: str) -> None:
        """The head of a section, after an empty line."""
        self.gap()
        self.title(text)

    def gap(self) -> None:
        """An empty line."""
        self._print("")

    def text(self, text: str, indent: int = 2) -> None:
        """A paragraph, wrapped."""
        from rich.padding import Padding
        from rich.text import Text

        self._print(Padding(Text(" ".join(text.split())), (0, 0, 0, indent)))

    def line(self, text: str, indent: int = 2) -> None:
        """A line that is not wrapped, such as an equation or a path."""
        self._print(" " * indent + text, soft_wrap=True)

    def pairs(self, rows: Iterable[tuple[str, str]], indent: int = 0, gap: int = 2) -> None:
        """Names and what belongs to them, one pair a line, the second wrapped in its own column."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, gap, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for name, text in rows:
            grid.add_row(Text(name), Text(text))
        if grid.row_count:
            self._print(Padding(grid, (0, 0, 0, indent)))

    def bullets(self, texts: Iterable[str], indent: int = 2) -> None:
        """A list of paragraphs."""
        self.pairs((("-", " ".join(text.split())) for text in texts), indent, gap=1)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str] = ()) -> None:
        """A table; columns named in `numbers` stand to the right, and where they do not fit each row is a list."""
        from rich.table import Table
        from rich.text import Text

        rows = list(rows)
        if numbers and not self._fits([columns, *rows]):
            for row in rows:
                self.line(row[0], 0)
                self.pairs(((name, text) for name, text in zip(columns[1:], row[1:], strict=True) if text), 2)
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for place, name in enumerate(columns):
            is_number = name in numbers
            side: Literal["left", "right"] = "right" if is_number else "left"
            table.add_column(name, justify=side, no_wrap=is_number or place == 0, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        self._print(table)

    def _fits(self, rows: Sequence[Sequence[str]]) -> bool:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return sum(widths) + 2 * (len(widths) - 1) <= self._console.width

    def _print(self, what: RenderableType, *, soft_wrap: bool = False) -> None:
        """Print without the blanks that rich puts at the ends of lines."""
        with self._console.capture() as printed:
            self._console.print(what, soft_wrap=soft_wrap)
        emit("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    emit(f"{json.dumps(document, indent=2, ensure_ascii=not utf8, allow_nan=False)}\n")


def emit(text: str) -> None:
    """Put text on standard output as it is.

    Raises
    ------
    InputError
        If it cannot be written, on a full disk for example.
    BrokenPipeError
        If nobody reads it any more.
    """
    if sys.stdout is None:  # closed by the caller
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        place = Place(key="standard output")
        raise InputError(f"cannot be written: {error.strerror}", place=place, remedy="another place") from None


def note(text: str) -> None:
    """A remark on standard error."""
    click.echo(f"note: {text}", err=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say on standard error what is being done, if it takes longer than `PATIENCE` and somebody may be watching."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.status import Status

    status = Status(f"{what} ...", console=Console(stderr=True))
    timer = Timer(PATIENCE, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()


def with_unit(name: str, unit: str) -> str:
    """A quantity's name with its unit, if it has one: `OBa (pM)`."""
    return name if unit == "dimensionless" else f"{name} ({unit})"


def number(value: float | None, digits: int = 4) -> str:
    """A number for a table; `-` where there is none."""
    return "-" if value is None else f"{value:.{digits}g}"


ROUNDING = 1e-4
"""Percent below which a difference is not told from none: results are right to about a part in a million."""


def percent(value: float | None) -> str:
    """A difference in percent for a table; `-` where there is none to tell."""
    return "-" if value is None else "0 %" if abs(value) < ROUNDING else f"{value:+.3g} %"


def _console() -> Console:
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console
