"""Pictures under your hand: what a notebook displays. Only here is ipywidgets imported."""

from cnnbp.explorers.view import View, show

__all__ = ["View", "show"]
