"""How Sphinx builds these pages: sphinx-build -W --keep-going -b html docs docs/_build/html."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import openke

project = "openke-lbmkgc"
author = "the contributors of openke-lbmkgc"
copyright = author
release = version = openke.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "commands",
    "registered",
    "settings",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
smartquotes_action = "De"  # dashes and dots; quotes stay straight, as in Float["b k"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["page.css"]
html_title = "openke-lbmkgc"
html_show_copyright = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes, which say more
autoclass_content = "class"
napoleon_google_docstring = False
napoleon_use_rtype = False


OF_ATTRIBUTES = {}
"""Their texts, which napoleon must not touch: what stands before a colon is no type to us."""


def before_napoleon(app, what, name, obj, options, lines):
    """Let |x| in a formula be an absolute value, and keep the text of an attribute."""
    lines[:] = [line.replace("|", r"\|") for line in lines]
    if what in ("attribute", "property"):
        OF_ATTRIBUTES[name] = list(lines)


def after_napoleon(app, what, name, obj, options, lines):
    """Put the text of an attribute back."""
    lines[:] = OF_ATTRIBUTES.pop(name, lines)


def keep_together(app, name, source):
    """Break no line before or after a plus-minus sign."""
    source[0] = source[0].replace(" ± ", "\u00a0±\u00a0")


def setup(app):
    """Register what is done to docstrings and pages."""
    app.connect("autodoc-process-docstring", before_napoleon, priority=400)
    app.connect("autodoc-process-docstring", after_napoleon, priority=600)
    app.connect("source-read", keep_together)
