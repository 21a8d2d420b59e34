"""How pictures look, and which rules show what a cell has to say."""

# Of the drawing, in a page and as an image alone.
STYLE = """
.ID{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:12px;
max-width:100%;color:var(--jp-content-font-color1,#1f2430)}
.ID text{fill:currentColor}
.ID .page{fill:var(--jp-layout-color1,#fff)}
.ID .number text,.ID text.number,.ID .factor{fill:#1b1f29}
.ID .number{font-size:11px;text-anchor:middle;pointer-events:none}
.ID .name{font-weight:600}
.ID .quiet{opacity:.8;font-size:11px}
.ID .edge{fill:none;stroke:#9aa0ab;stroke-width:.6}
.ID .hatch{fill:none;stroke:#8a8f99;stroke-width:1}
.ID .arrow{fill:none;stroke:currentColor;stroke-width:1.5}
.ID .long{font-size:9.5px}
.ID .longer{font-size:8.4px}
.ID .factor{font-size:8.5px;text-anchor:end}
"""

# Of what links draw, as attributes: no rule that begins with the picture's name reaches what a
# <use> copies.
LOOK = {
    "ring": {"fill": "none", "stroke": "#111", "stroke-width": "2.4"},
    "fine": {"fill": "none", "stroke": "#111", "stroke-width": "1.1"},
    "frame": {"fill": "none", "stroke": "#111", "stroke-width": "1.8"},
    "halo": {"fill": "none", "stroke": "#fff", "stroke-width": "3.6"},
    "letter": {"fill": "#1b1f29", "font-size": "9px", "font-weight": "700"},
}
STYLE += "".join(
    f".ID .{css}{{{';'.join(map(':'.join, look.items()))}}}\n" for css, look in LOOK.items()
)

# Of the HTML around it. What is said stands where the longest of it ends, so nothing jumps; it
# sticks to the lower edge of a small screen.
HTML_STYLE = """
.ID{display:flex;flex-wrap:wrap;gap:8px 28px;align-items:flex-start;position:relative;margin:4px 0;
line-height:1.4;print-color-adjust:exact}
.ID .title{flex:0 0 100%;margin:0;font-size:13px;font-weight:600}
.ID .t{position:relative;max-width:100%;overflow-x:auto;overflow-y:hidden}
.ID svg{display:block;max-width:none;height:auto}
.ID .cell{position:absolute;margin:0;padding:0;width:40px;height:40px;appearance:none;
-webkit-appearance:none;background:none;border:0;border-radius:0;box-shadow:none;cursor:crosshair}
.ID .cell:focus-visible{outline:3px solid #8e24aa;outline-offset:-1px}
.ID .said{display:block;flex:0 0 100%;position:sticky;bottom:0;pointer-events:none}
.ID .said>div{display:grid}
.ID .said p,.ID .said .group{grid-area:1/1;align-self:start}
.ID .said p{margin:0;padding:4px 0;font-size:13px;
font-variant-numeric:tabular-nums;
background:var(--jp-layout-color0,var(--jp-layout-color1,#fff))}
.ID .said span{display:flex;flex-wrap:wrap;margin-top:3px}
.ID .said i{font-style:normal;min-width:38px;padding:1px 4px;border:1px solid #9aa0ab;
margin:0 -1px -1px 0;text-align:center;font-size:12px}
.ID .said u{display:block;text-decoration:none;font-size:11px;opacity:.8}
.ID .scale,.ID .alone{flex:0 0 100%}
.widget-html-content:has(>.ID){min-width:0}
.ID .group{display:none;visibility:hidden}
.ID .link,.ID .longest{visibility:hidden;pointer-events:none}
@media (max-width:420px){.ID .small{zoom:var(--fit)}}
@media print{.ID{color:#1f2430}.ID .said p{background:#fff}}
"""

# A pointed-at link is shown; a focused one only if none is pointed at, and the chosen one at rest.
# The arguments of :has name the way down to a cell, so that a browser looks nowhere else: it looks
# anew for every part that a rule could show. So that these are few, links lie in groups, as many
# as a group has links, and of all groups but one nothing is there.
FOCUSED = ".ID:not(:has(>*>*>.cell:hover)):has(>*>*>.CELL:focus)"
POINTED = f".ID:has(>*>*>.CELL:hover) .PART,{FOCUSED} .PART"
THERE = "display:grid;visibility:visible"
AT_REST = ".ID:not(:has(>*>*>.cell:hover)):not(:has(>*>*>.cell:focus)) .PART"

# What a stepper's position K shows: outweighs the choice that the picture made, unless a cell is
# pointed at.
_STEPPED = ".cnnbp:not(:has(>*>*>.cell:hover)):not(:has(>*>*>.cell:focus))"
STEP_HIDES = (
    f".cnnbp-stepper:has([class^=step-]) {_STEPPED} .group{{{THERE}}}"
    f".cnnbp-stepper:has([class^=step-]) {_STEPPED} .link{{visibility:hidden}}"
)
STEP_SHOWS = f".cnnbp-stepper:has(.step-K) {_STEPPED} .link.kK{{visibility:visible}}"


def group_size(links):
    """How many of this many links lie in a group: about as many as there are groups.

    >>> group_size(64), group_size(3)
    (8, 2)
    """
    return max(1, round(links**0.5))


def rules(links, chosen):
    """The rules that show each of this many links, and the chosen one at rest.

    A cell of link number k says in which group that lies and at which place in it.
    """
    if not links:
        return ""
    size = group_size(links)
    groups = [_shown(f"in{group}", f"group{group}") for group in range(-(-links // size))]
    groups.append(AT_REST.replace("PART", f"group{chosen // size}"))
    places = [_shown(f"at{place}", f"n{place}") for place in range(size)]
    places.append(AT_REST.replace("PART", f"k{chosen}"))
    shows = ",\n".join(groups), ",\n".join(places)
    return f"{shows[0]}{{{THERE}}}\n{shows[1]}{{visibility:inherit}}\n"


def _shown(cell, part):
    return POINTED.replace("CELL", cell).replace("PART", part)
