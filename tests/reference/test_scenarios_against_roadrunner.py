"""libRoadRunner on the SBML that we export, doses included, gives the trajectories that we give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import roadrunner

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


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_exported_scenario_runs_alike_in_libroadrunner(variant: str) -> None:
    name, changes = VARIANTS[variant]
    scenario = load_scenario(SHIPPED[name], {**changes, "solver.rtol": str(RTOL)})
    problem = resolve(scenario)
    ours, theirs = run(scenario).sel(arm="dosed"), referee(problem)
    for column, output in enumerate(problem.outputs):
        mine, other = ours[output.name].values, theirs[:, column]
        difference = np.abs(mine - other).max() / np.abs(other).max()
        assert difference < AGREEMENT, f"{output.name} differs by {difference:.1e}"


def referee(problem: Problem) -> np.ndarray:
    """(time, output) by libRoadRunner from the exported file alone."""
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    engine = roadrunner.RoadRunner(write_sbml(problem.model))
    engine.integrator.relative_tolerance = 0.1 * RTOL
    engine.integrator.absolute_tolerance = 1e-16  # cells are of the order of 1e-4 pM
    engine.integrator.maximum_num_steps = 2_000_000
    engine.timeCourseSelections = [output.symbol for output in problem.outputs]
    return np.asarray(engine.simulate(0, problem.t_out[-1], len(problem.t_out)))
