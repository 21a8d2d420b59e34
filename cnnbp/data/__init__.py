"""What the course's networks look at."""

from cnnbp.data.handwritten import digits

__all__ = ["digits"]
