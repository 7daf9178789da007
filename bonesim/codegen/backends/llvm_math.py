"""Elementary functions on vectors as LLVM text: exp, ln and pow to within about two units in the last place.

exp: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial of degree 12 in r, then 2^n by its exponent bits. ln: x = 2^e z
with z in [sqrt(1/2), sqrt(2)), s = (z - 1)/(z + 1) and the series of 2 artanh(s) as a polynomial of s^2. Both are
inlined; calls into a vector library would need one to be there.
"""

from __future__ import annotations

import math
import struct

LN2_HIGH = 6.93147180369123816490e-01  # leading bits of ln 2, so that n LN2_HIGH is exact
LN2_LOW = 1.90821492927058770002e-10
ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest integer in the low bits
TERMS_OF_EXP = 13
TERMS_OF_LN = 12


def number(value: float) -> str:
    """A double in LLVM's exact spelling."""
    return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"


def splat(value: float) -> str:
    """A constant vector."""
    return f"splat (double {number(value)})"


def functions(width: int) -> str:
    """Definitions of @exp, @ln, @pow and declarations of the intrinsics that generated code uses."""
    vector, integers, booleans = f"<{width} x double>", f"<{width} x i64>", f"<{width} x i1>"
    suffix = f"v{width}f64"
    names = {"V": vector, "I": integers, "B": booleans, "S": suffix}
    text = _DECLARATIONS + _exp() + _ln() + _POW
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
declare $V @llvm.tanh.$S($V)
declare $V @llvm.masked.load.$S.p0(ptr, i32, $B, $V)
declare void @llvm.masked.store.$S.p0($V, ptr, i32, $B)
"""


def _exp() -> str:
    lines = [
        "define internal $V @exp($V %x) alwaysinline {",
        f"  %over = fcmp ogt $V %x, {splat(709.782712893384)}",
        f"  %under = fcmp olt $V %x, {splat(-708.3964185322641)}",
        f"  %low = select $B %under, $V {splat(-708.0)}, $V %x",
        f"  %in = select $B %over, $V {splat(709.0)}, $V %low",
        f"  %magic = call $V @llvm.fma.$S($V %in, $V {splat(1 / math.log(2))}, $V {splat(ROUND)})",
        f"  %n = fsub $V %magic, {splat(ROUND)}",
        "  %minus = fneg $V %n",
        f"  %r1 = call $V @llvm.fma.$S($V %minus, $V {splat(LN2_HIGH)}, $V %in)",
        f"  %r = call $V @llvm.fma.$S($V %minus, $V {splat(LN2_LOW)}, $V %r1)",
        f"  %p0 = fadd $V zeroinitializer, {splat(1 / math.factorial(TERMS_OF_EXP))}",
    ]
    for step in range(TERMS_OF_EXP):
        coefficient = splat(1 / math.factorial(TERMS_OF_EXP - 1 - step))
        lines.append(f"  %p{step + 1} = call $V @llvm.fma.$S($V %p{step}, $V %r, $V {coefficient})")
    lines += [
        "  %bits = bitcast $V %magic to $I",
        "  %power = shl $I %bits, splat (i64 52)",
        f"  %mantissa = bitcast $V %p{TERMS_OF_EXP} to $I",
        "  %sum = add $I %mantissa, %power",
        "  %value = bitcast $I %sum to $V",
        f"  %capped = select $B %over, $V {splat(math.inf)}, $V %value",
        "  %result = select $B %under, $V zeroinitializer, $V %capped",
        "  ret $V %result",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _ln() -> str:
    sqrt_half = struct.unpack(">q", struct.pack(">d", math.sqrt(0.5)))[0]
    round_bits = struct.unpack(">q", struct.pack(">d", ROUND))[0]
    lines = [
        "define internal $V @ln($V %x) alwaysinline {",
        f"  %tiny = fcmp olt $V %x, {splat(2.2250738585072014e-308)}",
        f"  %safe = select $B %tiny, $V {splat(2.2250738585072014e-308)}, $V %x",
        "  %bits = bitcast $V %safe to $I",
        f"  %shifted = sub $I %bits, splat (i64 {sqrt_half})",
        "  %e = ashr $I %shifted, splat (i64 52)",
        "  %ebits = shl $I %e, splat (i64 52)",
        "  %zbits = sub $I %bits, %ebits",
        "  %z = bitcast $I %zbits to $V",
        f"  %ei = add $I %e, splat (i64 {round_bits})",
        "  %ed = bitcast $I %ei to $V",
        f"  %n = fsub $V %ed, {splat(ROUND)}",
        f"  %f = fsub $V %z, {splat(1.0)}",
        f"  %g = fadd $V %z, {splat(1.0)}",
        "  %s = fdiv $V %f, %g",
        "  %w = fmul $V %s, %s",
        f"  %q0 = fadd $V zeroinitializer, {splat(2 / (2 * TERMS_OF_LN + 1))}",
    ]
    for step in range(TERMS_OF_LN - 1):
        coefficient = splat(2 / (2 * (TERMS_OF_LN - 1 - step) + 1))
        lines.append(f"  %q{step + 1} = call $V @llvm.fma.$S($V %q{step}, $V %w, $V {coefficient})")
    lines += [
        f"  %tail = fmul $V %q{TERMS_OF_LN - 1}, %w",
        # ln z = f - s (f - tail): the small correction is added last, so that f keeps its bits.
        "  %gap = fsub $V %f, %tail",
        f"  %small = fmul $V %n, {splat(LN2_LOW)}",
        "  %minus = fneg $V %s",
        "  %corr = call $V @llvm.fma.$S($V %minus, $V %gap, $V %small)",
        "  %near = fadd $V %f, %corr",
        f"  %big = call $V @llvm.fma.$S($V %n, $V {splat(LN2_HIGH)}, $V %near)",
        f"  %infinite = fcmp oeq $V %x, {splat(math.inf)}",
        f"  %r1 = select $B %infinite, $V {splat(math.inf)}, $V %big",
        f"  %zero = fcmp oeq $V %x, {splat(0.0)}",
        f"  %r2 = select $B %zero, $V {splat(-math.inf)}, $V %r1",
        f"  %bad = fcmp ult $V %x, {splat(0.0)}",
        f"  %result = select $B %bad, $V {splat(math.nan)}, $V %r2",
        "  ret $V %result",
        "}",
    ]
    return "\n".join(lines) + "\n"


_POW = f"""
define internal $V @pow($V %a, $V %b) {{
  %size = call $V @llvm.fabs.$S($V %a)
  %log = call $V @ln($V %size)
  %product = fmul $V %b, %log
  %value = call $V @exp($V %product)
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
  %result = select $B %unit, $V %a, $V %power
  ret $V %result
}}
"""
