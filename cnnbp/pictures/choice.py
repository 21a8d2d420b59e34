"""What a picture is asked to show: is there such a sample, such a cell?"""


def check_choice(function, **choices):
    """Raise ValueError unless each number is one of those that there are.

    choices  name=(number, how many there are)

    >>> check_choice("draw_conv2d", sample=(2, 2))
    Traceback (most recent call last):
        ...
    ValueError: draw_conv2d: there is no sample 2 among 2, counted from 0
    """
    for name, (number, count) in choices.items():
        if number not in range(count):
            raise ValueError(
                f"{function}: there is no {name} {number!r} among {count}, counted from 0"
            )


def rank_of(function, chosen, places):
    """How many of the places come before the chosen one.

    >>> rank_of("draw_linear", [0, 1], [(0, 0), (0, 1)])
    1
    >>> rank_of("draw_linear", (2, 2), [(0, 0), (0, 1)])
    Traceback (most recent call last):
        ...
    ValueError: draw_linear: chosen must be one of the 2 from (0, 0) to (0, 1), not (2, 2)
    """
    places, chosen = list(places), chosen if isinstance(chosen, str) else tuple(chosen)
    if not places:
        raise ValueError(f"{function}: there is nothing to choose, the result is empty")
    if chosen not in places:
        raise ValueError(
            f"{function}: chosen must be one of the {len(places)} from {places[0]} to "
            f"{places[-1]}, not {chosen!r}"
        )
    return places.index(chosen)
