"""Curves, histograms and images as matplotlib figures; pyplot and its open figures stay out."""

from cnnbp.pictures.plots.curves import (
    plot_gradient_norms,
    plot_growth,
    plot_histograms,
    plot_training,
)
from cnnbp.pictures.plots.images import (
    plot_confusion,
    plot_filters,
    plot_filters_over_time,
    plot_images,
    plot_maps,
)
from cnnbp.pictures.plots.plot import SIGNED, Plot

__all__ = [
    "SIGNED",
    "Plot",
    "plot_confusion",
    "plot_filters",
    "plot_filters_over_time",
    "plot_gradient_norms",
    "plot_growth",
    "plot_histograms",
    "plot_images",
    "plot_maps",
    "plot_training",
]
