"""How Sphinx builds these pages: sphinx-build -W --keep-going -b html docs docs/_build/html."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import openke  # noqa: E402

project = "openke-lbmkgc"
author = "the contributors of openke-lbmkgc"
copyright = author  # noqa: A001 - Sphinx's name
release = version = openke.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "commands",
    "settings",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "openke-lbmkgc"
html_show_copyright = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes, which say more
autoclass_content = "class"
napoleon_google_docstring = False
napoleon_use_rtype = False
