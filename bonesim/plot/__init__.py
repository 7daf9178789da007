"""Figures of a run or a sweep: functions from a result to a matplotlib `Figure`, one file a kind of figure.

Nothing here touches pyplot or a global setting: importing has no effects, and figures are drawn by the Agg canvas
wherever they are made.
"""

from bonesim.plot.cells import plot_cells
from bonesim.plot.comparison import plot_comparison
from bonesim.plot.exposure import plot_exposure
from bonesim.plot.fan import plot_fan
from bonesim.plot.healing import plot_healing
from bonesim.plot.measured import plot_measured
from bonesim.plot.mechanism import plot_mechanism
from bonesim.plot.outcome import plot_bone_volume
from bonesim.plot.profile import plot_profile
from bonesim.plot.published import plot_published
from bonesim.plot.save import save_figure, save_figures, save_study_figures
from bonesim.plot.shares import plot_shares
from bonesim.plot.surface import plot_surface

__all__ = [
    "plot_bone_volume",
    "plot_cells",
    "plot_comparison",
    "plot_exposure",
    "plot_fan",
    "plot_healing",
    "plot_measured",
    "plot_mechanism",
    "plot_profile",
    "plot_published",
    "plot_shares",
    "plot_surface",
    "save_figure",
    "save_figures",
    "save_study_figures",
]
