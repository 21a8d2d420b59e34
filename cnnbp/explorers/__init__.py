"""Pictures under your hand: what a notebook displays. Only here is ipywidgets imported."""

from cnnbp.explorers.convolution import KernelGradientExplorer
from cnnbp.explorers.view import View, show

__all__ = ["KernelGradientExplorer", "View", "show"]
