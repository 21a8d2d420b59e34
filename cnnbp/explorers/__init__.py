"""Pictures under your hand: what a notebook displays. Only here is ipywidgets imported."""

from importlib.util import find_spec

if not find_spec("ipywidgets"):
    raise ModuleNotFoundError(
        "cnnbp.explorers needs ipywidgets, which makes the sliders; "
        "run this in a cell, then restart the kernel: %pip install ipywidgets",
        name="ipywidgets",
    )

from cnnbp.explorers.chain_rule import ChainRuleExplorer
from cnnbp.explorers.convolution import ConvolutionExplorer, KernelGradientExplorer
from cnnbp.explorers.gradient_flow import GradientFlowExplorer
from cnnbp.explorers.lineage import LineageExplorer
from cnnbp.explorers.pooling import PoolScatterExplorer
from cnnbp.explorers.step_size import StepSizeExplorer
from cnnbp.explorers.training import TrainingExplorer
from cnnbp.explorers.view import View, show

__all__ = [
    "ChainRuleExplorer",
    "ConvolutionExplorer",
    "GradientFlowExplorer",
    "KernelGradientExplorer",
    "LineageExplorer",
    "PoolScatterExplorer",
    "StepSizeExplorer",
    "TrainingExplorer",
    "View",
    "show",
]
