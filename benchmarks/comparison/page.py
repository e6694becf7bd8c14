"""Table 1 as Markdown, LaTeX and a picture, in the README and in the documentation."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence
from pathlib import Path

from comparison.ablations import ablation_tables
from comparison.claims import claims_table
from comparison.deviations import deviations_table
from comparison.entries import Entry, Paper, read_entries, read_paper
from comparison.figures import completed, dropped, kinds, mrr, sensitivity
from comparison.mixture_tables import mixture_table
from comparison.picture_graphs import picture_tables
from comparison.table import Table, in_latex, in_markdown
from comparison.table_rows import DATASETS, KNOWN_DATASETS, PICTURE_GRAPHS, TUNED
from lbmkgc_models.feature_store.texts import TEXT_CHOICES
from lbmkgc_models.runs.side_by_side import spread
from openke.runtime.files import write_text
from openke.runtime.json_text import read_json_file

README = Path(__file__).parents[2] / "README.md"
PAGE = README.parent / "docs" / "results.md"
NOT_RUN = "not run"
DATASET_NOTE = (
    "Filtered test, realistic ranks, %; mean ± standard deviation over seeds; in brackets the "
    "paper's. Hours are those of training all seeds and of the choice on dev, mostly on one core "
    "of a CPU."
)
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
"""Between these the README has :func:`headline`, and the page of results has all tables."""


def dataset_table(dataset: str, entries: Sequence[Entry], paper: Paper) -> Table:
    """Return all figures of a data set."""
    header = (
        *("model", "trained", "sees", "MRR", "head", "tail", "Hits@1", "Hits@3", "Hits@10"),
        *("paper's MRR", "difference", "seeds", "epochs", "hours"),
    )
    rows = []
    for entry in entries:
        if entry.dataset != dataset:
            continue
        mrr = entry.metric("mrr")
        claimed = paper.get((entry.name, dataset), {}).get("mrr")
        rows.append(
            (
                *(entry.name, entry.mode, entry.sees, spread(mrr)),
                *(f"{statistics.mean(entry.metric('mrr', side)):.2f}" for side in ("head", "tail")),
                *(_beside(entry, paper, f"hits@{k}") for k in (1, 3, 10)),
                "–" if claimed is None else f"{claimed:.2f}",
                "–" if claimed is None else f"{statistics.mean(mrr) - claimed:+.2f}",
                *(str(len(entry.runs)), entry.shown_epochs, f"{entry.hours:.1f}"),
            )
        )
    return Table(dataset, header, rows, DATASET_NOTE)


def _beside(entry: Entry, paper: Paper, metric: str) -> str:
    """Return the mean of a metric and, in brackets, the paper's."""
    mean = f"{statistics.mean(entry.metric(metric)):.2f}"
    claimed = paper.get((entry.name, entry.dataset), {}).get(metric)
    return mean if claimed is None else f"{mean} ({claimed:.2f})"


def unseen_table(entries: Sequence[Entry]) -> Table:
    """Return the MRR of test triples that hold an entity unseen in train, of all tuned rows."""
    tuned = [
        entry
        for entry in entries
        if entry.mode == TUNED and "unseen" in entry.runs[0]["by_seen"]["both"]
    ]
    counts = {entry.dataset: entry.runs[0]["by_seen"]["tail"]["unseen"]["count"] for entry in tuned}
    datasets = [dataset for dataset in DATASETS if dataset in counts]
    header = ("model", *(f"{dataset} ({counts[dataset]} triples)" for dataset in datasets))
    rows = []
    for name in dict.fromkeys(entry.name for entry in tuned):
        found = {entry.dataset: entry for entry in tuned if entry.name == name}
        cells = (
            spread(found[dataset].unseen("unseen")) if dataset in found else "–"
            for dataset in datasets
        )
        rows.append((name, *cells))
    note = "MRR, %, of the test triples that hold such an entity; mean ± standard deviation."
    return Table("Entities unseen in train", header, rows, note)


def texts_table(entries: Sequence[Entry]) -> Table:
    """Return LBMKGC's MRR with each choice of texts, and that of entities unseen in train."""
    found = {
        (texts, entry.dataset): entry
        for entry in entries
        if entry.mode == TUNED and (texts := _texts_read(entry)) is not None
    }
    datasets = [d for d in DATASETS if any(dataset == d for _, dataset in found)]
    header = ["texts of LBMKGC"]
    for dataset in datasets:
        header += [dataset, "unseen"]
    rows = []
    for texts in TEXT_CHOICES:
        if not any(choice == texts for choice, _ in found):
            continue
        line = [texts]
        for dataset in datasets:
            entry = found.get((texts, dataset))
            line.append("–" if entry is None else spread(entry.metric("mrr")))
            line.append("–" if entry is None else spread(entry.unseen("unseen")))
        rows.append(line)
    note = (
        "MRR of LBMKGC, %, and that of test triples with an entity unseen in train, by the texts "
        "that it reads; mean ± standard deviation."
    )
    return Table("What the texts are worth", header, rows, note)


def _texts_read(entry: Entry) -> str | None:
    """Return which texts a row of LBMKGC with structure and text read, None of any other row."""
    recipe = entry.runs[0].get("recipe", {})
    model, features = recipe.get("model", {}), recipe.get("features", {})
    if model.get("name") != "LBMKGC" or not model.get("structural", True):
        return None
    texts: str | None = features.get("texts")
    return texts if "text" in features.get("modalities", ()) else None


def headline(entries: Sequence[Entry], paper: Paper) -> Table:
    """Return the README's table: MRR of tuned rows that the paper's Table 1 has, too.

    Of these only rows with several seeds; what was run once is on the page of results.
    """
    known = {name for name, _ in paper}
    shown = [e for e in entries if e.mode == TUNED and e.name in known and len(e.runs) > 1]
    return overview(shown, paper, modes=False)


def overview(entries: Sequence[Entry], paper: Paper, *, modes: bool = True) -> Table:
    """Return the MRR of every row beside the paper's; ``modes`` says how each was trained.

    Then models of the paper that were not run have rows, too.
    """
    datasets = [d for d in DATASETS if any(entry.dataset == d for entry in entries)]
    header = ["MRR, %"]
    for dataset in datasets:
        header += [dataset, "paper"]
    shown = list(dict.fromkeys((entry.name, entry.mode) for entry in entries))
    rows = []
    for name, mode in _with_absent(shown, paper) if modes else shown:
        line = [f"{name}, {mode}" if modes else name]
        for dataset in datasets:
            found = [e for e in entries if (e.name, e.mode, e.dataset) == (name, mode, dataset)]
            line.append(spread(found[0].metric("mrr")) if found else "–")
            claimed = paper.get((name, dataset))
            line.append(f"{claimed['mrr']:.2f}" if claimed else "–")
        rows.append(line)
    return Table("All rows", header, rows, "A dash: not run, or not in the paper." if modes else "")


def _with_absent(rows: Sequence[tuple[str, str]], paper: Paper) -> list[tuple[str, str]]:
    """Return rows by name and mode, the paper's models first, those without a row, too."""
    found = []
    for model in dict.fromkeys(model for model, _ in paper):
        found += [row for row in rows if row[0] == model] or [(model, NOT_RUN)]
    return found + [row for row in rows if row not in found]


def spent_hours(results: Path) -> float:
    """Return the hours of training of all results that are there, and of recorded trials."""
    found = 0.0
    for folder in ("table1", "table2", *(figure.FOLDER for figure in (dropped, completed))):
        if (results / folder).is_dir():
            found += sum(entry.hours for entry in read_entries(results / folder, {}))
    alone = [
        *results.glob("mixtures/*/*.json"),
        *results.glob(f"{sensitivity.FOLDER}/*/*.dev.json"),
    ]
    found += sum(read_json_file(path)["seconds"] for path in alone) / 3600
    for path in results.glob("tune/*/*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found += sum(float(row["seconds"]) for row in csv.DictReader(file)) / 3600
    return found


def put_into(path: Path, section: str) -> None:
    """Replace the section of results of a page.

    Raises
    ------
    ValueError
        The marks are not there, or more than once.
    """
    text = path.read_text(encoding="utf-8")
    begin, end = text.find(BEGIN), text.find(END)
    if [text.count(BEGIN), text.count(END)] != [1, 1] or begin > end:
        raise ValueError(f"{path.name}: expected {BEGIN} and below it {END}, each once")
    write_text(path, f"{text[:begin]}{BEGIN}\n\n{section}\n\n{text[end:]}")


def write_pages(results: Path, readme: Path | None = None, page: Path | None = None) -> None:
    """Write table1.md, .tex and .png beside the results, and the sections of README and page.

    Parameters
    ----------
    results
        The folder that has table1/.
    readme
        The README, which gets the headline.
    page
        The documentation's page of results, which gets all tables.

    Raises
    ------
    FileNotFoundError, ValueError
        As of :func:`read_entries` and :func:`put_into`.
    """
    paper = read_paper()
    everything = read_entries(results / "table1", paper)
    entries = [entry for entry in everything if entry.dataset in DATASETS]
    datasets = [d for d in DATASETS if any(entry.dataset == d for entry in entries)]
    tables = [dataset_table(dataset, entries, paper) for dataset in datasets]
    unseen = unseen_table(entries)
    texts = texts_table(entries)
    far = deviations_table(entries, paper)
    tables += [table for table in (unseen, texts, far) if table.rows]
    for dataset in KNOWN_DATASETS:
        if dataset in PICTURE_GRAPHS:
            known = list(dict.fromkeys(model for model, _ in paper))
            tables += picture_tables(everything, dataset, known)
        if (results / "mixtures" / dataset).is_dir():
            tables.append(mixture_table(results / "mixtures", dataset))
    ablations: list[Entry] = []
    if (results / "table2").is_dir():
        ablations = read_entries(results / "table2", paper)
        tables += ablation_tables(ablations)
    claims = claims_table(everything, ablations)
    tables += [claims] if claims.rows else []
    for figure in (dropped, completed, sensitivity):
        if (results / figure.FOLDER).is_dir():
            tables.append(figure.table(figure.shown(results)))
    markdown = in_markdown(tables)
    hours = spent_hours(results)
    explained = (
        "# Table 1 anew\n\nFiltered test, realistic ranks, %; mean ± standard deviation over "
        "seeds; in brackets the paper's.\npublished: settings as far as they are published, a "
        "fixed number of epochs; tuned: ours, epochs chosen on dev;\na + says that dev was best "
        "at the last epoch that the settings allow.\nSees: what a row reads "
        "beside the triples, and which texts. Hours are those of training, "
        "with the choice on dev, mostly on one core of a CPU. All that is on this page took "
        f"{hours:.0f} hours, searches by tune.py included; a part of several mixtures counts in "
        "each.\n"
        "Written by `python benchmarks/table1.py --render`; settings with their sources are in "
        "`benchmarks/settings/`.\n\n"
    )
    write_text(results / "table1.md", f"{explained}{markdown}\n")
    latex = "\n\n".join(in_latex(table) for table in tables)
    write_text(results / "table1.tex", latex.replace("±", "$\\pm$").replace("–", "--") + "\n")
    if entries:
        mrr.draw(results / "table1.png", mrr.of_entries(entries, paper))
    by_kind = kinds.of_entries(everything)
    if by_kind:
        kinds.draw(results / "table1_pictures.png", by_kind)
    print(f"{markdown}\n\nwritten to {results / 'table1'}.md, .tex and .png")
    if readme is not None:
        put_into(readme, headline(entries, paper).text("github"))
    if page is not None:
        put_into(page, in_markdown([overview(entries, paper), *tables]))
