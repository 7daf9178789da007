"""exp and ln by tables of sixteen, as LLVM text for processors with AVX-512.

Such a table is a pair of registers, and one instruction looks all lanes up. Others take a number apart into exponent
and mantissa, 0, infinities and numbers below the normal ones included, or scale by a power of 2.

exp: x = (n + j/16) ln 2 + r with |r| <= ln 2 / 32; 2^(j/16) (1 + r + r^2 Q(r)), then 2^n.
ln: x = 2^e m with m in [3/4, 3/2), f = m c_j - 1 with c_j near 1/m by the leading bits of m, so that f is in
[-1/32, 1/16]; e ln 2 - ln c_j + f + f^2 P(f). c_j is 1 on both sides of 1, so that no digits cancel there; the others
are such that ln c_j is a double to within a hundredth of its last place.

Q and P are the polynomials through the function at the Chebyshev nodes of its interval, of the lowest degree whose
error is below 3e-17 of the result.
"""

from __future__ import annotations

import math

from bonesim.codegen.backends.llvm_numbers import (
    LARGEST_EXPONENT,
    LN2_HIGH,
    LN2_LOW,
    number,
    polynomial,
    row,
    splat,
    table,
)

Q = (0.5, 0.1666666666530169, 0.04166666666496045, 0.008333449701253458, 0.0013889034348599464)
P = (
    -0.49999999999999994,
    0.33333333333340287,
    -0.2500000000009317,
    0.1999999995328674,
    -0.16666665870721806,
    0.1428579138027727,
    -0.12501839998216407,
    0.11081912861679763,
    -0.088437987998088,
)
ROOTS = (
    1.0,
    1.0442737824274138,
    1.0905077326652577,
    1.1387886347566916,
    1.189207115002721,
    1.241857812073484,
    1.2968395546510096,
    1.3542555469368927,
    1.4142135623730951,
    1.4768261459394993,
    1.5422108254079407,
    1.6104903319492543,
    1.681792830507429,
    1.7562521603732995,
    1.8340080864093424,
    1.9152065613971474,
)  # 2^(j/16)
INVERSES = (
    1.0,
    0.91650390625,
    0.8616943359375,
    0.822021484375,
    0.77545166015625,
    0.744140625,
    0.7117919921875,
    0.6854248046875,
    1.306640625,
    1.2451171875,
    1.2119140625,
    1.16015625,
    1.121826171875,
    1.0712890625,
    1.043701171875,
    1.0,
)  # c_j, by the four leading bits of the mantissa: from 1 to 3/2, then from 3/4 to 1
LOGARITHMS = (
    0.0,
    0.08718894957288958,
    0.14885466988381685,
    0.19598874755826923,
    0.25430963208496987,
    0.2955252499128068,
    0.339969556057133,
    0.37771648010674547,
    -0.26745943508872067,
    -0.21922965199307343,
    -0.19220097960515412,
    -0.14855469432313714,
    -0.11495786807044371,
    -0.06886265467577715,
    -0.04277321465151688,
    0.0,
)  # -ln c_j
SIXTEENTHS = 1.5 * 2.0**48  # adding it leaves a number's nearest sixteenth, its low four bits say which
LARGEST = 710.0  # from 709.8 on e^x is infinite


def functions() -> str:
    """Definitions of `exp_of`, `exp`, `ln_of` and `ln`, as `llvm_math` says what they hold for."""
    return _DECLARATIONS + _tables() + "\n".join([*_exp(), *_ln()]) + "\n"


_DECLARATIONS = """
declare $V @llvm.x86.avx512.vpermi2var.pd.512($V, $I, $V)
declare $V @llvm.x86.avx512.mask.scalef.pd.512($V, $V, $V, i8, i32)
declare $V @llvm.x86.avx512.mask.getexp.pd.512($V, $V, i8, i32)
declare $V @llvm.x86.avx512.mask.getmant.pd.512($V, i32, $V, i8, i32)
"""
_MANTISSA = 11  # from 3/4 to 3/2, of what is below 0 no number
_EVERY_LANE = "$V zeroinitializer, i8 -1, i32 4"  # and rounding as it is set


def _tables() -> str:
    halves = [values[start : start + 8] for values in (ROOTS, INVERSES, LOGARITHMS) for start in (0, 8)]
    rows = [f"<{', '.join(f'double {number(value)}' for value in half)}>" for half in halves]
    return table("sixteen", rows) + table("by_sixteen", [splat(value) for value in (*Q, *P)])


def _looked_up(name: str, index: str, first: int) -> list[str]:
    """%name is what the low four bits of an index say of the pair of rows from `first` on."""
    pair = f"$V %{name}low, $I {index}, $V %{name}high"
    rows = row(f"{name}low", "sixteen", first) + row(f"{name}high", "sixteen", first + 1)
    return [*rows, f"  %{name} = call $V @llvm.x86.avx512.vpermi2var.pd.512({pair})"]


def _exp() -> list[str]:
    return [
        "define internal $V @exp_of($V %x) alwaysinline {",
        f"  %magic = call $V @llvm.fma.$S($V %x, $V {splat(1 / math.log(2))}, $V {splat(SIXTEENTHS)})",
        f"  %n = fsub $V %magic, {splat(SIXTEENTHS)}",
        "  %minus = fneg $V %n",
        f"  %r1 = call $V @llvm.fma.$S($V %minus, $V {splat(LN2_HIGH)}, $V %x)",
        f"  %r = call $V @llvm.fma.$S($V %minus, $V {splat(LN2_LOW)}, $V %r1)",
        "  %square = fmul $V %r, %r",
        *polynomial("q", "%r", "%square", "by_sixteen", 0, len(Q)),
        "  %tail = call $V @llvm.fma.$S($V %q, $V %square, $V %r)",
        "  %index = bitcast $V %magic to $I",
        *_looked_up("root", "%index", 0),
        "  %sum = call $V @llvm.fma.$S($V %root, $V %tail, $V %root)",
        f"  %some = fcmp ugt $V %x, {splat(-LARGEST_EXPONENT)}",
        "  %mask = bitcast $B %some to i8",
        # By the whole part of n, in the lanes of the mask; 0 in the others.
        "  %value = call $V @llvm.x86.avx512.mask.scalef.pd.512($V %sum, $V %n, $V zeroinitializer, i8 %mask, i32 4)",
        "  ret $V %value",
        "}",
        "define internal $V @exp($V %x) alwaysinline {",
        f"  %over = fcmp olt $V {splat(LARGEST)}, %x",
        f"  %capped = select $B %over, $V {splat(LARGEST)}, $V %x",
        "  %value = call $V @exp_of($V %capped)",
        "  ret $V %value",
        "}",
    ]


def _ln() -> list[str]:
    return [
        "define internal $V @ln_of($V %x) alwaysinline {",
        f"  %m = call $V @llvm.x86.avx512.mask.getmant.pd.512($V %x, i32 {_MANTISSA}, {_EVERY_LANE})",
        f"  %whole = call $V @llvm.x86.avx512.mask.getexp.pd.512($V %x, {_EVERY_LANE})",
        f"  %own = call $V @llvm.x86.avx512.mask.getexp.pd.512($V %m, {_EVERY_LANE})",
        "  %e = fsub $V %whole, %own",
        "  %bits = bitcast $V %m to $I",
        "  %index = lshr $I %bits, splat (i64 48)",
        *_looked_up("inverse", "%index", 2),
        *_looked_up("log", "%index", 4),
        f"  %f = call $V @llvm.fma.$S($V %m, $V %inverse, $V {splat(-1.0)})",
        "  %square = fmul $V %f, %f",
        *polynomial("p", "%f", "%square", "by_sixteen", len(Q), len(P)),
        f"  %small = fmul $V %e, {splat(LN2_LOW)}",
        "  %tail = call $V @llvm.fma.$S($V %p, $V %square, $V %small)",
        "  %near = fadd $V %f, %tail",
        f"  %big = call $V @llvm.fma.$S($V %e, $V {splat(LN2_HIGH)}, $V %log)",
        "  %value = fadd $V %big, %near",
        "  ret $V %value",
        "}",
        "define internal $V @ln($V %x) alwaysinline {",
        "  %value = call $V @ln_of($V %x)",
        "  ret $V %value",
        "}",
    ]
