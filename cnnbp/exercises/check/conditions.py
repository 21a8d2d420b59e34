"""Conditions under which a mistake may be made, on a case's arguments; None if none applies."""


def _of_pair(name, test):
    return lambda arguments: test(arguments[name]) if name in arguments else None


CONDITIONS = {
    "stride is 1": _of_pair("stride", lambda stride: stride == (1, 1)),
    "stride is not 1": _of_pair("stride", lambda stride: stride != (1, 1)),
    "padding is 0": _of_pair("padding", lambda padding: padding == (0, 0)),
    "padding is not 0": _of_pair("padding", lambda padding: padding != (0, 0)),
}
