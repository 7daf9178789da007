"""libRoadRunner and COPASI on the SBML that we export, doses included, give the trajectories that we give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from bonesim.referee import REFEREES, Question, Referee
from bonesim.resources import scenario_files
from bonesim.run import run
from bonesim.sbml.write import write_sbml
from bonesim.scenario.load import load_scenario
from bonesim.scenario.problem import Problem
from bonesim.scenario.resolve import resolve

SHIPPED = {file.stem: file for file in scenario_files()}

VARIANTS: dict[str, tuple[str, Mapping[str, str]]] = {
    **{name: (name, {}) for name in SHIPPED},
    "lemaire core": ("ovx_m2", {"model.core": "lemaire2004"}),
    "komarova core": ("ovx_m2", {"model.core": "komarova2003"}),
    "infusions": ("ovx_m2", {"doses[0].over": "6 h"}),
    "infusions that overlap": ("ovx_m2", {"doses[0].over": "40 h", "doses[0].every": "1 day"}),
    "local depot": ("ovx_m1", {"doses[0].route": "local"}),
    "gels": ("ovx_m2", {"doses[0].route": "local", "doses[0].carrier": "cha_sf_gcs_dfpeg"}),
    "carriers that release evenly and overlap": (
        "ovx_m2",
        {"doses[0].route": "local", "doses[0].carrier": "beta_tcp", "doses[0].every": "3 day"},
    ),
    "joint": ("ovx_m1", {"doses[0].route": "intra_articular"}),
    "first dose at the start": ("ovx_m2", {"doses[0].start": "0 day"}),
    "per body mass": ("ovx_m2", {"doses[0].amount": "1e10 particles/kg"}),
    "signal modules": (
        "ovx_m2",
        {"model.modules": "[rankl_opg, wnt_sclerostin]", "outputs": "[OBa, OCa, rankl_opg.RANKL, rankl_opg.OPG_total]"},
    ),
    "vessels and macrophages": (
        "ovx_m2",
        {
            "model.modules": "[angiogenesis, macrophage]",
            "outputs": "[OBa, vessel_density, M2, macrophage.TNFa, macrophage.IL10]",
        },
    ),
    "vesicles in a gel in a defect": ("defect_ucmsc_hydrogel", {}),
    "vesicles of the body itself": ("fracture_tbi", {}),
    "a cause that ends": ("ovx_m2", {"context": "[{id: gionfh, start: 2 week}]", "outputs": "[OBa, vessel_density]"}),
    "a fracture in arthritis": (
        "fracture_untreated",
        {"context": "[{id: ra}, {id: fracture, start: 2 week}]", "outputs": "[OBa, M1, new_bone, macrophage.TNFa]"},
    ),
}

RTOL = 1e-10
AGREEMENT = 1e-8
"""Of a quantity's largest value: a hundred steps' worth of RTOL on either side."""


@pytest.mark.parametrize("engine", REFEREES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("variant", VARIANTS)
def test_an_exported_scenario_runs_alike_elsewhere(variant: str, engine: Referee) -> None:
    name, changes = VARIANTS[variant]
    scenario = load_scenario(SHIPPED[name], {**changes, "solver.rtol": str(RTOL)})
    problem = resolve(scenario)
    dosed = run(scenario).sel(arm="dosed")
    ours = np.stack([dosed[output.name].values for output in problem.outputs], axis=1)
    (theirs,) = engine.courses([question(problem)])
    assert isinstance(theirs, np.ndarray), theirs
    difference = np.abs(ours - theirs[:, : len(problem.outputs)]).max(axis=0) / np.abs(ours).max(axis=0)
    worst = int(np.argmax(difference))
    assert difference[worst] < AGREEMENT, f"{problem.outputs[worst].name} differs by {difference[worst]:.1e}"


def question(problem: Problem) -> Question:
    """The exported file alone: outputs, and states, each of which has its tolerance."""
    names = list(dict.fromkeys(output.symbol for output in problem.outputs))
    names += [state.id for state in problem.model.states if state.id not in names]
    atol = (1e-16,) * len(names)  # cells are of the order of 1e-4 pM
    sbml, end = write_sbml(problem.model), float(problem.t_out[-1])
    return Question(sbml, len(problem.t_out) - 1, end, tuple(names), 0.1 * RTOL, atol)
