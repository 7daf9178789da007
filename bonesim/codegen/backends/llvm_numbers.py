"""Numbers, tables and polynomials in LLVM's spelling.

`$V` stands for the type of vectors, `$S` for the suffix of their intrinsics, `$A` for their bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

WITH_AVX512 = 8
"""Lanes of registers that come with an estimate of a reciprocal and with what `llvm_tables` needs."""

LN2_HIGH = 6.93147180369123816490e-01  # leading bits of ln 2, so that n LN2_HIGH is exact
LN2_LOW = 1.90821492927058770002e-10
LARGEST_EXPONENT = 708.0  # |x| up to which nothing happens at the edges of exp


def number(value: float) -> str:
    """A double in LLVM's exact spelling."""
    return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"


def double_bits(value: float) -> int:
    """The bits of a double as an integer."""
    return int(struct.unpack(">q", struct.pack(">d", value))[0])


def splat(value: float) -> str:
    """A constant vector."""
    return f"splat (double {number(value)})"


def table(name: str, rows: Sequence[str]) -> str:
    """Constant vectors in memory: an operand of an instruction instead of instructions that make it.

    A variable that another module might change, as far as the compiler knows, so that it is not folded into the code.
    Loads of its rows are marked as always the same: where registers are short they are done again.
    """
    listed = ", ".join(f"$V {row}" for row in rows)
    return f"@{name} = hidden global [{len(rows)} x $V] [{listed}], align 64\n"


def row(name: str, table: str, place: int) -> list[str]:
    """%name is a row of a table."""
    return [
        f"  %{name}at = getelementptr inbounds $V, ptr @{table}, i64 {place}",
        f"  %{name} = load $V, ptr %{name}at, align $A, !invariant.load !{{}}",
    ]


def polynomial(name: str, variable: str, square: str, table: str, first: int, count: int) -> list[str]:
    """%name = sum_k c_k variable^k with `count` coefficients from row `first` of a table.

    Even and odd powers are two rules of Horner side by side in `square`: half as long a chain of multiply-adds, each of
    which waits for the one before it.
    """
    lines = []
    for power in range(count):
        lines += row(f"{name}c{power}", table, first + power)
    for start in (0, 1):
        powers = range(start, count, 2)[::-1]
        sofar = f"%{name}c{powers[0]}"
        for power in powers[1:]:
            product = f"$V {sofar}, $V {square}, $V %{name}c{power}"
            lines.append(f"  %{name}{power} = call $V @llvm.fma.$S({product})")
            sofar = f"%{name}{power}"
    return [*lines, f"  %{name} = call $V @llvm.fma.$S($V %{name}1, $V {variable}, $V %{name}0)"]
