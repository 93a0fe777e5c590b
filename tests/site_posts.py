"""Documents of our own that the tests of the blog publish beside the repository's: among them, all that a post can
hold.
"""

import base64
import io
import wave

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from notebook_kit import code, html_output, picture_output, stream

# The page of a notebook whose scripts run; old addresses, of the posts of 2021.
TRUSTED_PAGE = "2031/02/05/99b_trusted.html"
OLD = [
    "Captcha-Baseline-Model",
    "Captcha-MixUp",
    "Captcha-LabelSmoothing",
    "Captcha-Label-Smoothing-v2",
    "Captcha-Label-Correction",
]
LIQUID = "{{ site.title }} {% if true %} {{ 'x' | upcase }} {% endraw %}"
TABLE = (
    '<table border="1" class="dataframe"><thead><tr><th></th><th>mAP</th></tr></thead><tbody><tr><th>Car</th><td>'
    "0.75</td></tr></tbody></table>"
)
WIDE = "<table><tbody><tr>" + "".join(f"<td>column{number}</td>" for number in range(30)) + "</tr></tbody></table>"

# What is easily lost between a cell and the clipboard: indents, tabs, empty lines, marks of HTML, letters beyond ASCII,
# no end of line.
CODES = [
    'def area(width, height):\n    """Text with "quotes", <tags> & ünïcödé."""\n    return width * height  # 面积',
    "if 1 < 2 and 3 > 2:\n\tprint('a tab\\t&amp; an entity')\n\n\nprint('after two empty lines')",
    "long_line = '" + "x" * 300 + "'",
    "folded = True\nfolded",
    "shown = [number for number in range(3)]",
    "output = 'folded'",
]
SECTION = (
    "Thirty words or so, many times over, so that there is a page to scroll through and a section to stand in.\n\n"
)

FIRST = [
    '# Ours: <first> & "best" {{ 1 | plus: 1 }}\n> A *summary* & more.\n\n- date: 2031-02-03\n- toc: true\n- '
    "author: A. Writer\n- categories: [one, two]",
    "- **Time** 2 minutes to read, 4 to run on two CPU cores.\n\n"
    "## A part\n\nSee [the other](99_hidden.ipynb#Its-end) and [up](#A-part).\n\n> Tip: try *it*.\n\n$a_1 * b_2 * c$",
    code(f'#| alt: A red field\nprint("""{LIQUID}""")', stream(LIQUID + "\n"), picture_output()),
    "## Another part",
    code("df", html_output(TABLE)),
]
RICH = [
    "# All that a post can hold\n> Everything at once.\n\n- date: 2031-02-03\n- toc: true\n- comments: true\n- "
    "categories: [one, two words]",
    "## Side notes\n\nA quokka[^where] is no reCAPTCHA object[^twice], and neither is *this*[^twice].\n\n"
    "[^where]: It lives on Rottnest Island, in `Western Australia`, [far away](https://example.com/quokka).\n"
    "[^twice]: Two notes on one line: they must not lie on each other, although this one is long enough to need "
    "several lines in a margin.",
    "## Code",
    *(code(source) for source in CODES[:3]),
    code(f"#collapse\n{CODES[3]}", stream("True\n")),
    code(f"#| collapse_show\n{CODES[4]}"),
    code(f"#| collapse_output\n{CODES[5]}", stream("behind the fold\n")),
    "## Callouts and previews\n\n> Note: one `kind`.\n\n> Tip: a second.\n\n> Warning: a third.\n\n> Important: a "
    "fourth.\n\n"
    "> youtube: https://www.youtube.com/watch?v=abcdefghijk A film\n\n> twitter: https://twitter.com/someone/status/1",
    "## Formulas\n\nThe loss $\\ell(y, p)$ is\n\n$$\\ell(y, p) = -\\sum_{i=1}^{n} y_i \\log p_i + (1 - y_i) \\log(1 - "
    "p_i)"
    + "".join(f" + \\lambda_{{{number}}} \\lVert \\theta_{{{number}}} \\rVert_2^2" for number in range(9))
    + "$$",
    "## Outputs\n\n| left | right |\n| --- | ---: |\n| $|x|$ | 2 |",
    code(
        "html",
        html_output("<p>A <b>bold</b> word</p><script>alert(1)</script>"),
        html_output(WIDE),
        picture_output(colour="blue"),
    ),
    code("print('x' * 400)", stream("x" * 400 + "\n")),
    "## A deeper section\n<!-- deeper -->\n\nNot shown at first.",
    code("'in the deeper section'"),
    "### Within the deeper section\n\nNor this.",
    *(
        f"## Section {number}\n\n"
        + SECTION * 8
        + (f"### Below section {number}\n\n" + SECTION * 4 if number % 3 == 0 else "")
        for number in range(1, 31)
    ),
]
HIDDEN = [
    "# Hidden part\n> Not listed.\n\n- date: 2031-02-04\n- hide: true\n- badges: false",
    "## Its end\n\n[back](98_ours.ipynb)",
]
TRUSTED = [
    "# Trusted part\n> Its outputs run.\n\n- date: 2031-02-05\n- hide: true\n- trusted: true",
    code(
        "chart",
        html_output("""<p id="chart">not drawn</p><script>
document.getElementById("chart").textContent = "drawn";
</script><button type="button" onclick="this.textContent = 'pressed'">press</button>"""),
    ),
]


def silence() -> str:
    """A tenth of a second without a sound, as an address."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((1, 1, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x80" * 800)
    return f"data:audio/wav;base64,{base64.b64encode(buffer.getvalue()).decode()}"


# As matplotlib draws: white grounds, ink, and text of 11 points in a figure of 8 inches.
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" width="576pt" height="144pt" viewBox="0 0 576 144">
<g id="figure_1"><g id="patch_1"><path d="M 0 0 L 576 0 L 576 144 L 0 144 z" style="fill: #ffffff"/></g>
<g id="axes_1"><g id="patch_2"><path d="M 9 9 L 567 9 L 567 135 L 9 135 z" style="fill: #ffffff"/></g>
<g id="patch_3"><path d="M 9 9 L 9 135 L 567 135" style="fill: none; stroke: #1c2127; stroke-width: 3"/></g>
<g id="text_1"><g style="fill: #1c2127" transform="translate(9 99) scale(0.11 -0.11)"><path d="M 0 0 L 70 0 L 0 70 z"/>
</g></g></g></g></svg>"""
OUR_LOSS = "99c_shown.ipynb"  # shows how a formula looks that cannot be drawn
SHOWN = [
    "# Shown part\n> With captions and sounds.\n\n- date: 2031-02-07\n- hide: true",
    "## Citations\n\nOne label a picture [@cole2021], and [the way](https://example.com/way).\n\n- How many tiles?\n\n"
    "  <details><summary>Solution</summary>\n\n  Nine, of course.\n\n  </details>",
    "## Callouts\n\n> [!NOTE]\n> One.\n\n> [!CAUTION] A title\n> Another, with *emphasis*.",
    code("#| fig-cap: A caption of **two** fields\n#| alt: A red field\nplot()", picture_output()),
    code(
        "#| label: fig-drawn\n#| fig-cap: A drawing.\n#| alt: Two lines of ink\nplot()",
        new_output("display_data", {"image/svg+xml": DRAWING, "text/plain": "<Figure size 1x1>"}),
    ),
    code("#| label: tbl-wide\n#| tbl-cap: A wide table.\nrows", html_output(WIDE)),
    "See [Figure 2](#fig-drawn) and [Table 1](#tbl-wide).",
    code("#| export\ndef folded():\n    return 1"),
    code("Audio(silence)", html_output(f'<audio controls><source src="{silence()}"/>No sound.</audio>')),
    code("chart", html_output('<div id="vis"></div><script>vegaEmbed("#vis", {})</script>')),
    "$$x = y \\label{eq:first}$$\n\nBy $\\eqref{eq:first}$, and\n\n$$\\begin{tikzcd} A \\end{tikzcd}$$",
    "| a | b |\n|---|---|\n| 1 |\n\n- item\n\n  | c |\n  |---|\n  | 2 |",
]
PINNED = """---
title: "Pinned: a written post"
summary: Written by hand, and about a quokka too.
sticky_rank: 1
search_exclude: true
redirect_from: [/old/pinned.html, /old/folder/]
categories: [two words]
---

A quokka that the search does not find, in a [series](../_notebooks/98_ours.ipynb).

## The only section

```python
written = True
```
"""


def write_our_posts(source):
    """Five notebooks of the series, the last three of them hidden from the home page, and a written post."""
    notebooks = {"98_ours": FIRST, "98b_rich": RICH, "99_hidden": HIDDEN, "99b_trusted": TRUSTED, "99c_shown": SHOWN}
    for name, cells in notebooks.items():
        cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        nbformat.write(new_notebook(cells=cells), source / "_notebooks" / f"{name}.ipynb")
    (source / "_posts").mkdir(exist_ok=True)
    (source / "_posts" / "2031-02-06-pinned.md").write_text(PINNED, encoding="utf-8")
