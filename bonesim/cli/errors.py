"""How an error ends the program: its text on standard error, its exit code.

Faults in the arguments are told in the form of all other bad input: `place: problem`, then `try: remedy`.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bonesim.errors import BonesimError, InputError, InternalError, Place, closest

STOPPED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal."""


def explain(error: BaseException) -> int:
    """Tell an error on standard error; returns the exit code."""
    if isinstance(error, KeyboardInterrupt):
        return STOPPED
    if isinstance(error, click.UsageError):
        error = _as_input_error(error)
    if isinstance(error, BonesimError) and not isinstance(error, InternalError):
        click.echo(str(error), err=True)
        return error.exit_code
    if os.environ.get("BONESIM_DEBUG"):
        traceback.print_exception(error)
    click.echo(_fault(error), err=True)
    return 1


@contextmanager
def placed(key: str) -> Iterator[None]:
    """Say that input which is refused inside, and has no place in a file, came from the argument or flag `key`."""
    try:
        yield
    except InputError as error:
        if error.place is None and error.parts == (error,):
            error.place = Place(key=key)
        raise


def _fault(error: BaseException) -> str:
    named = str(error) if isinstance(error, InternalError) else f"{type(error).__name__}: {error}"
    return (
        f"bonesim: internal fault: {named.splitlines()[0]}{_where(error)}\n"
        "  This is a fault of bonesim, not of your input. Please report it with the command, its files and the\n"
        "  output of `bonesim doctor`; with BONESIM_DEBUG=1 in the environment the whole traceback is shown."
    )


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _as_input_error(error: click.UsageError) -> InputError:
    context = error.ctx
    command = context.command_path if context else "bonesim"
    example = _example(context)
    if isinstance(error, click.NoSuchOption):
        remedy = closest(error.option_name, _options(context))
        return InputError(f"unknown option of '{command}'", place=Place(key=error.option_name), remedy=remedy)
    if isinstance(error, click.BadOptionUsage):
        problem = error.message.removeprefix(f"Option '{error.option_name}' ")
        return InputError(_sentence(problem), place=Place(key=error.option_name), remedy=example)
    if isinstance(error, click.MissingParameter):
        return InputError(f"{_name(error.param)} is missing", place=Place(key=command), remedy=example)
    if isinstance(error, click.BadParameter) and error.param is not None:
        kind = error.param.type
        choices = getattr(kind, "choices", None)
        remedy = f"one of {', '.join(choices)}" if choices else _range(kind) if "range" in kind.name else example
        return InputError(_sentence(error.message), place=Place(key=_name(error.param)), remedy=remedy)
    return InputError(_sentence(error.format_message()), place=Place(key=command), remedy=example)


def _name(parameter: click.Parameter | None) -> str:
    if isinstance(parameter, click.Option):
        return parameter.opts[0]
    return parameter.human_readable_name if parameter else "an argument"


def _range(kind: click.ParamType[object]) -> str:
    """What an option takes that is a number between bounds."""
    low, high = (getattr(kind, bound, None) for bound in ("min", "max"))
    bounds = [f"from {low}"] * (low is not None) + [f"to {high}"] * (high is not None)
    return " ".join(["a whole number" if isinstance(kind, click.IntRange) else "a number", *bounds])


def _options(context: click.Context | None) -> list[str]:
    if context is None:
        return []
    parameters = context.command.get_params(context)
    return [max(one.opts, key=len) for one in parameters if isinstance(one, click.Option)]


def _example(context: click.Context | None) -> str:
    """The example at the end of a command's help."""
    text = (context and context.command.epilog) or "bonesim --help"
    return text.splitlines()[-1].strip()


def _sentence(message: str) -> str:
    """A message of click as ours are: small first letter, no full stop, no names of types."""
    message = message.rstrip(".")
    for kind, word in {"integer range": "whole number", "integer": "whole number", "float": "number"}.items():
        message = message.replace(f"is not a valid {kind}", f"is no {word}")
    return message[:1].lower() + message[1:]
