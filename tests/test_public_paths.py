"""Paths that people import by: OpenKE's, those of the README, and those of earlier releases."""

import importlib
import warnings

import pytest

OPENKE = [
    "openke.config:Trainer", "openke.config:Tester", "openke.config.Trainer:Trainer",
    "openke.config.Tester:Tester", "openke.data:TrainDataLoader", "openke.data:TestDataLoader",
    "openke.data.TrainDataLoader:TrainDataLoader", "openke.data.TestDataLoader:TestDataLoader",
    "openke.data.PyTorchTrainDataLoader:PyTorchTrainDataLoader",
    "openke.module.BaseModule:BaseModule", "openke.module.loss:Loss",
    "openke.module.strategy:NegativeSampling",
    "openke.module.strategy.NegativeSampling:NegativeSampling",
    "openke.module.strategy.Strategy:Strategy",
    *(f"openke.module.loss:{name}" for name in ("MarginLoss", "SigmoidLoss", "SoftplusLoss")),
    *(f"openke.module.loss.{n}:{n}" for n in ("MarginLoss", "SigmoidLoss", "SoftplusLoss")),
    *(
        f"openke.module.model{inner}:{name}"
        for name in (
            "Model", "TransE", "TransD", "TransR", "TransH", "DistMult", "ComplEx", "RESCAL",
            "Analogy", "SimplE", "RotatE", "HolE",
        )
        for inner in ("", f".{name}")
    ),
]  # fmt: skip
"""What scripts written for OpenKE import."""
TODAY = [
    "openke.data:QueryDataLoader", "openke.data:TripleStore", "openke.datasets.search:find_dataset",
    "openke.module.model:Decoder", "openke.module.model:Reciprocal", "openke.runs.load:load_run",
    "openke.runs.predict:Predictor", "openke.runs.recipe:Recipe", "openke.config:EarlyStopping",
    *(f"openke.module.model:{name}" for name in ("Bilinear", "Translational", "table")),
    *(f"openke.runs:{name}" for name in ("Predictor", "Recipe", "RunOptions", "load_run")),
    "lbmkgc_models.runs:default_recipe", "lbmkgc_models.runs:fitted", "lbmkgc_models.runs:run",
    "openke.runs.experiment:RunOptions", "lbmkgc_models.runs.experiment:run",
    "lbmkgc_models.model:LBMKGC", "lbmkgc_models.model:IKRL",
    "lbmkgc_models.feature_store.store:ModalFeatures", "openke.tools.n_n:write_categories",
]  # fmt: skip
FORMER = {
    "openke.config.callbacks:EarlyStopping": "openke.training.callbacks",
    "openke.config.device:choose_device": "openke.runtime.device",
    "openke.config.optim:LazyAdam": "openke.training.optimizers",
    "openke.config.precision:PRECISIONS": "openke.training.precision",
    "openke.config.predict:Predictor": "openke.runs.predict",
    "openke.config.recipe:Recipe": "openke.runs.recipe",
    "openke.config.recipe:structural": "openke.runs.recipe.structural_model",
    "openke.config.report:RankingReport": "openke.evaluation.report",
    "openke.config.run:load_run": "openke.runs.load",
    "openke.config.schedule:Schedule": "openke.training.schedule",
    "openke.data.audit:audit": "openke.audit.audit",
    "openke.data.datasets:find_dataset": "openke.datasets.search",
    "openke.data.importing:import_graph": "openke.datasets.importing",
    "openke.data.loaders:TestDataLoader": "openke.data.test_data_loader",
    "openke.data.questions:QuestionDataLoader": "openke.data.query_data_loader",
    "openke.data:QuestionDataLoader": "openke.data",
    "openke.module.model.lineage:in_house_form": "openke.module.model.openke_adapter",
    "lbmkgc_models.ikrl:IKRL": "lbmkgc_models.model.ikrl",
    "lbmkgc_models.lbmkgc:LBMKGC": "lbmkgc_models.model.lbmkgc",
    "lbmkgc_models.mentions:find_mentions": "lbmkgc_models.feature_store.mentions",
    "lbmkgc_models.models:MODELS": "lbmkgc_models.runs.make_model.ALL_MODELS",
    "lbmkgc_models.store:ModalFeatures": "lbmkgc_models.feature_store.store",
}
"""Paths of release 0.1.0 and the module that has it today."""


def found(path):
    module, name = path.split(":")
    importlib.import_module(module.rpartition(".")[0] if module.count(".") > 1 else module)
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("path", [*OPENKE, *TODAY])
def test_a_path_leads_somewhere_without_a_word(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(path) is not None


@pytest.mark.parametrize(("path", "today"), FORMER.items())
def test_a_path_of_old_names_the_one_of_today(path, today):
    with pytest.warns(DeprecationWarning, match=f" is now {today}"):
        assert found(path) is not None
