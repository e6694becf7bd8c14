"""The files of n_n are those that OpenKE's rule gives, by a few lines of plain Python."""

import subprocess
import sys
from collections import defaultdict

import pytest

from openke.data.relation_types import CATEGORIES
from openke.data.store import SPLITS, TripleStore
from openke.data.type_constraint import TypeConstraint
from openke.tools.n_n import write_categories
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke


def rows(path):
    first, *lines = path.read_text().splitlines()
    return int(first), [tuple(map(int, line.split())) for line in lines]


@pytest.mark.parametrize(("seed", "triples"), [(0, 60), (1, 25), (2, 300)])
def test_files_follow_the_rule(tmp_path, seed, triples):
    write_openke(graph(seed, triples=triples), tmp_path)
    write_categories(tmp_path)
    everything = [row for s in SPLITS for row in rows(tmp_path / f"{s}2id.txt")[1]]
    tails, heads = defaultdict(set), defaultdict(set)
    for h, t, r in everything:
        tails[r, h].add(t)
        heads[r, t].add(h)

    def mean(partners, relation):
        sizes = [len(found) for (r, _), found in partners.items() if r == relation]
        return sum(sizes) / len(sizes)

    expected = {name: [] for name in CATEGORIES}
    numbered = []
    for h, t, r in rows(tmp_path / "test2id.txt")[1]:
        left = "n" if mean(heads, r) >= 1.5 else "1"
        right = "n" if mean(tails, r) >= 1.5 else "1"
        expected[f"{left}-{right}"].append((h, t, r))
        numbered.append((CATEGORIES.index(f"{left}-{right}"), h, t, r))
    for name, found in expected.items():
        assert rows(tmp_path / f"{name}.txt") == (len(found), found)
    assert rows(tmp_path / "test2id_all.txt") == (len(numbered), numbered)
    count, lines = rows(tmp_path / "type_constrain.txt")
    assert count == len(lines) / 2
    for number, (relation, size, *ids) in enumerate(lines):
        column = number % 2
        seen = sorted({row[column] for row in everything if row[2] == relation})
        assert (relation, size, ids) == (number // 2, len(seen), seen)


def test_the_constraint_it_writes_can_be_read(tmp_path):
    (tmp_path / "entity2id.txt").write_text("3\n")
    (tmp_path / "relation2id.txt").write_text("2\n")
    (tmp_path / "train2id.txt").write_text("2\n0 1 1\n2 1 1\n")  # relation 0 occurs nowhere
    write_categories(tmp_path)
    read = TypeConstraint.read(TripleStore.open(tmp_path))
    assert read.allowed("head", 1).tolist() == [0, 2]
    assert read.allowed("head", 0).tolist() == []
    assert (tmp_path / "n-1.txt").read_text() == "0\n"


@pytest.mark.slow
def test_as_a_command(tmp_path):
    def call(*arguments):
        command = [sys.executable, "-m", "openke.tools.n_n", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    write_openke(graph(), tmp_path)
    done = call(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 relations (" in done.stdout
    assert (tmp_path / "test2id_all.txt").is_file()
    failed = call(tmp_path / "nowhere")
    assert failed.returncode == 2
    assert "found no such folder" in failed.stderr
    assert "Traceback" not in failed.stderr
    help_text = call("--help").stdout
    assert "type_constrain.txt" in help_text
