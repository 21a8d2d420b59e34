"""Ten patches of a real photograph, the input of the course's reference network."""

import numpy as np

from cnnbp.shape import samples_first, samples_last

# (top, left) of each patch in the portrait of Grace Hopper that ships inside matplotlib. Places
# where a pooling window of the walkthrough network would see only white are avoided: rounding,
# which differs between machines, would choose the winner of such a tie.
PATCHES = {
    "star": (57, 38),
    "left eye": (160, 190),
    "right eye": (160, 282),
    "mouth": (246, 234),
    "emblem": (26, 232),
    "button": (542, 218),
    "badge": (468, 72),
    "ribbons": (478, 357),
    "collar": (428, 234),
    "flag": (301, 72),
}


def photo_patches(dtype=np.float64):
    """Ten 29 × 28 RGB patches of the photograph of Grace Hopper that comes with matplotlib.

    Every second pixel of 58 × 56 of them, in the order of PATCHES: star, left eye, right eye,
    mouth, emblem, button, badge, ribbons, collar, flag. Imports matplotlib when it is called.

    dtype    of the result
    returns  (10, 3, 29, 28), red, green and blue in [0, 1], batch last in memory

    Source: U.S. Navy photograph, in the public domain.

    >>> photo_patches().shape
    (10, 3, 29, 28)
    """
    from matplotlib import cbook, image  # a picture library, needed for its photograph only

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        photograph = image.imread(file, format="jpg")  # (600, 512, 3) of uint8
    patches = [photograph[y : y + 58 : 2, x : x + 56 : 2] for y, x in PATCHES.values()]
    pixels = np.stack(patches, axis=-1).transpose(3, 2, 0, 1)  # (29, 28, 3, 10) to N, C, H, W
    return samples_first(samples_last(pixels.astype(dtype) / 255))
