"""How pictures look, and which rules show what a cell has to say."""

# Of the drawing, in a page and as an image alone.
STYLE = """
.ID{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:12px;
max-width:100%;color:var(--jp-content-font-color1,#1f2430)}
.ID text{fill:currentColor}
.ID .page{fill:var(--jp-layout-color1,#fff)}
.ID .number text,.ID text.number,.ID .letter,.ID .factor{fill:#1b1f29}
.ID .number{font-size:11px;text-anchor:middle;pointer-events:none}
.ID .name{font-weight:600}
.ID .quiet{opacity:.8;font-size:11px}
.ID .edge{fill:none;stroke:#9aa0ab;stroke-width:.6}
.ID .hatch{fill:none;stroke:#8a8f99;stroke-width:1}
.ID .arrow{fill:none;stroke:currentColor;stroke-width:1.5}
.ID .long{font-size:9.5px}
.ID .longer{font-size:8.4px}
.ID .ring{fill:none;stroke:#111;stroke-width:2.4}
.ID .fine{fill:none;stroke:#111;stroke-width:1.1}
.ID .frame{fill:none;stroke:#111;stroke-width:1.8}
.ID .halo{fill:none;stroke:#fff;stroke-width:3.6}
.ID .factor{font-size:8.5px;text-anchor:end}
.ID .letter{font-size:9px;font-weight:700}
"""

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
.ID .said{flex:0 0 100%;display:grid;position:sticky;bottom:0;pointer-events:none}
.ID .said p{grid-area:1/1;align-self:start;margin:0;padding:4px 0;font-size:13px;
font-variant-numeric:tabular-nums;
background:var(--jp-layout-color0,var(--jp-layout-color1,#fff))}
.ID .said span{display:flex;flex-wrap:wrap;margin-top:3px}
.ID .said i{font-style:normal;min-width:38px;padding:1px 4px;border:1px solid #9aa0ab;
margin:0 -1px -1px 0;text-align:center;font-size:12px}
.ID .said u{display:block;text-decoration:none;font-size:11px;opacity:.8}
.ID .scale{flex:0 0 100%}
.widget-html-content:has(>.ID){min-width:0}
.ID .link{visibility:hidden;pointer-events:none}
@media (max-width:420px){.ID .small{zoom:.7}}
@media print{.ID{color:#1f2430}.ID .said p{background:#fff}}
"""

# A pointed-at link is shown; a focused one only if none is pointed at, and the chosen one at rest.
# The arguments of :has name the way down to a cell, so that a browser looks nowhere else.
POINTED = """.ID:has(>*>*>.cK:hover) .kK,.ID:not(:has(>*>*>.cell:hover)):has(>*>*>.cK:focus) .kK"""
AT_REST = ".ID:not(:has(>*>*>.cell:hover)):not(:has(>*>*>.cell:focus)) .kK"

# What a stepper's position K shows: outweighs the choice that the picture made, unless a cell is
# pointed at.
STEP_HIDES = (
    ".cnnbp-stepper:has([class^=step-]) "
    ".cnnbp:not(:has(>*>*>.cell:hover)):not(:has(>*>*>.cell:focus)) .link{visibility:hidden}"
)
STEP_SHOWS = (
    ".cnnbp-stepper:has(.step-K) "
    ".cnnbp:not(:has(>*>*>.cell:hover)):not(:has(>*>*>.cell:focus)) .link.kK{visibility:visible}"
)


def rules(links, chosen):
    """The rules that show each of this many links, and the chosen one at rest."""
    if not links:
        return ""
    shown = [POINTED.replace("K", str(k)) for k in range(links)]
    shown.append(AT_REST.replace("K", str(chosen)))
    return ",\n".join(shown) + "{visibility:visible}\n"
