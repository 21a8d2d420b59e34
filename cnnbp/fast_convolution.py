"""Other ways to convolve, for lesson 13: by views, by waves, by tiles. Stride 1, no padding.

What they take and return is conv2d's, without its options. `conv2d` is the one to use.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnbp.shape import complaint, conv_windows, images

# Winograd's matrices for four outputs of a 3 × 3 kernel, from a tile of 4 × 4 pixels.
TILE = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], "f4")
KERNEL = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], "f4")
OUTPUT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], "f4")


def conv2d_einsum(x, w):
    """conv2d's own products, summed one by one over a view of all windows: nothing is copied.

    x (N, C, H, W), w (F, C, KH, KW)
    returns  (N, F, H − KH + 1, W − KW + 1)

    Raises ValueError if channels disagree or no window fits.
    Lesson 13.  Source: definition of a discrete cross-correlation.

    >>> conv2d_einsum([[[[0, 1, 4, 9]]]], [[[[-1, 1]]]])
    array([[[[1., 3., 5.]]]])
    """
    x, w = _check(x, w)
    view = sliding_window_view(x, w.shape[2:], axis=(2, 3))  # (N, C, OH, OW, KH, KW)
    return np.einsum("ncijab,fcab->nfij", view, w)


def conv2d_fft(x, w):
    """conv2d by waves: each wave of an image meets the same wave of a kernel, once.

    Takes, returns and raises what conv2d_einsum does.
    Lesson 13.  Source: convolution theorem; a cross-correlation takes the kernel's conjugate.

    >>> conv2d_fft([[[[0, 1, 4, 9]]]], [[[[-1, 1]]]]).round(9)
    array([[[[1., 3., 5.]]]])
    """
    x, w = _check(x, w)
    (H, W), (KH, KW) = x.shape[2:], w.shape[2:]
    waves = np.fft.rfft2(x)  # (N, C, H, W//2 + 1): half the waves, the others mirror them
    kernels = np.fft.rfft2(w, (H, W)).conj()  # zeros fill them up to the image's size
    z = np.fft.irfft2(np.einsum("ncuv,fcuv->nfuv", waves, kernels, optimize=True), (H, W))
    return z[:, :, : H - KH + 1, : W - KW + 1]  # waves repeat: windows over the border are cut off


def conv2d_winograd(x, w):
    """conv2d of 3 × 3 kernels in tiles: 16 products for four outputs, in place of 36.

    x (N, C, H, W), w (F, C, 3, 3)   H and W even
    returns  (N, F, H − 2, W − 2)

    Raises ValueError if channels disagree, the kernel is another, or H or W is odd.
    Lesson 13.  Source: Lavin and Gray, Fast algorithms for convolutional neural networks, 2016.

    >>> conv2d_winograd(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)))
    array([[[[9., 9.],
             [9., 9.]]]])
    """
    x, w = _check(x, w)
    _check_tiles(x, w)
    N, C, F = *x.shape[:2], len(w)
    view = sliding_window_view(x, (4, 4), axis=(2, 3))[:, :, ::2, ::2]
    rows, columns = view.shape[2:4]
    tiles = (TILE @ view @ TILE.T).transpose(4, 5, 1, 0, 2, 3)  # (4, 4, C, N, rows, columns)
    kernels = (KERNEL @ w @ KERNEL.T).transpose(2, 3, 0, 1)  # (4, 4, F, C)
    products = kernels @ tiles.reshape(4, 4, C, N * rows * columns)
    z = OUTPUT @ products.transpose(2, 3, 0, 1) @ OUTPUT.T  # (F, N·rows·columns, 2, 2)
    z = z.reshape(F, N, rows, columns, 2, 2).transpose(1, 0, 2, 4, 3, 5)
    return z.reshape(N, F, 2 * rows, 2 * columns)


def _check(x, w):
    """x and w as arrays of one dtype, if w's windows fit."""
    x, w = images(x=x, w=w)
    conv_windows(x.shape, w.shape)
    return x, w


def _check_tiles(x, w):
    if w.shape[2:] != (3, 3):
        raise complaint(ValueError, f"w must have 3 × 3 kernels, not {w.shape}")
    if x.shape[2] % 2 or x.shape[3] % 2:
        raise complaint(
            ValueError, f"x must have an even number of rows and of columns, not {x.shape}"
        )
