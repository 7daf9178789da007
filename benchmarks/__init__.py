"""How fast the batch core is, beside other solvers, and never without the error it reached.

`python -m benchmarks` measures and prints; the method, what is counted and what is not stand in docs/benchmarks.md.
Problems are data (`problems.yaml`), each engine is a small module under `peers/`, and every other measurement is a
module of its own. Run by hand, never as part of the tests: seconds depend on the machine and only inform.
"""
