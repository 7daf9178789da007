"""How a dose is counted and when it is given: amounts in vesicles, schedules as times in days.

Where the vesicles go from there is a module of its own (`models/sbml/pk`); nothing here knows a body or a bone.
Times are added up as exact fractions of what the user wrote and rounded once, so that the eighth weekly dose stands
at 49 days and not beside it: the solver stops at every dose, and two stops an ulp apart would be two stops.
"""
