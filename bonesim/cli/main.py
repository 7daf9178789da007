"""The command `bonesim`: finds the command that was asked for, runs it, and turns its end into an exit code.

0 all went well, 1 a fault of bonesim, 2 bad input, 3 some members failed, 130 stopped by the user.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TextIO

import click

from bonesim.cli.errors import explain
from bonesim.errors import InputError, Place, closest, quoted

COMMANDS = (
    "run",
    "check",
    "sweep",
    "profile",
    "explain",
    "compare",
    "simulate",
    "export",
    "verify",
    "sources",
    "models",
    "contexts",
    "carriers",
    "schema",
    "doctor",
)


class LazyGroup(click.Group):
    """A group whose commands are modules of `bonesim.cli`, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"bonesim.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; InputError with the nearest one if there is none."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            problem = f"unknown command {quoted(args[0])}"
            raise InputError(problem, place=Place(key="bonesim"), remedy=closest(args[0], COMMANDS))
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        import bonesim

        click.echo(f"bonesim {bonesim.__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  bonesim run ovx_m2.yaml -o out --plot",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version and exit."
)
def bonesim() -> None:
    """What happens to bone if this much of that vesicle preparation is given.

    Scenarios are short YAML files: subject, disease, doses, duration. The answer comes from published models of bone
    cells and a catalogue of vesicle sources, and every number says where it is from.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Parameters
    ----------
    arguments
        Without the name of the program; those of the process where it is left out.
    """
    asked = list(sys.argv[1:] if arguments is None else arguments)
    _any_text(sys.stdout)
    _any_text(sys.stderr)
    try:
        return _run(asked or ["--help"])
    except BrokenPipeError:
        # The reader has seen enough (`bonesim sources | head`). Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:
        return explain(error)


def _run(arguments: list[str]) -> int:
    code: Any = 0
    try:
        with bonesim.make_context("bonesim", arguments) as context:
            try:
                code = bonesim.invoke(context)
            except click.UsageError as error:
                error.ctx = error.ctx or _asked(context)
                raise
    except click.exceptions.Exit as end:
        code = end.exit_code
    return code or 0


def _asked(context: click.Context) -> click.Context:
    """The context of the command that was asked for, which click leaves out of some errors."""
    name = context.invoked_subcommand
    command = bonesim.get_command(context, name) if name else None
    return click.Context(command, parent=context, info_name=name) if command else context


def _any_text(stream: TextIO | None) -> None:
    """Let characters that a stream's encoding does not have be replaced, not raise."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
