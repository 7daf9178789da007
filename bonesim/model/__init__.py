"""The flat, immutable ODE model and the expression tree it is written in.

Everything biological is data until here; everything after (code generation, solver) knows only what this
part defines. Expressions keep the form in which they were written: no symbolic algebra package, because on
entry such a package merges terms, cancels factors and forgets where a line came from, and with the written
form goes its floating-point behaviour. Four node kinds and one table of operators are enough.
"""
