"""Arrays in, pictures out: SVG text that answers to the pointer, and matplotlib figures."""

from cnnbp.pictures.columns import draw_col2im, draw_im2col
from cnnbp.pictures.convolution import draw_conv2d_db, draw_conv2d_dw, draw_conv2d_z
from cnnbp.pictures.convolution_dx import draw_conv2d_dx
from cnnbp.pictures.graph import draw_graph
from cnnbp.pictures.layers import draw
from cnnbp.pictures.lineage import draw_lineage
from cnnbp.pictures.linear import (
    draw_flatten_dx,
    draw_linear_dw,
    draw_linear_dx,
    draw_linear_z,
)
from cnnbp.pictures.network import draw_network
from cnnbp.pictures.pooling import draw_avg_pool2d_dx, draw_max_pool2d_dx

__all__ = [
    "draw",
    "draw_avg_pool2d_dx",
    "draw_col2im",
    "draw_conv2d_db",
    "draw_conv2d_dw",
    "draw_conv2d_dx",
    "draw_conv2d_z",
    "draw_flatten_dx",
    "draw_graph",
    "draw_im2col",
    "draw_lineage",
    "draw_linear_dw",
    "draw_linear_dx",
    "draw_linear_z",
    "draw_max_pool2d_dx",
    "draw_network",
]
