r"""Make ``benchmarks/OpenMoji``, a multimodal graph of emoji, from the npm package openmoji.

From the root of the checkout, with ``pip install resvg-py==0.5.0 pillow==13.0.0``; then its
features, with which ``table1.py --datasets OpenMoji`` runs:

    python benchmarks/openmoji_build.py
    openke features text OpenMoji --out benchmarks/OpenMoji/features
    openke features image OpenMoji --pictures benchmarks/OpenMoji/pictures \
        --out benchmarks/OpenMoji/features
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from emoji_graph.colours import colours_of
from emoji_graph.emoji import OPENMOJI, read_emoji
from emoji_graph.facts import PERCEPTUAL, label, read_facts, together
from graph_making.core import core
from graph_making.drawing import render
from graph_making.fact import kinds_of
from graph_making.files import (
    entities_of,
    write_graph,
    write_pictures,
    write_readme,
    write_sums,
)
from graph_making.packages import located, unpacked
from graph_making.split import split_facts

from openke.runtime.arguments import parse_arguments
from openke.runtime.folders import whole_folder
from openke.runtime.script import run_program

HERE = Path(__file__).parent
SIZE = (72, 72)
SEED = "openmoji 17.0.0, split 1"


def main(out: Path = HERE / "OpenMoji", packages: Path | None = None) -> None:
    """Make the graph; the same package gives the same bytes.

    Parameters
    ----------
    out
        Folder to make.
    packages
        Folder with the package unpacked, such as node_modules; else npm gets it.
    """
    with unpacked(packages, [OPENMOJI]) as folder:
        build(folder, out)


def build(packages: Path, out: Path) -> None:
    """Make the graph of the unpacked package.

    Raises
    ------
    FileNotFoundError
        The package is not there, or a drawing is not in it.
    """
    package = located(packages, [OPENMOJI])[OPENMOJI]
    emoji = read_emoji(package)
    images = {
        one.name: render((package / "color" / "svg" / f"{one.code}.svg").read_text("utf-8"), SIZE)
        for one in emoji
    }
    facts = core(read_facts(emoji, {name: colours_of(png) for name, png in images.items()}))
    families = {one.name: one.family for one in emoji}
    parts = split_facts(facts, partial(together, families=families), PERCEPTUAL, SEED)
    kinds = kinds_of(facts, PERCEPTUAL)
    there = entities_of(parts)
    shown = [one.name for one in emoji if one.name in there]
    with whole_folder(out) as folder:
        write_graph(folder, parts, kinds, label, texts={}, first=shown)
        write_pictures(folder, {name: images[name] for name in shown})
        template = HERE / "emoji_graph" / "README.template.md"
        write_readme(folder, template, parts, kinds, emoji=f"{len(shown):,}")
        (folder / "LICENSE.openmoji.txt").write_bytes((package / "LICENSE.txt").read_bytes())
        write_sums(folder)


if __name__ == "__main__":
    run_program(lambda: parse_arguments(main, description=__doc__))
