"""How an explorer behaves in a page: names for those who do not see it, focus, sleep, refusal.

ipywidgets cannot name a slider or a play button, lets a slider announce the number of its position
("8") for its label ("1"), and lets anybody type into a read-out that does not read. What CSS can
mend is mended in CSS; the names take the few lines of script below. Where a page runs no script,
all of it works but the names.
"""

import re
from html import escape

_SIDES = "width", "height"

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
.cnnbp-explorer .widget-hslider .slider-container{min-width:160px}
.cnnbp-explorer :is(button,select,input,[role=slider]):focus-visible{outline:3px solid
var(--jp-ui-font-color1,#1f2430);outline-offset:2px;
box-shadow:0 0 0 2px var(--jp-layout-color1,#fff)}
.cnnbp-explorer .noUi-handle{border-color:var(--jp-ui-font-color2,#616161)}
.cnnbp-explorer .noUi-target{border:1px solid var(--jp-ui-font-color2,#616161)}
.cnnbp-explorer.jupyter-widgets-disconnected::before,
.cnnbp-explorer .jupyter-widgets-disconnected::before{display:none}
.cnnbp-asleep{display:none;margin:0 0 6px;padding:6px 10px;border-radius:6px;line-height:1.4;
border:1px solid #8a6100;background:#fff3d1;color:#4d3600}
.jupyter-widgets-disconnected .cnnbp-asleep{display:block}
.cnnbp-stage{overflow-x:auto}
.cnnbp-impossible{box-sizing:border-box;max-width:36em;margin:8px;padding:10px 14px;line-height:1.5;
border:2px solid #a3121f;border-radius:6px;background:#fde7e7;color:#8a0f1a;font-weight:600}
.cnnbp-stage:has(.cnnbp-impossible) svg{opacity:.35;filter:grayscale(1)}
.cnnbp-stage:has(.cnnbp-impossible) > :nth-child(2){pointer-events:none}
"""

MANNERS = (
    f"<style>{STYLE}</style>"
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


def picture_size(svg):
    """(width, height) of a picture, in pixels, where the page is wide enough.

    >>> picture_size('<svg viewBox="0 0 40 30" width="40" height="30"></svg>')
    (40.0, 30.0)
    """
    width, height = (re.search(rf'<svg[^>]* {side}="([0-9.]+)"', svg)[1] for side in _SIDES)
    return float(width), float(height)


def room(sizes):
    """Invisible pictures over one another, which shrink with the page as pictures do.

    >>> room([(40, 30)]).count("<svg ")
    1
    """
    look = "grid-area:1/1;max-width:100%;height:auto;visibility:hidden"
    pictures = "".join(
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'style="{look}"></svg>'
        for width, height in sizes
    )
    return f'<div aria-hidden="true" style="display:grid">{pictures}</div>'
