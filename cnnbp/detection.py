"""Find digits on a canvas: every cell of a grid says which digit its own is, and where it stands.

A detector's output is (N, K + 4, cells, cells): in every cell K scores, the last of them for
"nothing", and below them a box as `crowds` describes it.
"""

from dataclasses import dataclass

import numpy as np

from cnnbp.activation import ReLU
from cnnbp.convolution import Conv2d
from cnnbp.data import corners, intersection_over_union
from cnnbp.data.scenes import NOTHING
from cnnbp.loss import mean_squared_error, softmax_cross_entropy
from cnnbp.pooling import MaxPool2d
from cnnbp.shape import complaint, images, same_shape, samples_first


def pooled_blocks(channels, in_channels=1, **options):
    """The layers of a trunk: in each block a convolution, a ReLU, and a pooling that halves.

    channels     list of ints, what each block makes
    in_channels  of the images
    options      dtype and rng, as Conv2d takes them
    returns      list of layers

    Raises ValueError for channels below 1.
    Lesson 14.

    >>> from cnnbp.network import Network
    >>> Network(pooled_blocks([4, 8])).output_shape((5, 1, 24, 16))
    (5, 8, 6, 4)
    """
    layers = []
    for made in channels:
        layers += [Conv2d(in_channels, made, 3, padding=1, **options), ReLU(), MaxPool2d(2)]
        in_channels = made
    return layers


def cells_as_columns(z):
    """Every cell of every image becomes a column: channels come first, and only then the reshape.

    z        (N, K, H, W)
    returns  (K, H·W·N), the column of cell (i, j) of image n is number (i·W + j)·N + n

    Raises ValueError if z is not (N, K, H, W).
    Gradient: columns_as_cells.  Lesson 14.

    >>> cells_as_columns([[[[1, 2]], [[5, 6]]], [[[3, 4]], [[7, 8]]]])
    array([[1., 3., 2., 4.],
           [5., 7., 6., 8.]])
    """
    (z,) = images(z=z)
    return z.transpose(1, 2, 3, 0).reshape(z.shape[1], -1)


def columns_as_cells(columns, z_shape):
    """The way back of cells_as_columns, for values and for gradients.

    columns  (K, H·W·N)
    z_shape  (N, K, H, W)
    returns  (N, K, H, W), samples last in memory

    Raises ValueError if the numbers do not fit.
    Lesson 14.

    >>> columns_as_cells([[1, 3, 2, 4], [5, 7, 6, 8]], (2, 2, 1, 2))[1, :, 0, 0]
    array([3, 7])
    """
    columns, (N, K, H, W) = np.asarray(columns), z_shape
    same_shape("columns", columns, (K, H * W * N), f"as z is {tuple(z_shape)}")
    return samples_first(columns.reshape(K, H, W, N))


def detection_loss(z, found, boxes):
    """Softmax cross-entropy of all cells, and the boxes' squared error where there is a digit.

    z        (N, K + 4, cells, cells)   K scores, and below them a box
    found    (N, cells, cells)          the class of every cell; the last, K − 1, is "nothing"
    boxes    (N, 4, cells, cells)       as crowds gives them
    returns  loss (a float), dz like z; a cell without a digit has no box to be wrong about, so
             the last four rows of its dz are exactly 0

    Raises ValueError if the shapes disagree or a class is none of the K.
    Lesson 14.  Source: both losses' own gradients, each in its rows.

    >>> z, found, boxes = np.zeros((1, 6, 1, 2)), [[[0, 1]]], np.ones((1, 4, 1, 2))
    >>> loss, dz = detection_loss(z, found, boxes)
    >>> dz[0, :, 0]
    array([[-0.25,  0.25],
           [ 0.25, -0.25],
           [-0.5 ,  0.  ],
           [-0.5 ,  0.  ],
           [-0.5 ,  0.  ],
           [-0.5 ,  0.  ]])
    """
    z, boxes = images(z=z, boxes=boxes)
    N, rows, *grid = z.shape
    found = np.asarray(found)
    same_shape("found", found, (N, *grid), f"a class for each cell of z {z.shape}")
    same_shape("boxes", boxes, (N, 4, *grid), f"a box for each cell of z {z.shape}")
    columns, nothing = cells_as_columns(z), rows - 5
    labels = found.transpose(1, 2, 0).ravel()
    loss, of_classes = softmax_cross_entropy(columns[:-4], labels)
    dz = np.concatenate([of_classes, np.zeros_like(columns[-4:])])
    if (there := labels < nothing).any():
        wanted = cells_as_columns(boxes)[:, there]
        of_boxes, dz[-4:, there] = mean_squared_error(columns[-4:, there], wanted)
        loss += of_boxes
    return float(loss), columns_as_cells(dz, z.shape)


@dataclass(repr=False)
class Judged:
    """A detector's answers beside what is there, cell by cell; see `judge`.

    answers                   (N, cells, cells)     the class with the largest score
    right                     (N, cells, cells)     the class that is there
    drawn, there              (4, N, cells, cells)  boxes: the detector's, and those that are there
    found, missed, alarms     (N, cells, cells)     bools: a digit that the cell says is one,
                              one that it calls nothing, and nothing that it calls a digit
    read, agreement           (N, cells, cells)     whether the digit itself is right, and how well
                              the boxes agree, their intersection over union
    """

    answers: np.ndarray
    right: np.ndarray
    drawn: np.ndarray
    there: np.ndarray

    def __post_init__(self):
        says, holds = self.answers != NOTHING, self.right != NOTHING
        self.found, self.missed, self.alarms = says & holds, ~says & holds, says & ~holds
        self.read = self.found & (self.answers == self.right)
        self.agreement = intersection_over_union(self.drawn, self.there)

    @property
    def found_share(self):
        """Of all digits, how many were found."""
        return float(self.found.sum() / max(1, (self.found | self.missed).sum()))

    @property
    def read_share(self):
        """Of all digits, how many were found and are the digit that the cell says."""
        return float(self.read.sum() / max(1, (self.found | self.missed).sum()))

    @property
    def alarms_an_image(self):
        """False alarms, as many as there are on an image in the mean."""
        return float(self.alarms.sum() / len(self.alarms))

    def boxes(self):
        """What to draw: kind -> a list of N arrays (4, k), for plot_images.

        A found digit and a false alarm have the detector's box, a missed one its own.
        """
        kinds = {
            "found": (self.drawn, self.found),
            "missed": (self.there, self.missed),
            "false alarm": (self.drawn, self.alarms),
        }
        return {
            kind: [boxes[:, n, which[n]] for n in range(len(which))]
            for kind, (boxes, which) in kinds.items()
        }

    def __repr__(self):
        digits = (self.found | self.missed).sum()
        return (
            f"Judged({self.found.sum()} of {digits} digits found, {self.read.sum()} of them read, "
            f"{self.alarms.sum()} false alarms on {len(self.alarms)} images)"
        )


def judge(z, found, boxes):
    """What a detector said, set beside what is there.

    z        (N, 15, cells, cells)   its output: eleven scores and a box in each cell
    found    (N, cells, cells)       as crowds gives them, 10 where there is no digit
    boxes    (N, 4, cells, cells)    as crowds gives them
    returns  Judged

    A digit counts as found if the cell that it belongs to says any digit.
    Raises ValueError if the shapes disagree.
    Lesson 14.

    >>> z = np.zeros((1, 15, 1, 2)); z[0, 10, 0, 0] = 1  # "nothing", and a 0 beside it
    >>> judge(z, [[[7, 0]]], np.zeros((1, 4, 1, 2)))
    Judged(1 of 2 digits found, 1 of them read, 0 false alarms on 1 images)
    """
    z, boxes = images(z=z, boxes=boxes)
    if z.shape[1] != NOTHING + 5:
        raise complaint(ValueError, f"z must have {NOTHING + 5} channels, but is {z.shape}")
    found, grid = np.asarray(found), z.shape[2:]
    same_shape("found", found, (len(z), *grid), f"a class for each cell of z {z.shape}")
    same_shape("boxes", boxes, (len(z), 4, *grid), f"a box for each cell of z {z.shape}")
    answers = z[:, : NOTHING + 1].argmax(axis=1)
    return Judged(answers, found, corners(z[:, NOTHING + 1 :]), corners(boxes))
