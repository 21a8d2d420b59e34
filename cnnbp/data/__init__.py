"""What the course's networks look at."""

from cnnbp.data.handwritten import digits
from cnnbp.data.photograph import photo_patches
from cnnbp.data.reference import walkthrough_reference

__all__ = ["digits", "photo_patches", "walkthrough_reference"]
