"""Sliders that redraw a picture in JupyterLab, and say where to move them everywhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from io import BytesIO

import ipywidgets as widgets
from matplotlib.figure import Figure

from evals.results.plot_style import house_style

HINT = "Open this notebook in JupyterLab (`make lab`) and run it there to move sliders here."
_SERVED = "JPY_SESSION_NAME"
"""Set for kernels that a Jupyter server started for a page; not for those that papermill starts."""
_WIDE = {"width": "560px"}
_DPI = 110


def slider(name: str, value: float, low: float, high: float, step: float) -> widgets.FloatSlider:
    """A slider that redraws when it is let go.

    Its `value`, `low`, `high` and `step` are in the unit that `name` tells.
    """
    return widgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=name, continuous_update=False,
        style={"description_width": "240px"}, layout=_WIDE, readout_format=".4g",
    )  # fmt: skip


def whole_slider(name: str, value: int, low: int, high: int, step: int = 1) -> widgets.IntSlider:
    """A slider over whole numbers that redraws when it is let go.

    Its `value`, `low`, `high` and `step` are in the unit that `name` tells.
    """
    return widgets.IntSlider(
        value=value, min=low, max=high, step=step, description=name, continuous_update=False,
        style={"description_width": "240px"}, layout=_WIDE,
    )  # fmt: skip


def choice(name: str, value: float, options: Mapping[str, float]) -> widgets.SelectionSlider:
    """A slider over named values; `value` is one of them, in their unit."""
    return widgets.SelectionSlider(
        value=value, options=list(options.items()), description=name, continuous_update=False,
        style={"description_width": "240px"}, layout=_WIDE,
    )  # fmt: skip


class Live:
    """Controls above the picture that `draw`, called with their values by name, makes.

    Nothing is made or drawn before a page shows it: an executed notebook would keep the state.
    """

    def __init__(
        self, make: Callable[[], Mapping[str, widgets.ValueWidget]], draw: Callable[..., Figure]
    ) -> None:
        self._make = make
        self._draw = draw

    @cached_property
    def controls(self) -> dict[str, widgets.ValueWidget]:
        """By the name that `draw` knows each by."""
        controls = dict(self._make())
        for control in controls.values():
            control.observe(self.redraw, names="value")
        return controls

    @cached_property
    def image(self) -> widgets.Image:
        """The picture as last drawn."""
        return widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))

    def redraw(self, change: object = None) -> None:
        """Draw anew with the controls' present values."""
        figure = self._draw(**{name: control.value for name, control in self.controls.items()})
        image = BytesIO()
        with house_style():
            figure.savefig(image, format="png", dpi=_DPI)
        self.image.value = image.getvalue()

    def _repr_mimebundle_(self, **kwargs: object) -> object:
        if _SERVED not in os.environ:
            return {"text/markdown": HINT, "text/plain": HINT}
        self.redraw()
        box = widgets.VBox([*self.controls.values(), self.image])
        return box._repr_mimebundle_(**kwargs)
