"""How an explorer behaves in a page: names for those who do not see it, focus, sleep, refusal.

ipywidgets cannot name a slider or a play button, lets a slider announce the number of its position
("8") for its label ("1"), and lets anybody type into a read-out that does not read. What CSS can
mend is mended in CSS; the names take the few lines of script below. Where a page runs no script,
all of it works but the names.
"""

import operator
import re
from html import escape

SAID = 90  # pixels that a read-out always has
PAGES = 1100, 900, 700, 560, 420, 340  # pixels that a picture may be wide

# Sets the names and values that are read aloud, now and whenever a part of the explorer changes.
SCRIPT = """
const root = this.closest('.cnnbp-explorer')
if (!root || root.named) return
root.named = true
const each = (selector, act) => root.querySelectorAll(selector).forEach(act)
const set = (element, name, value) =>
    element && element.getAttribute(name) !== value && element.setAttribute(name, value)
const teach = () => {
    each('.widget-slider', slider => {
        const handle = slider.querySelector('[role=slider]')
        const readout = slider.querySelector('.widget-readout')
        const label = slider.querySelector('.widget-label')
        set(handle, 'aria-label', label ? label.textContent : '')
        if (readout && readout.style.display !== 'none') {
            set(handle, 'aria-valuetext', readout.textContent)
            set(readout, 'contenteditable', 'false')
        }
    })
    each('input[placeholder]', field => set(field, 'aria-label', field.placeholder))
    each('.widget-play', play => ['Play or pause', 'Back to the start'].forEach((name, i) => {
        set(play.children[i], 'aria-label', name)
        set(play.children[i], 'title', name)
    }))
    each('.widget-toggle-buttons', group => {
        set(group, 'role', 'group')
        set(group, 'aria-label', group.querySelector('.widget-label').textContent)
        group.querySelectorAll('button').forEach(button =>
            set(button, 'aria-pressed', String(button.classList.contains('mod-active'))))
    })
}
teach()
new MutationObserver(teach).observe(root, {subtree: true, childList: true, attributes: true,
    attributeFilter: ['aria-valuenow', 'contenteditable', 'class']})
"""

STYLE = """
.cnnbp-explorer .widget-readout{min-width:3em;pointer-events:none;
-webkit-user-modify:read-only;border:none;
color:var(--jp-ui-font-color1,#1f2430)}
.cnnbp-explorer .widget-label{color:var(--jp-ui-font-color1,#1f2430)}
.cnnbp-explorer .widget-hslider .slider-container{min-width:162px}
@media (max-width:480px){.cnnbp-explorer .widget-inline-hbox:has(.slider-container){flex-wrap:wrap;
height:auto;width:100%!important;min-width:0}
.cnnbp-explorer .widget-inline-hbox:has(.slider-container) > .widget-label{width:100%!important;
text-align:left}
.cnnbp-explorer .widget-hbox:has(> .widget-slider){overflow:visible;align-items:flex-end}
.cnnbp-explorer .widget-hbox > .widget-slider .slider-container{margin-top:12px;margin-bottom:12px}}
.cnnbp-explorer :is(button,select,input,[role=slider]):focus-visible{outline:3px solid
var(--jp-ui-font-color1,#1f2430)!important;outline-offset:2px;
box-shadow:0 0 0 2px var(--jp-layout-color1,#fff)}
.cnnbp-explorer .noUi-handle{border-color:var(--jp-ui-font-color2,#616161)}
.cnnbp-explorer .noUi-target{border:1px solid var(--jp-ui-font-color2,#616161)}
.cnnbp-explorer.jupyter-widgets-disconnected::before,
.cnnbp-explorer .jupyter-widgets-disconnected::before{display:none}
.cnnbp-asleep{display:none;margin:0 0 6px;padding:6px 10px;border-radius:6px;line-height:1.4;
border:1px solid #8a6100;background:#fff3d1;color:#4d3600}
.jupyter-widgets-disconnected .cnnbp-asleep{display:block}
.cnnbp-stage{grid-template-columns:minmax(0,1fr)}
.cnnbp-stage > :not(:nth-child(2)){pointer-events:none}
.cnnbp-stage .cnnbp-impossible{pointer-events:auto}
.cnnbp-stage .said{min-height:SAIDpx}
.cnnbp-room{display:grid;visibility:hidden}
.cnnbp-room > div{grid-area:1/1;align-self:start}
.cnnbp-impossible{position:relative;box-sizing:border-box;max-width:36em;margin:8px;
padding:10px 14px;line-height:1.5;
border:2px solid #a3121f;border-radius:6px;background:#fde7e7;color:#8a0f1a;font-weight:600}
.cnnbp-stage:has(.cnnbp-impossible) .cnnbp{opacity:.35;filter:grayscale(1)}
.cnnbp-stage:has(.cnnbp-impossible) > :nth-child(2){pointer-events:none}
"""

MANNERS = (
    f"<style>{STYLE.replace('SAID', str(SAID))}</style>"
    f'<img alt="" hidden src="data:," onerror="{escape(f"(function(){{{SCRIPT}}}).call(this)")}">'
)

ASLEEP = (
    '<p class="cnnbp-asleep" role="status">This explorer sleeps: the kernel that moved it was '
    "restarted or has ended. To wake it, run its cell again: click into the cell above, then "
    "press Shift+Enter. Pointing at the picture still works.</p>"
)


def impossible(sentence):
    """What lies over the last picture while the controls allow none."""
    return f'<div class="cnnbp-impossible" role="alert">{escape(sentence)}</div>'


def outlines(picture):
    """A picture without what is in it: invisible, and as high as the picture in any page.

    Of what can be said the longest stays, since that decides how high the read-out is.

    >>> outlines('<div class="cnnbp a"><svg width="4" height="3"><g/></svg></div>')
    '<div class="a"><svg width="4" height="3"></svg></div>'
    """
    bare = re.sub(r'<div class="group.*?</div>', "", picture, flags=re.DOTALL)
    bare = re.sub(r"(<svg[^>]*>).*?</svg>", r"\1</svg>", bare, flags=re.DOTALL)
    bare = re.sub(r"\.cnnbp-\w+:has\(.*?</style>", "</style>", bare, flags=re.DOTALL)
    bare = re.sub(r"<input[^>]*>| (?:role|aria-label)=\"[^\"]*\"", "", bare)
    return bare.replace('class="cnnbp ', 'class="', 1)


def heights(picture):
    """About how high a picture is in pages of several widths, in pixels.

    >>> two = '<svg viewBox="" width="400" height="300">' * 2
    >>> heights(two)[0], heights(two)[-1]
    (398, 706)
    """
    blocks = re.findall(r'( alone[^>]*>)?<svg[^>]* width="([\d.]+)" height="([\d.]+)"', picture)
    longest = max(map(len, re.findall(r'<p class="longest">(.*?)</p>', picture)), default=0)
    found = []
    for page in PAGES:
        total, across, row = max(SAID, (longest * 7 // page + 1) * 18), 0, 0
        for alone, width, height in ((a, float(w), float(h)) for a, w, h in blocks):
            if across and (alone or across + width > page):
                total, across, row = total + row, 0, 0
            across, row = page if alone else across + width + 28, max(row, int(height) + 8)
        found.append(total + row)
    return found


class Room:
    """The room that pictures of one kind have: as high as the highest of them, in any page.

    heights  of it in pages of several widths, in pixels
    html     what takes it up, invisible

    >>> room = Room()
    >>> room.fit('<svg viewBox="" width="400" height="300"></svg>')
    >>> room.fit('<svg viewBox="" width="400" height="200"></svg>')
    >>> room.heights[0], room.html.count("<svg")
    (398, 1)
    """

    def __init__(self):
        self.heights, self._outlines = [0] * len(PAGES), []

    def fit(self, picture):
        """Make room for this picture, too."""
        needed = heights(picture)
        if any(map(operator.gt, needed, self.heights)):
            self.heights = [*map(max, needed, self.heights)]
            self._outlines.append(outlines(picture))

    @property
    def html(self):
        return f'<div class="cnnbp-room" aria-hidden="true">{"".join(self._outlines)}</div>'
