"""Systems that see all entities in each step are as any others: from a recipe to answers, and back.

What holds for their scores alone is in tests/contracts.
"""

import json
import signal

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.runs import run
from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.experiment import features_for
from lbmkgc_models.runs.make_trainer import make_trainer
from openke.config import Callback, Checkpoint, Tester
from openke.data import TestDataLoader, TripleStore
from openke.module.scoring.all_entities import score_all
from openke.runs import RunOptions, load_run
from openke.runs.predictor import Predictor
from tests.contracts.graphs import both, coded, graph, one
from tests.openke.runs.trained import data_folder

SMALL = {
    **{name: {"model.dim": 4} for name in ("RSME", "OTKGE", "IMF")},
    **{name: {"model.dim": 4, "model.hidden": 6} for name in ("VISTA", "MyGO")},
    "GCOTE": {"model.dim": 4, "model.group": 2, "model.context": "attention"},
}
systems = pytest.mark.parametrize("name", SMALL)


def recipe(name, **changes):
    base = {"training.epochs": 2, "training.batch_size": 16}
    if name == "GCOTE":
        base["training.sampling"] = {"neg_ent": 4, "weights": "frequency"}
    return default_recipe(name).changed({**base, **SMALL[name], **changes})


def given(name):
    if name == "GCOTE":
        return {}
    if name == "MyGO":
        return {"image": coded("image", 5, 1), "text": coded("text", 6, 2)}
    return one() if name == "RSME" else both()


@systems
def test_a_recipe_becomes_a_run_that_answers(name, tmp_path):
    directory = data_folder(tmp_path)
    store = TripleStore.open(directory)
    for modality, found in given(name).items():
        rows, names = found.values[found.present], []
        present = found.present.view(len(found.names), -1)
        for entity, there in zip(found.names, present, strict=True):
            names += [entity] * int(there.sum())
        several = found.parts > 0
        made = ModalFeatures.from_rows(modality, names, rows, store.entity_names, several=several)
        made.save(directory / "features" / modality)
    out = tmp_path / "run"
    changes = {"data.name": str(directory), "evaluation.every": 1}
    report = run(recipe(name, **changes), RunOptions(out=out, device="cpu"))
    written = json.loads((out / "report.json").read_text())
    mrr = report.metrics("both")["mrr"]
    assert written["metrics"]["both"]["realistic"]["mrr"] == pytest.approx(mrr)
    loaded = load_run(out)
    tester = Tester(loaded.model, TestDataLoader(loaded.store), device="cpu", progress=False)
    assert tester.rank("test").metrics()["mrr"] == pytest.approx(mrr)
    assert type(getattr(loaded.model, "inner", loaded.model)).__name__ == name
    predictor = Predictor(loaded.model, loaded.store)
    for side, answers in (("tail", predictor.tails(3, 1, 5)), ("head", predictor.heads(1, 3, 5))):
        anchor, relation = torch.tensor([3]), torch.tensor([1])
        with torch.no_grad():
            scores = score_all(loaded.model, side, anchor, relation)[0]
        best = scores.topk(5)
        assert [answer.id for answer in answers] == best.indices.tolist()
        torch.testing.assert_close(torch.tensor([a.score for a in answers]), best.values)


@pytest.mark.parametrize(
    ("name", "parts", "said"), [("MyGO", 1, True), ("MyGO", 3, False), ("IMF", 1, False)]
)
def test_who_is_made_for_tokens_says_where_there_are_none(name, parts, said, tmp_path, capsys):
    directory = data_folder(tmp_path)
    store = TripleStore.open(directory)
    names = [entity for entity in store.entity_names for _ in range(parts)]
    rows = torch.randn(len(names), 4, generator=torch.Generator().manual_seed(0))
    made = ModalFeatures.from_rows("text", names, rows, store.entity_names, several=parts > 1)
    made.save(directory / "features" / "text")
    features_for(recipe(name, **{"data.name": str(directory)}), store, directory, "cpu")
    assert ("'openke features tokens --help' says how" in capsys.readouterr().out) == said


class Stop(Callback):
    """Has Ctrl-C's like come after a step."""

    def __init__(self, steps):
        self.left = steps

    def on_step_end(self, trainer):
        self.left -= 1
        if not self.left:
            signal.raise_signal(signal.SIGTERM)


@systems
def test_a_training_that_was_broken_off_goes_on_bit_for_bit(name, tmp_path):
    path = tmp_path / "last.ckpt"

    def trainer(*callbacks):
        callbacks = [*callbacks, Checkpoint(path, every=100)]
        how = recipe(name, **{"training.epochs": 3})
        return make_trainer(
            how, graph(triples=120), given(name), device="cpu", callbacks=callbacks, progress=False
        )

    whole = trainer()
    steps = whole.steps
    assert steps > 2
    whole.run()
    path.unlink()
    broken = trainer(Stop(steps + 2))
    with pytest.raises(SystemExit):
        broken.run()
    resumed = trainer(Stop(0))
    resumed.resume(path)
    resumed.run()
    assert resumed.history.losses == whole.history.losses
    expected = whole.strategy.state_dict()
    for part, found in resumed.strategy.state_dict().items():
        assert torch.equal(found, expected[part]), part
