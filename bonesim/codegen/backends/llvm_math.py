"""Elementary functions on vectors as LLVM text: exp, ln and pow to within about two units in the last place.

exp: x = n ln 2 + r with |r| <= ln 2 / 2, 1 + r + r^2 Q(r), then 2^n by its exponent bits. ln: x = 2^e z with z in
[sqrt(1/2), sqrt(2)), s = (z - 1)/(z + 1) and 2 artanh(s) = 2 s + s^3 P(s^2). Q and P are the polynomials through the
function at the Chebyshev nodes of its interval, of the lowest degree whose error is below 1e-17. All are inlined;
calls into a vector library would need one to be there. With AVX-512 both go by tables, `llvm_tables`.

tanh: expm1(-2 |x|) by the same series without its 1, t/(t + 2).

`reciprocal`, for the solver's own denominators, and `ratio`, for those of the functions here, are good to one unit.
Where there is an estimate r of 1/x to 14 bits, r (1 + e + e^2) with e = 1 - x r and a step of Newton cost a third of a
division; 1/0 is NaN then, and 1/inf 1e-300.

`exp_of` holds below 708 and `ln_of` for positive numbers and 0, whose logarithm is -inf; the others mend the edges.
`ln_or_nan` is NaN where `ln_of` does not hold. Where all is ordinary `pow` has the bits of `exp_of` of b `ln_of` of a.
Results below e^-708, 3e-308, are 0. Without AVX-512 bases below 2e-308 are 0, too, and `ln` is that of 2e-308 there.
"""

from __future__ import annotations

import math

from bonesim.codegen.backends import llvm_tables
from bonesim.codegen.backends.llvm_numbers import (
    LARGEST_EXPONENT,
    LN2_HIGH,
    LN2_LOW,
    WITH_AVX512,
    double_bits,
    polynomial,
    splat,
    table,
)

ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest integer in the low bits
Q = (
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666662413,
    0.008333333333330062,
    0.0013888888917213717,
    0.00019841269863053618,
    2.4801521295954376e-05,
    2.7557268459997064e-06,
    2.7620088445409746e-07,
    2.510038549551032e-08,
)
P = (
    0.666666666666667,
    0.39999999999899444,
    0.2857142862600327,
    0.22222211130259878,
    0.18182889455674947,
    0.15331710618210773,
    0.14616585424888623,
)
SMALLEST = 2.2250738585072014e-308  # the smallest normal number


def functions(width: int) -> str:
    """Definitions of all functions named above, and declarations of the intrinsics that are used."""
    vector, integers, booleans = f"<{width} x double>", f"<{width} x i64>", f"<{width} x i1>"
    suffix = f"v{width}f64"
    names = {"V": vector, "I": integers, "B": booleans, "S": suffix, "A": str(8 * width)}
    text = _DECLARATIONS + _tanh() + _POW
    if width == WITH_AVX512:
        text += table("table", [splat(value) for value in Q]) + _DIVISIONS_BY_ESTIMATE + llvm_tables.functions()
    else:
        text += table("table", [splat(value) for value in (*Q, *P)]) + _DIVISIONS + _exp() + _ln()
    for key, value in names.items():
        text = text.replace(f"${key}", value)
    return text


_DECLARATIONS = """
declare $V @llvm.fma.$S($V, $V, $V)
declare $V @llvm.fabs.$S($V)
declare $V @llvm.sqrt.$S($V)
declare $V @llvm.floor.$S($V)
declare $V @llvm.ceil.$S($V)
declare $V @llvm.sin.$S($V)
declare $V @llvm.cos.$S($V)
declare $V @llvm.tan.$S($V)
declare $V @llvm.asin.$S($V)
declare $V @llvm.acos.$S($V)
declare $V @llvm.atan.$S($V)
declare $V @llvm.sinh.$S($V)
declare $V @llvm.cosh.$S($V)
declare $V @llvm.copysign.$S($V, $V)
"""


_DIVISIONS = f"""
define internal $V @reciprocal($V %x) alwaysinline {{
  %r = fdiv $V {splat(1.0)}, %x
  ret $V %r
}}
define internal $V @ratio($V %a, $V %b) alwaysinline {{
  %r = fdiv $V %a, %b
  ret $V %r
}}
"""

_DIVISIONS_BY_ESTIMATE = f"""
declare $V @llvm.x86.avx512.rcp14.pd.512($V, $V, i8)
define internal $V @nearly_reciprocal($V %x, $V %minus) alwaysinline {{
  %r0 = call $V @llvm.x86.avx512.rcp14.pd.512($V %x, $V zeroinitializer, i8 -1)
  %e = call $V @llvm.fma.$S($V %minus, $V %r0, $V {splat(1.0)})
  %c = call $V @llvm.fma.$S($V %e, $V %e, $V %e)
  %r = call $V @llvm.fma.$S($V %r0, $V %c, $V %r0)
  ret $V %r
}}
define internal $V @reciprocal($V %of) alwaysinline {{
  %large = fcmp olt $V {splat(1e300)}, %of
  %x = select $B %large, $V {splat(1e300)}, $V %of
  %minus = fneg $V %x
  %r0 = call $V @nearly_reciprocal($V %x, $V %minus)
  %rest = call $V @llvm.fma.$S($V %minus, $V %r0, $V {splat(1.0)})
  %r = call $V @llvm.fma.$S($V %rest, $V %r0, $V %r0)
  ret $V %r
}}
define internal $V @ratio($V %a, $V %b) alwaysinline {{
  %minus = fneg $V %b
  %r = call $V @nearly_reciprocal($V %b, $V %minus)
  %q = fmul $V %a, %r
  %rest = call $V @llvm.fma.$S($V %minus, $V %q, $V %a)
  %result = call $V @llvm.fma.$S($V %rest, $V %r, $V %q)
  ret $V %result
}}
"""


def _exp_near_zero() -> list[str]:
    """%n, in the low bits of %magic, and %tail = e^r - 1 of x = n ln 2 + r."""
    return [
        f"  %magic = call $V @llvm.fma.$S($V %x, $V {splat(1 / math.log(2))}, $V {splat(ROUND)})",
        f"  %n = fsub $V %magic, {splat(ROUND)}",
        "  %minus = fneg $V %n",
        f"  %r1 = call $V @llvm.fma.$S($V %minus, $V {splat(LN2_HIGH)}, $V %x)",
        f"  %r = call $V @llvm.fma.$S($V %minus, $V {splat(LN2_LOW)}, $V %r1)",
        "  %square = fmul $V %r, %r",
        *polynomial("q", "%r", "%square", "table", 0, len(Q)),
        "  %tail = call $V @llvm.fma.$S($V %q, $V %square, $V %r)",
    ]


def _exp() -> str:
    lines = [
        "define internal $V @exp_of($V %x) alwaysinline {",
        *_exp_near_zero(),
        f"  %sum = fadd $V %tail, {splat(1.0)}",
        "  %bits = bitcast $V %magic to $I",
        "  %power = shl $I %bits, splat (i64 52)",
        "  %mantissa = bitcast $V %sum to $I",
        "  %scaled = add $I %mantissa, %power",
        "  %value = bitcast $I %scaled to $V",
        f"  %some = fcmp ogt $V %x, {splat(-LARGEST_EXPONENT)}",
        "  %result = select $B %some, $V %value, $V zeroinitializer",
        "  ret $V %result",
        "}",
        "define internal $V @exp($V %x) alwaysinline {",
        f"  %over = fcmp ogt $V %x, {splat(709.782712893384)}",
        f"  %in = select $B %over, $V {splat(709.0)}, $V %x",
        "  %value = call $V @exp_of($V %in)",
        f"  %capped = select $B %over, $V {splat(math.inf)}, $V %value",
        "  %unknown = fcmp uno $V %x, %x",
        "  %result = select $B %unknown, $V %x, $V %capped",
        "  ret $V %result",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _tanh() -> str:
    lines = [
        "define internal $V @tanh($V %of) alwaysinline {",
        "  %size = call $V @llvm.fabs.$S($V %of)",
        f"  %large = fcmp ogt $V %size, {splat(20.0)}",  # from 19.1 on it is 1 to the last bit
        f"  %most = select $B %large, $V {splat(20.0)}, $V %size",
        f"  %x = fmul $V %most, {splat(-2.0)}",
        *_exp_near_zero(),
        "  %bits = bitcast $V %magic to $I",
        "  %power = shl $I %bits, splat (i64 52)",
        f"  %raised = add $I %power, splat (i64 {double_bits(1.0)})",
        "  %scale = bitcast $I %raised to $V",
        f"  %less = fsub $V %scale, {splat(1.0)}",
        "  %t = call $V @llvm.fma.$S($V %scale, $V %tail, $V %less)",
        f"  %two = fadd $V %t, {splat(2.0)}",
        "  %value = call $V @ratio($V %t, $V %two)",
        "  %result = call $V @llvm.copysign.$S($V %value, $V %of)",
        "  ret $V %result",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _ln() -> str:
    lines = [
        "define internal $V @ln_of($V %of) alwaysinline {",
        f"  %tiny = fcmp olt $V %of, {splat(SMALLEST)}",
        f"  %x = select $B %tiny, $V {splat(SMALLEST)}, $V %of",
        "  %bits = bitcast $V %x to $I",
        f"  %shifted = sub $I %bits, splat (i64 {double_bits(math.sqrt(0.5))})",
        f"  %ebits = and $I %shifted, splat (i64 {-1 << 52})",
        "  %zbits = sub $I %bits, %ebits",
        "  %z = bitcast $I %zbits to $V",
        # e as a double: e + 1023 is positive, and the low bits of 2^52 + (e + 1023).
        f"  %biased = add $I %shifted, splat (i64 {1023 << 52})",
        "  %low = lshr $I %biased, splat (i64 52)",
        f"  %ei = or $I %low, splat (i64 {double_bits(2.0**52)})",
        "  %ed = bitcast $I %ei to $V",
        f"  %n = fsub $V %ed, {splat(2.0**52 + 1023)}",
        f"  %f = fsub $V %z, {splat(1.0)}",
        f"  %g = fadd $V %z, {splat(1.0)}",
        "  %s = call $V @ratio($V %f, $V %g)",
        "  %w = fmul $V %s, %s",
        "  %ww = fmul $V %w, %w",
        *polynomial("p", "%w", "%ww", "table", len(Q), len(P)),
        "  %tail = fmul $V %p, %w",
        # ln z = f - s (f - tail): the small correction is added last, so that f keeps its bits.
        "  %gap = fsub $V %f, %tail",
        f"  %small = fmul $V %n, {splat(LN2_LOW)}",
        "  %minus = fneg $V %s",
        "  %corr = call $V @llvm.fma.$S($V %minus, $V %gap, $V %small)",
        "  %near = fadd $V %f, %corr",
        f"  %big = call $V @llvm.fma.$S($V %n, $V {splat(LN2_HIGH)}, $V %near)",
        f"  %result = select $B %tiny, $V {splat(-math.inf)}, $V %big",
        "  ret $V %result",
        "}",
        "define internal $V @ln($V %x) alwaysinline {",
        f"  %tiny = fcmp olt $V %x, {splat(SMALLEST)}",
        f"  %safe = select $B %tiny, $V {splat(SMALLEST)}, $V %x",
        "  %some = call $V @ln_of($V %safe)",
        f"  %infinite = fcmp oeq $V %x, {splat(math.inf)}",
        f"  %most = select $B %infinite, $V {splat(math.inf)}, $V %some",
        f"  %zero = fcmp oeq $V %x, {splat(0.0)}",
        f"  %least = select $B %zero, $V {splat(-math.inf)}, $V %most",
        f"  %bad = fcmp ult $V %x, {splat(0.0)}",
        f"  %result = select $B %bad, $V {splat(math.nan)}, $V %least",
        "  ret $V %result",
        "}",
    ]
    return "\n".join(lines) + "\n"


_POW = f"""
define internal $V @ln_or_nan($V %a) noinline {{
  %log = call $V @ln_of($V %a)
  %enough = fcmp oge $V %a, {splat(0.0)}
  %finite = fcmp olt $V %a, {splat(math.inf)}
  %both = and $B %enough, %finite
  %result = select $B %both, $V %log, $V {splat(math.nan)}
  ret $V %result
}}
define internal $V @pow($V %a, $V %b) noinline {{
  %usual = call $V @ln_or_nan($V %a)
  %product = fmul $V %b, %usual
  %plain = fcmp olt $V %product, {splat(LARGEST_EXPONENT)}
  %size = call $V @llvm.fabs.$S($V %a)
  %log = call $V @ln($V %size)
  %exponent = fmul $V %b, %log
  %value = call $V @exp($V %exponent)
  %floor = call $V @llvm.floor.$S($V %b)
  %whole = fcmp oeq $V %floor, %b
  %half = fmul $V %b, {splat(0.5)}
  %halffloor = call $V @llvm.floor.$S($V %half)
  %even = fcmp oeq $V %halffloor, %half
  %flipped = fneg $V %value
  %odd = select $B %even, $V %value, $V %flipped
  %signed = select $B %whole, $V %odd, $V {splat(math.nan)}
  %negative = fcmp olt $V %a, {splat(0.0)}
  %chosen = select $B %negative, $V %signed, $V %value
  %none = fcmp oeq $V %b, {splat(0.0)}
  %power = select $B %none, $V {splat(1.0)}, $V %chosen
  %unit = fcmp oeq $V %b, {splat(1.0)}
  %special = select $B %unit, $V %a, $V %power
  %ordinary = call $V @exp($V %product)
  %result = select $B %plain, $V %ordinary, $V %special
  ret $V %result
}}
"""
