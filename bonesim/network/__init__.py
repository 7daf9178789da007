"""From catalogue entries to logic ODEs: what vesicles and mediators do inside cells.

One normalisation is used throughout: a Hill function that is normalised at the *basal* state. With basal activity b
in (0, 1) and a drive u that is 1 in health,

    dy/dt = (b u / (1 - b + b u) - y) / tau

so b is the exact resting state whatever the strengths are, activity stays within (0, 1), and drives multiply: on the
scale of log odds every path adds its own part, and taking one out removes exactly that part. The two common
normalisations fix full activation instead (f(1) = 1); there the resting state moves with every drawn strength and has
to be found numerically, and one of them needs EC50^n < 0.5. See docs/decisions/0003-basal-normalised-hill.md.
"""
