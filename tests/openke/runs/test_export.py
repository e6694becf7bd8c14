"""Exported vectors are the model's, row by row with their names, in every format."""

import numpy as np
import pytest
import torch
import tyro
from safetensors.numpy import load_file

from openke.runs.export import FORMATS, command, export
from tests.contracts.graphs import CASES, ENTITIES, RELATIONS, build, graph
from tests.openke.module.openke_models import Translation
from tests.openke.runs.trained import data_folder, trained

READ = {
    "safetensors": lambda out: load_file(out / "embeddings.safetensors"),
    "npy": lambda out: {k: np.load(out / f"{k}.npy") for k in ("entities", "relations")},
    "tsv": lambda out: {
        k: np.loadtxt(out / f"{k}.tsv", delimiter="\t", dtype=np.float32)
        for k in ("entities", "relations")
    },
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("format", FORMATS)
def test_rows_are_the_tables(case, format, tmp_path):
    model = build(case)
    written = export(model, graph(), tmp_path, format)
    assert sorted(written) == sorted(tmp_path.iterdir())
    found = READ[format](tmp_path)
    with torch.no_grad():
        expected = (
            model.entity_embeddings(torch.arange(ENTITIES)),
            model.relation_embeddings(torch.arange(RELATIONS)),
        )
    for kind, rows in zip(("entities", "relations"), expected, strict=True):
        assert np.array_equal(found[kind], rows.numpy())


def test_as_a_command_with_names_and_labels(tmp_path, capsys):
    model = trained(tmp_path / "run", data_folder(tmp_path))
    tyro.cli(command, args=[str(tmp_path / "run"), "--format", "tsv"])
    out = tmp_path / "run" / "embeddings"
    printed = capsys.readouterr().out.split()
    assert printed[-4:] == [str(out / f"{n}.tsv") for n in (
        "entities_metadata", "relations_metadata", "entities", "relations")]  # fmt: skip
    names = (out / "entities_metadata.tsv").read_text().splitlines()
    assert names[:4] == ["name\tlabel", "entity 0\tAnn", "entity 1\tBob", "entity 2\tAnn"]
    assert names[4] == "entity 3\tentity 3"
    vectors = READ["tsv"](out)["entities"]
    assert len(vectors) == len(names) - 1
    assert np.array_equal(vectors, model.ent_embeddings.weight.detach().numpy())
    elsewhere = tmp_path / "elsewhere"
    tyro.cli(command, args=[str(tmp_path / "run"), "--out", str(elsewhere)])
    assert (elsewhere / "embeddings.safetensors").is_file()


def test_what_cannot_be_exported(tmp_path):
    with pytest.raises(ValueError, match="format is 'csv', expected one of safetensors, npy, tsv"):
        export(build("TransE"), graph(), tmp_path, "csv")
    with pytest.raises(ValueError, match="Translation is written for OpenKE, which does not say"):
        export(Translation(ENTITIES, RELATIONS), graph(), tmp_path)
