"""The semantic cases of the SBML Test Suite, solved and compared by the suite's own rule.

`python -m benchmarks.sbml_suite FOLDER` with the folder `cases/semantic` of github.com/sbmlteam/sbml-test-suite,
unpacked. The suite is no part of this project. `cases.py` reads a case and judges an answer, `engines.py` asks the
engines, `runs.py` gives each case a process and a limit, `table.py` says what came of them.
"""
