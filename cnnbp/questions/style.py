"""The rules by which a question answers in the page: CSS alone, the same text for every question.

The state is in the page's own fields. `.check` is ticked: what is marked is locked and judged.
`.again` unlocks it once more, `.recheck` judges it a second time, and that one shows which cells.
An input of class `r` belongs to the right answer, of class w0 … w3 to a wrong one; an answer is
right if every r is ticked and nothing else. What is said waits in `data-say`, so that a page
without styles says nothing.
"""

from cnnbp.questions.question import MOST_WRONG

FORM = ".cnnbp-ask form"
LOCKED = f"{FORM}:is(:has(.check:checked):not(:has(.again:checked)),:has(.recheck:checked))"
OTHER_THAN = ":has({0}:not(:checked),.c:checked:not({0}){1})"
WRONG = OTHER_THAN.format(".r", ",.field:invalid")
RIGHT = f":not({WRONG})"

LOOKS = """
.cnnbp-ask{border-left:4px solid #3d7fd6;padding:4px 0 4px 14px;margin:10px 0;max-width:46em;
line-height:1.5;font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;
font-size:14px;color:var(--jp-content-font-color1,inherit)}
.cnnbp-ask fieldset{border:0;margin:0;padding:0;min-width:0}
.cnnbp-ask legend{padding:0;font-weight:500;white-space:normal}
.cnnbp-ask .act,.cnnbp-ask .tables,.cnnbp-ask .row{display:flex;flex-wrap:wrap;gap:8px}
.cnnbp-ask p{margin:6px 0}
.cnnbp-ask label{position:relative;cursor:pointer}
.cnnbp-ask .c,.cnnbp-ask .act input{position:absolute;inset:0;opacity:0;margin:0;width:100%;
height:100%;cursor:pointer}
.cnnbp-ask .o{display:block;margin:4px 0}
.cnnbp-ask .o span,.cnnbp-ask .act span,.cnnbp-ask button{display:block;border:2px solid #8b93a1;
border-radius:6px;padding:4px 10px;min-height:24px;box-sizing:border-box}
.cnnbp-ask .row{align-items:center;margin:6px 0}
.cnnbp-ask .row legend{float:left;font-weight:400;margin-right:4px}
.cnnbp-ask .row .o{margin:0}
.cnnbp-ask .wide .row legend{float:none;width:100%}
.cnnbp-ask .c:checked+span{border-color:#3d7fd6;box-shadow:inset 0 0 0 1px #3d7fd6}
.cnnbp-ask .o span::before{content:"○ "}
.cnnbp-ask .o .c:checked+span::before{content:"● "}
.cnnbp-ask input:focus-visible+span,.cnnbp-ask input:focus-visible~.on,
.cnnbp-ask summary:focus-visible,.cnnbp-ask button:focus-visible,.cnnbp-ask .field:focus-visible
{outline:3px solid #d9730d;outline-offset:2px}
.cnnbp-ask .act{margin:10px 0 4px}
.cnnbp-ask .act span,.cnnbp-ask button{background:#2f64a8;border-color:#2f64a8;color:#fff;
font:inherit;cursor:pointer}
.cnnbp-ask button,.cnnbp-ask .act :checked~.on{background:none;color:inherit;border-color:#8b93a1}
.cnnbp-ask .act .on,.cnnbp-ask .act :checked~.off,.cnnbp-ask .later,.cnnbp-ask .common,
.cnnbp-ask .show,.cnnbp-ask [data-say]{display:none}
.cnnbp-ask .act :checked~.on{display:block}
.cnnbp-ask .field{font:inherit;font-size:16px;padding:5px 8px;width:13em;max-width:100%;
box-sizing:border-box;border:2px solid #8b93a1;border-radius:6px;box-shadow:none;
background:var(--jp-layout-color1,#fff);color:var(--jp-content-font-color1,#1b1f29)}
.cnnbp-ask .t{border-collapse:collapse;border:0;margin:0 10px 4px 0;table-layout:fixed;
width:auto;font-size:12px}
.cnnbp-ask .t caption{text-align:left;font-weight:600;padding:0 0 2px;color:inherit}
.cnnbp-ask .t th{font-weight:400;font-size:10px;padding:1px 4px;text-align:center;border:0;
background:none;opacity:.8}
.cnnbp-ask .t td{padding:0;border:1px solid #8a8f99;min-width:38px;height:34px;text-align:center;
color:#1b1f29;background:#fafaf8}
.cnnbp-ask .t tbody tr,.cnnbp-ask .t td:empty{background:none}
.cnnbp-ask .t td:empty{border:0}
.cnnbp-ask .t label,.cnnbp-ask .t label span{display:block}
.cnnbp-ask .t label span{border:3px solid transparent;line-height:28px;padding:0 3px;
position:relative}
.cnnbp-ask .t .c:checked+span{border-color:#111;box-shadow:none}
.cnnbp-ask .t input:focus-visible+span{outline-offset:-1px;z-index:1}
.cnnbp-ask [data-say]{margin:6px 0;padding-left:1.4em;text-indent:-1.4em}
.cnnbp-ask [data-say]::before{content:attr(data-say)}
.cnnbp-ask details{margin:6px 0}
.cnnbp-ask summary{cursor:pointer;min-height:24px;width:fit-content}
.cnnbp-ask details ul{margin:4px 0;padding-left:1.4em}
@media(max-width:600px){.cnnbp-ask{padding-left:8px}.cnnbp-ask .t td{min-width:34px}}
@media(forced-colors:active){.cnnbp-ask .t .c+span{border-color:Canvas}
.cnnbp-ask .c:checked+span,.cnnbp-ask .t .c:checked+span{border-color:Highlight}}
@media print{.cnnbp-ask .act{display:none!important}}
"""

# What is locked can be reached by no pointer, and by no key: an input that cannot be seen takes
# no focus. A field that is typed in must be seen; where a browser knows no `interactivity`, going
# into it takes the verdict away until it is left.
LOCKS = f"""
{LOCKED} :is(.c,.field){{pointer-events:none}}
{LOCKED} label:has(.c,.field){{pointer-events:none;cursor:default}}
{LOCKED} .c{{visibility:hidden}}
{LOCKED} .field{{interactivity:inert;opacity:.85}}
{FORM}:has(.field:focus) :is([data-say],details){{display:none!important}}
"""

STEPS = f"""
{FORM}:has(.check:checked) :is(.reset,.show){{display:block}}
{LOCKED}{WRONG} :is(.common,.again-label){{display:block}}
{FORM}:has(.again:checked) .check-label,{FORM}:has(.recheck:checked) .again-label
{{display:none!important}}
{FORM}:has(.again:checked) :is(.again-label,.recheck-label){{display:block}}
"""

SAYS = f"""
{LOCKED}{RIGHT} .yes,{LOCKED}{WRONG} .no,{LOCKED}:not(:has(.c:checked)) .none,
{LOCKED}:has(.r:not(:checked)) .missing,{LOCKED}:has(.c:checked:not(.r)) .extra{{display:block}}
"""

# Pictures of the right answer: when it was given, asked for, or checked for the second time.
TELLS = f"""
{FORM}:has(.show[open]) .t .r+span,{FORM}:has(.recheck:checked) .t .r:not(:checked)+span
{{border:3px dashed #0b6e2e}}
.cnnbp-ask .t span::after{{position:absolute;right:1px;top:-7px;font-size:10px;font-weight:700}}
{FORM}:has(.recheck:checked) .c:checked:not(.r)+span::after{{content:" ✗"}}
{LOCKED}{RIGHT} .c:checked+span::after,{FORM}:has(.recheck:checked) .c.r:checked+span::after
{{content:" ✓"}}
{FORM}:has(.show[open]) .o .r+span{{border-color:#0b6e2e;border-style:dashed}}
{LOCKED}{RIGHT} .t .c:checked+span{{border:3px solid #0b6e2e}}
{FORM}:has(.recheck:checked) .t .c:checked:not(.r)+span{{border-color:#b3261e}}
@supports selector(::details-content){{{LOCKED}{RIGHT} .show::details-content
{{content-visibility:visible;block-size:auto}}
{LOCKED}{RIGHT} .show summary{{display:none}}}}
"""

NAMES = "".join(
    f"{LOCKED}:not({OTHER_THAN.format(f'.w{i}', '')}) .s{i}{{display:block}}\n"
    for i in range(MOST_WRONG)
)

STYLE = (LOOKS + LOCKS + STEPS + SAYS + TELLS + NAMES).replace("\n", "")
