"""Random reaction networks as libRoadRunner has them, from their own text and from what we write.

Compartments that grow and shrink, species as amounts and as concentrations, at the boundary or not, conversion factors,
stoichiometries that are symbols, rules, initial assignments and functions.
"""

from __future__ import annotations

import numpy as np
import roadrunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bonesim.results.species import amount
from bonesim.sbml.antimony import antimony_to_sbml
from bonesim.sbml.read import read_antimony, read_sbml
from bonesim.sbml.write import write_sbml
from bonesim.simulate import simulate

TIMES = np.linspace(0.0, 5.0, 21)
CONSTANTS = ("k0", "k1", "k2")

numbers = st.integers(2, 30).map(lambda n: f"{n / 10:g}")
FORMS = (
    "({0} + {1})", "{0} * {1}", "{0} / (0.5 + {1})", "share({0}, {1})", "(1.1 + sin({0}))", "exp(-{0})", "ln(1 + {0})",
    "{0}^{2}", "sqrt({0})", "max({0}, {1})", "min({0}, {1})", "(1 + tanh({0} - {1}))", "arctan({0})",
    "piecewise({0}, time > {2}, {1})",
)  # fmt: skip


def formulas(names: tuple[str, ...], depth: int = 2) -> st.SearchStrategy[str]:
    """Positive and bounded: sizes of symbols, put together."""
    sizes = st.sampled_from(names).map("(0.2 + abs({0}) / (1 + abs({0})))".format)
    leaves = st.one_of(numbers, sizes)
    if depth == 0:
        return leaves
    inside = formulas(names, depth - 1)
    return st.one_of(leaves, st.builds(str.format, st.sampled_from(FORMS), inside, inside, numbers))


@st.composite
def networks(draw: st.DrawFn) -> str:
    """The Antimony text of a model."""
    lines = ["function share(a, b) a / (a + b); end", "model m()"]
    compartments = [f"c{number}" for number in range(draw(st.integers(1, 2)))]
    for name in compartments:
        size, constant = draw(numbers), formulas(CONSTANTS, 1)
        lines += draw(
            st.sampled_from(
                [
                    [f"compartment {name} = {size};"],
                    [f"var compartment {name} = {size}; {name}' = 0.3*(1.5 - {name}) + 0.1*sin(2*time);"],
                    [f"var compartment {name}; {name} := {size} + 0.1*sin({size}*time);"],
                    [f"compartment {name} = {draw(constant)};"],
                ]
            )
        )
    lines += [f"{name} = {draw(numbers)};" for name in CONSTANTS]
    species = [f"S{number}" for number in range(draw(st.integers(2, 4)))]
    names = (*CONSTANTS, *compartments, *species, "time")
    ruled = set()
    for name in species:
        kind = draw(st.sampled_from(["species", "substanceOnly species"]))
        at_boundary = draw(st.integers(0, 3)) == 0
        lines.append(f"{kind} {'$' if at_boundary else ''}{name} in {draw(st.sampled_from(compartments))};")
        if at_boundary and draw(st.booleans()):
            ruled.add(name)
            lines.append(f"{name} := {draw(formulas((*CONSTANTS, *compartments, 'time')))};")
        else:
            lines.append(f"{name} = {draw(formulas(CONSTANTS, 1))};")
        if draw(st.integers(0, 3)) == 0:
            lines.append(f"{name}.conversionFactor = k1;")
    lines += ["v := " + draw(formulas(names)) + ";", "w = 1; w' = " + draw(formulas(names)) + " - w;"]
    for number in range(draw(st.integers(1, 3))):
        lines += draw(reactions(number, [name for name in species if name not in ruled], (*names, "v", "w")))
    if draw(st.booleans()):
        lines.append("model.conversionFactor = k2;")
    return "\n".join([*lines, "end", ""])


@st.composite
def reactions(draw: st.DrawFn, number: int, species: list[str], names: tuple[str, ...]) -> list[str]:
    """One reaction, with what its stoichiometries need; nothing is used up that is not there."""
    chosen = draw(st.lists(st.sampled_from(species), max_size=3, unique=True)) if species else []
    sides: tuple[list[str], list[str]] = [], []
    law, more = draw(formulas((*names, f"own{number}"))), []
    for name in chosen:
        side = draw(st.integers(0, 1))
        factor = draw(st.sampled_from(["", "2 ", "0.5 ", f"n{number}{name} "]))
        if factor.startswith("n"):
            rule = draw(st.sampled_from(["{} = {}", "{} := {} + 0.2*sin(time)", "{0} = 1; {0}' = {1} - {0}"]))
            more.append(rule.format(factor.strip(), draw(formulas(CONSTANTS, 1))) + ";")
        if side == 0:
            law += f" * {name} / (0.3 + abs({name}))"
        sides[side].append(factor + name)
    reaction = f"R{number}: {' + '.join(sides[0])} => {' + '.join(sides[1])}; {law};"
    return [*more, f"own{number} = {draw(numbers)};", reaction]


def theirs(sbml: str, names: list[str]) -> np.ndarray:
    """(time, name) by libRoadRunner, for which the name of a species is its amount."""
    runner = roadrunner.RoadRunner(sbml)
    runner.integrator.absolute_tolerance = 1e-13
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.maximum_time_step = 0.01  # conditions in rates it steps over
    runner.timeCourseSelections = names
    return np.array(runner.simulate(TIMES[0], TIMES[-1], len(TIMES)))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), st.sampled_from(["numpy", "llvm"]))
def test_a_random_network(text: str, backend: str) -> None:
    sbml = antimony_to_sbml(text, file="m.ant")
    ode = read_antimony(text, file="m.ant")
    symbols = [symbol.id for symbol in ode.symbols()]
    ours = simulate(ode, TIMES, symbols, rtol=1e-9, backend=backend)
    written = write_sbml(ode)
    assert read_sbml(written, file="m.xml").with_(id=ode.id) == ode
    own = [name for name in symbols if not name.endswith("_amount")]
    compared = [(sbml, own, [amount(ours, name).values for name in own])]
    compared.append((written, symbols, [ours[name].values for name in symbols]))
    for model, names, values in compared:
        for name, found, expected in zip(names, values, theirs(model, names).T, strict=True):
            size = max(np.abs(expected).max(), 1e-6)
            np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * size, err_msg=f"{name}\n{text}")
