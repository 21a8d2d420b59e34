"""Cut the photo patches out of the photograph, once and for all; `make photographs` runs it.

Two JPEG decoders may differ by a level or two of 255, and an input that differs gives other
gradients everywhere; hence the patches are data, and no lesson reads the photograph.
"""

from pathlib import Path

import numpy as np
from matplotlib import cbook, image

DATA = Path(__file__).parents[1] / "cnnbp" / "data"

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


def photograph():
    """As decoded here: (600, 512, 3) of uint8."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return image.imread(file, format="jpg")


def patches():
    """Every second pixel of 58 × 56 of them at each place: (10, 3, 29, 28)."""
    whole = photograph()
    cut = [whole[y : y + 58 : 2, x : x + 56 : 2] for y, x in PATCHES.values()]
    return np.stack(cut).transpose(0, 3, 1, 2)


def places():
    """Every pixel of each patch and of twelve around it, inside the photograph: (10, 3, 82, 80)."""
    whole = photograph()
    rows, columns, _ = whole.shape
    cut = []
    for y, x in PATCHES.values():
        top, left = min(max(y - 12, 0), rows - 82), min(max(x - 12, 0), columns - 80)
        cut.append(whole[top : top + 82, left : left + 80])
    return np.stack(cut).transpose(0, 3, 1, 2)


if __name__ == "__main__":
    np.savez_compressed(DATA / "photo_patches.npz", patches=patches())
    np.savez_compressed(DATA / "photo_places.npz", places=places())
