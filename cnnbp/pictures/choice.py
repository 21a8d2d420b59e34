"""What a picture is asked to show: is there such a sample, such a cell?"""

from cnnbp.shape import complaint


def check_choice(**choices):
    """Raise ValueError unless each number is one of those that there are.

    choices  name=(number, how many there are)

    >>> check_choice(sample=(2, 2))
    Traceback (most recent call last):
        ...
    ValueError: check_choice: there is no sample 2 among 2, counted from 0
    """
    for name, (number, count) in choices.items():
        if number not in range(count):
            raise complaint(
                ValueError, f"there is no {name} {number!r} among {count}, counted from 0"
            )


def rank_of(chosen, places):
    """How many of the places come before the chosen one.

    >>> rank_of([0, 1], [(0, 0), (0, 1)])
    1
    >>> rank_of((2, 2), [(0, 0), (0, 1)])
    Traceback (most recent call last):
        ...
    ValueError: rank_of: chosen must be one of the 2 from (0, 0) to (0, 1), not (2, 2)
    """
    places, chosen = list(places), chosen if isinstance(chosen, str) else tuple(chosen)
    if not places:
        raise complaint(ValueError, "there is nothing to choose, the result is empty")
    if chosen not in places:
        raise complaint(
            ValueError,
            f"chosen must be one of the {len(places)} from {places[0]} to "
            f"{places[-1]}, not {chosen!r}",
        )
    return places.index(chosen)
