"""The LLVM text of a whole program: elementary functions, the equations, the step, the loop."""

from __future__ import annotations

from bonesim.codegen.backends.llvm_blocks import Blocks
from bonesim.codegen.backends.llvm_linear import Linear
from bonesim.codegen.backends.llvm_loop import Loop
from bonesim.codegen.backends.llvm_math import functions
from bonesim.codegen.backends.llvm_rows import Rows, jacobian_entries
from bonesim.codegen.backends.llvm_step import Step, Tableau
from bonesim.codegen.constraints import apart
from bonesim.codegen.inverses import with_inverses
from bonesim.codegen.program import Program
from bonesim.codegen.sparse import eliminate


def text(program: Program, tableau: Tableau, width: int) -> tuple[str, int]:
    """The LLVM text of a program's loop by a method, and how many rows its workspace has."""
    program = with_inverses(program)
    algebraic = program.layout.algebraic
    lu = eliminate(len(program.layout.states), apart(jacobian_entries(program), algebraic), algebraic)
    rows = Rows(program, len(tableau.a), len(tableau.H), lu)
    step = Step(program, tableau, rows, width)
    model, loop = Blocks(program, rows, width), Loop(program, step, rows, width)
    linear = Linear(lu, rows, tableau.gamma, width)
    parts = (functions(width), model.text(), linear.text(), step.text(), loop.text())
    return "\n".join(parts), rows.size
