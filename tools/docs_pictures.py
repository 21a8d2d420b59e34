"""Write the pictures that the README and the website's first page show; `make docs` runs it."""

from pathlib import Path

import numpy as np

from cnnbp import explorers
from cnnbp.pictures import draw_conv2d_dx

DOCS = Path(__file__).parents[1] / "docs"


def signature():
    """One cell of dx in its two readings: nine different weights show what the rotation does."""
    dz = np.array([[[[1, -1], [0.5, 2]]]])
    w = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    return draw_conv2d_dx(dz, np.zeros((1, 1, 5, 6)), w, (0, 0, 2, 2), stride=2)


def opening(kind):
    """What an explorer shows before anything is moved, as a function."""

    def draw():
        explorer = kind()
        explorer.close()
        return explorer.html

    return draw


PICTURES = {
    "signature.svg": signature,
    "chain_rule_explorer.svg": opening(explorers.ChainRuleExplorer),
    "convolution_explorer.svg": opening(explorers.ConvolutionExplorer),
    "kernel_gradient_explorer.svg": opening(explorers.KernelGradientExplorer),
    "pool_scatter_explorer.svg": opening(explorers.PoolScatterExplorer),
    "gradient_flow_explorer.svg": opening(explorers.GradientFlowExplorer),
    "lineage_explorer.svg": opening(explorers.LineageExplorer),
    "step_size_explorer.svg": opening(explorers.StepSizeExplorer),
    "training_explorer.svg": opening(explorers.TrainingExplorer),
}
LIVE = "signature.html"  # the same as the SVG file, and it answers to the pointer
TRAINED = {"training_explorer.svg"}  # another processor rounds otherwise, and trains otherwise


if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (DOCS / name).write_text(draw().still + "\n", encoding="utf-8")
    (DOCS / LIVE).write_text(signature() + "\n", encoding="utf-8")
