"""What the course's networks look at."""

from cnnbp.data.handwritten import digits
from cnnbp.data.photograph import photo_patches

__all__ = ["digits", "photo_patches"]
