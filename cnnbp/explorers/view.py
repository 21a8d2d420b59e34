"""A picture that answers to the pointer, in a notebook's output."""

import ipywidgets as widgets

LEGIBLE = {"width": "100%"}


class View:
    """What `show` returns: a picture that answers to the pointer, and its still form beside it.

    JupyterLab shows a bare SVG output as an image, which no pointer can reach, and takes style and
    drawing out of HTML that is not trusted; inside an HTML widget the picture is part of the page.

    html     the picture, an Svg
    widget   what JupyterLab shows
    """

    def __init__(self, picture):
        self.html = picture
        self.widget = widgets.HTML(picture, layout=LEGIBLE)

    def _repr_mimebundle_(self, include=None, exclude=None):
        still = self.html._repr_mimebundle_()
        return {**self.widget._repr_mimebundle_(), **still, "text/plain": repr(self)}

    def __repr__(self):
        return self.html.description

    def close(self):
        """Free the widget and all that it is made of."""
        release(self.widget)


def release(*found):
    """Close widgets and what they are made of: children, layouts, styles.

    Closing a box leaves all that is in it registered, and so in memory.
    """
    seen = {}
    found = list(found)
    while found:
        widget = found.pop()
        if widget not in seen:
            seen[widget] = True
            for key in widget.keys:
                value = getattr(widget, key)
                parts = value if isinstance(value, tuple) else (value,)
                found += [part for part in parts if isinstance(part, widgets.Widget)]
    for widget in seen:
        widget.close()


def show(picture):
    """Display a picture so that pointing at its cells shows what made them.

    picture  Svg, as the functions of cnnbp.pictures return it
    returns  View, to be the last line of a cell

    >>> from cnnbp.pictures import draw_conv2d_dw
    >>> show(draw_conv2d_dw([[[[2.0]]]], [[[[3.0]]]], [[[[4.0]]]]))
    Weight gradient dw[0,0] of a convolution: each cell sums dz[0,0] times the cells of x[0,0] \
that its weight met. dw[0,0,0,0] = a 2·3 = 6
    """
    return View(picture)
