"""All exercises by name, in the order of their declaration."""

EXERCISES = {}
