"""What the course's networks look at."""

from cnnbp.data.curves import bug_curves
from cnnbp.data.deep_runs import deep_runs
from cnnbp.data.handwritten import digits
from cnnbp.data.photograph import PLACES, photo_patches, photo_places
from cnnbp.data.reference import reader_reference, walkthrough_reference
from cnnbp.data.scenes import corners, crowds, intersection_over_union, scenes

__all__ = [
    "PLACES",
    "bug_curves",
    "corners",
    "crowds",
    "deep_runs",
    "digits",
    "intersection_over_union",
    "photo_patches",
    "photo_places",
    "reader_reference",
    "scenes",
    "walkthrough_reference",
]
