"""SED-ML Level 1 Version 3: which model is solved, over which times, by which method, and what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from bonesim.sbml.mathml_write import MATHML, number_text

_SEDML = "http://sed-ml.org/sed-ml/level1/version3"
_SBML = "http://www.sbml.org/sbml/level3/version2/core"
_TIME = "urn:sedml:symbol:time"
CVODE = "KISAO:0000019"
"""Asked for, since other tools have it; their answer is ours to the tolerance."""
_RTOL = "KISAO:0000209"
_ATOL = "KISAO:0000211"


@dataclass(frozen=True)
class Course:
    """One simulation: `points` equal intervals from 0 to `end`, in the model's time, and the symbols to report."""

    end: float
    points: int
    symbols: Sequence[tuple[str, str]]
    """(id, label)"""
    rtol: float
    atol: float


def write_sedml(model_file: str, course: Course) -> str:
    """The SED-ML text for parameters of the flat SBML in `model_file`: one report of all symbols, one plot."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<sedML xmlns="{_SEDML}" xmlns:sbml="{_SBML}" level="1" version="3">',
        "  <listOfSimulations>",
        f'    <uniformTimeCourse id="course" initialTime="0" outputStartTime="0" '
        f'outputEndTime="{number_text(course.end)}" numberOfPoints="{course.points}">',
        f'      <algorithm kisaoID="{CVODE}">',
        "        <listOfAlgorithmParameters>",
        f'          <algorithmParameter kisaoID="{_RTOL}" value="{number_text(course.rtol)}"/>',
        f'          <algorithmParameter kisaoID="{_ATOL}" value="{number_text(course.atol)}"/>',
        "        </listOfAlgorithmParameters>",
        "      </algorithm>",
        "    </uniformTimeCourse>",
        "  </listOfSimulations>",
        "  <listOfModels>",
        f'    <model id="model" language="urn:sedml:language:sbml.level-3.version-2" source={quoteattr(model_file)}/>',
        "  </listOfModels>",
        "  <listOfTasks>",
        '    <task id="task" modelReference="model" simulationReference="course"/>',
        "  </listOfTasks>",
        "  <listOfDataGenerators>",
        *_generator("time", "time", f'symbol="{_TIME}"'),
        *(line for symbol, label in course.symbols for line in _generator(symbol, label, _target(symbol))),
        "  </listOfDataGenerators>",
        "  <listOfOutputs>",
        '    <report id="report">',
        "      <listOfDataSets>",
        *(
            f'        <dataSet id="data_{name}" label={quoteattr(name)} dataReference="of_{name}"/>'
            for name in ("time", *(symbol for symbol, _ in course.symbols))
        ),
        "      </listOfDataSets>",
        "    </report>",
        '    <plot2D id="plot">',
        "      <listOfCurves>",
        *(
            f'        <curve id="curve_{symbol}" logX="false" logY="false" xDataReference="of_time" '
            f'yDataReference="of_{symbol}"/>'
            for symbol, _ in course.symbols
        ),
        "      </listOfCurves>",
        "    </plot2D>",
        "  </listOfOutputs>",
        "</sedML>",
    ]
    return "\n".join(lines) + "\n"


def _target(symbol: str) -> str:
    path = f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{symbol}']"
    return f"target={quoteattr(path)}"


def _generator(name: str, label: str, source: str) -> list[str]:
    return [
        f'    <dataGenerator id="of_{name}" name={quoteattr(label)}>',
        "      <listOfVariables>",
        f'        <variable id="{name}_value" taskReference="task" {source}/>',
        "      </listOfVariables>",
        f'      <math xmlns="{MATHML}"><ci> {escape(name)}_value </ci></math>',
        "    </dataGenerator>",
    ]
