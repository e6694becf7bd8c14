"""Tables to files and back, this package's and OpenKE's; every message."""

import json
import pickle
import warnings
from collections import OrderedDict

import numpy as np
import pytest
import torch

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import MarginLoss
from openke.module.model import MODELS, Analogy, ComplEx, RotatE, TransE, TransR
from openke.module.model.analogy import SIGN
from openke.module.model.parameters import MARKS
from openke.module.scoring.triples import score_triples
from openke.module.strategy import NegativeSampling
from tests.contracts.graphs import ENTITIES, RELATIONS, build, graph
from tests.test_public_paths import OPENKE

E, R = ENTITIES, RELATIONS

WRITTEN = {
    "TransE": (
        {"dim": 4, "margin": 5.0, "epsilon": 2.0},
        {"ent_embeddings": (E, 4), "rel_embeddings": (R, 4)},
        {"margin": 5.0, "embedding_range": 7 / 4},
    ),
    "TransH": (
        {"dim": 4},
        {"ent_embeddings": (E, 4), "rel_embeddings": (R, 4), "norm_vector": (R, 4)},
        {},
    ),
    "TransR": (
        {"dim_e": 4, "dim_r": 3, "margin": 2.0},
        {"ent_embeddings": (E, 4), "rel_embeddings": (R, 3), "transfer_matrix": (R, 12)},
        {"margin": 2.0},
    ),
    "TransD": (
        {"dim_e": 4, "dim_r": 3, "margin": 4.0, "epsilon": 2.0},
        {
            "ent_embeddings": (E, 4),
            "rel_embeddings": (R, 3),
            "ent_transfer": (E, 4),
            "rel_transfer": (R, 3),
        },
        {"margin": 4.0, "ent_embedding_range": 6 / 4, "rel_embedding_range": 6 / 3},
    ),
    "RESCAL": ({"dim": 3}, {"ent_embeddings": (E, 3), "rel_matrices": (R, 9)}, {}),
    "DistMult": (
        {"dim": 4, "margin": 4.0, "epsilon": 2.0},
        {"ent_embeddings": (E, 4), "rel_embeddings": (R, 4)},
        {"embedding_range": 6 / 4},
    ),
    "ComplEx": (
        {"dim": 4},
        {
            "ent_re_embeddings": (E, 4),
            "ent_im_embeddings": (E, 4),
            "rel_re_embeddings": (R, 4),
            "rel_im_embeddings": (R, 4),
        },
        {},
    ),
    "SimplE": (
        {"dim": 4},
        {"ent_embeddings": (E, 4), "rel_embeddings": (R, 4), "rel_inv_embeddings": (R, 4)},
        {},
    ),
    "HolE": ({"dim": 4}, {"ent_embeddings": (E, 4), "rel_embeddings": (R, 4)}, {}),
    "Analogy": (
        {"dim": 2},
        {
            "ent_re_embeddings": (E, 2),
            "ent_im_embeddings": (E, 2),
            "rel_re_embeddings": (R, 2),
            "rel_im_embeddings": (R, 2),
            "ent_embeddings": (E, 4),
            "rel_embeddings": (R, 4),
        },
        {},
    ),
    "RotatE": (
        {"dim": 3, "margin": 9.0, "epsilon": 3.0},
        {"ent_embeddings": (E, 6), "rel_embeddings": (R, 3)},
        {"margin": 9.0, "ent_embedding_range": 12 / 6, "rel_embedding_range": 12 / 3},
    ),
}
"""By model: OpenKE's arguments, and the tables and constants its state dict then has."""


def openke_file(name: str) -> OrderedDict[str, torch.Tensor]:
    """Return what OpenKE's save_checkpoint writes for a model."""
    generator = torch.Generator().manual_seed(5)
    _, tables, constants = WRITTEN[name]
    content = OrderedDict(zero_const=torch.zeros(1), pi_const=torch.full((1,), np.pi))
    for constant, value in constants.items():
        content[constant] = torch.tensor([value])
    for table, shape in tables.items():
        content[f"{table}.weight"] = torch.randn(shape, generator=generator)
    return content


def all_scores(model):
    everyone = torch.arange(E)
    return score_triples(model, everyone, everyone % R, everyone.flip(0))


def test_every_model_of_openke_is_tried():
    imported = {path.rpartition(":")[2] for path in OPENKE if ".model:" in path}
    assert set(WRITTEN) == imported - {"Model"}
    assert set(WRITTEN) <= set(MODELS)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before PyTorch 1.6"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_of_openke_loads(tmp_path, name, zipped):
    settings, tables, _ = WRITTEN[name]
    model = MODELS[name](E, R, **settings).train()
    content = openke_file(name)
    torch.save(content, tmp_path / "old.ckpt", _use_new_zipfile_serialization=zipped)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.load_checkpoint(tmp_path / "old.ckpt")
    said = [str(warning.message) for warning in caught]
    if name == "RESCAL":
        assert "fit where MarginLoss trained them" in said.pop()
    assert not said
    assert not model.training
    state = model.state_dict()
    if name == "Analogy":
        assert state.pop(SIGN).item() == 1
    assert set(state) == {f"{table}.weight" for table in tables}
    for table, parameter in state.items():
        turned = name == "Analogy" and table.startswith("rel_")
        assert torch.equal(parameter, -content[table] if turned else content[table])


@pytest.mark.parametrize("name", WRITTEN)
def test_openkes_arguments_stand_in_its_order(name):
    settings = WRITTEN[name][0]
    order = {
        "TransR": ("dim_e", "dim_r", "p_norm", "norm_flag", "rand_init", "margin"),
        "TransD": ("dim_e", "dim_r", "p_norm", "norm_flag", "margin", "epsilon"),
        "TransE": ("dim", "p_norm", "norm_flag", "margin", "epsilon"),
        "TransH": ("dim", "p_norm", "norm_flag", "margin", "epsilon"),
        "DistMult": ("dim", "margin", "epsilon"),
        "HolE": ("dim", "margin", "epsilon"),
        "RotatE": ("dim", "margin", "epsilon"),
    }.get(name, ("dim",))
    named = MODELS[name](E, R, **settings)
    values = [getattr(named.config, setting) for setting in order]
    assert MODELS[name](E, R, *values).config == named.config
    assert MODELS[name](ent_tot=E, rel_tot=R, **settings).config == named.config


def test_an_analogy_of_openke_scores_as_it_did(tmp_path):
    content = openke_file("Analogy")
    torch.save(content, tmp_path / "old.ckpt")
    model = Analogy(E, R, dim=2)
    model.load_checkpoint(tmp_path / "old.ckpt")
    numbers = {name.removesuffix(".weight"): v.numpy() for name, v in content.items()}
    h, r, t = 3, 1, 7
    z = numbers["ent_re_embeddings"] + 1j * numbers["ent_im_embeddings"]
    z_r = numbers["rel_re_embeddings"] + 1j * numbers["rel_im_embeddings"]
    e, relations = numbers["ent_embeddings"], numbers["rel_embeddings"]
    # OpenKE trains this value to be high for true triples.
    forward = -(z[h] * z_r[r] * z[t].conj()).sum().real - (e[h] * relations[r] * e[t]).sum()
    found = score_triples(model, *torch.tensor([[h], [r], [t]]))
    np.testing.assert_allclose(found.detach(), [forward], rtol=1e-5)


@pytest.mark.parametrize("form", ["numpy", "list", "tensor"])
def test_relations_of_an_analogy_say_whose_they_are(form):
    trained, fresh = build("Analogy"), Analogy(E, R, dim=3)
    parameters = trained.get_parameters(form)
    fresh.set_parameters(parameters)
    assert torch.equal(all_scores(fresh), all_scores(trained))
    del parameters[SIGN]
    with pytest.raises(ValueError, match=r"Pass the whole get_parameters\(\) of the model, or add"):
        fresh.set_parameters(parameters)
    entities = {name: values for name, values in parameters.items() if name.startswith("ent_")}
    fresh.set_parameters(entities)  # alike in both
    fresh.set_parameters({**parameters, "zero_const": [0.0]})
    table = "rel_embeddings.weight"
    assert torch.equal(fresh.state_dict()[table], -trained.state_dict()[table])


class Own(Analogy):
    """An Analogy with scores of its own, in OpenKE's form."""

    def forward(self, data):
        return torch.zeros(len(data["batch_h"]))

    def predict(self, data):
        return self.forward(data).numpy()


def test_the_tables_of_a_users_analogy_stay_as_they_are(tmp_path):
    own, again = Own(E, R, dim=2), Own(E, R, dim=2)
    own.save_checkpoint(tmp_path / "own.ckpt")
    again.load_checkpoint(tmp_path / "own.ckpt")
    for name, values in own.state_dict().items():
        assert torch.equal(values, again.state_dict()[name]), name
    content = openke_file("Analogy")
    again.set_parameters(content)
    assert torch.equal(again.rel_embeddings.weight, content["rel_embeddings.weight"])
    tables = {name: values for name, values in content.items() if name not in MARKS}
    again.set_parameters(tables)


def test_json_of_openke_loads(tmp_path):
    content = openke_file("Analogy")
    text = json.dumps({name: values.tolist() for name, values in content.items()})
    (tmp_path / "old.json").write_text(text)
    model = Analogy(E, R, dim=2)
    model.load_parameters(tmp_path / "old.json")
    table = "rel_im_embeddings.weight"
    assert torch.equal(model.state_dict()[table], -content[table])


def strategy_of(model):
    return NegativeSampling(model, MarginLoss(margin=2.0))


def test_a_strategy_of_openke_loads_into_its_model(tmp_path):
    content = openke_file("ComplEx")
    whole = OrderedDict({"zero_const": torch.zeros(1), "loss.margin": torch.tensor([2.0])})
    whole.update({f"model.{name}": values for name, values in content.items()})
    torch.save(whole, tmp_path / "checkpoint-9.ckpt")
    model = ComplEx(E, R, dim=4)
    model.load_checkpoint(tmp_path / "checkpoint-9.ckpt")
    table = "ent_re_embeddings.weight"
    assert torch.equal(model.state_dict()[table], content[table])


@pytest.mark.parametrize(("name", "dim"), [("TransH", 6), ("Analogy", 3)])
def test_a_checkpoint_of_our_trainer_loads_into_its_model(tmp_path, name, dim):
    trained, fresh = build(name), MODELS[name](E, R, dim=dim)
    loader = TrainDataLoader(graph(), batch_size=16)
    trainer = Trainer(strategy_of(trained), loader, train_times=1, use_gpu=False, progress=False)
    trainer.run()
    trainer.save(tmp_path / "last.ckpt")
    fresh.load_checkpoint(tmp_path / "last.ckpt")
    assert torch.equal(all_scores(fresh), all_scores(trained))


def test_transr_starts_from_transe():
    transe = TransE(E, R, dim=5)
    transr = TransR(E, R, dim_e=5, dim_r=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transr.set_parameters(transe.get_parameters())
    torch.testing.assert_close(all_scores(transr), all_scores(transe))
    assert transr.transfer_matrix.weight.requires_grad


def test_transr_starts_from_a_transe_of_openke():
    parameters = {name: values.numpy() for name, values in openke_file("TransE").items()}
    given = dict(parameters)
    transr = TransR(E, R, dim_e=4, dim_r=4, margin=5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transr.set_parameters(parameters)
    with pytest.warns(UserWarning, match=r"parameters: TransR keeps no margin; left out"):
        TransR(E, R, dim_e=4, dim_r=4).set_parameters(parameters)
    assert all(parameters[name] is values for name, values in given.items())
    assert np.array_equal(
        transr.ent_embeddings.weight.detach(), parameters["ent_embeddings.weight"]
    )


def test_parameters_are_copies_in_three_forms():
    model = build("TransR")
    state = {name: values.clone() for name, values in model.state_dict().items()}
    arrays, tensors = model.get_parameters(), model.get_parameters("tensor")
    assert model.get_parameters("list")["rel_embeddings.weight"] == (
        state["rel_embeddings.weight"].tolist()
    )
    assert isinstance(arrays["rel_embeddings.weight"], np.ndarray)
    for values in (*arrays.values(), *tensors.values()):
        values[:] = 7
    assert all(torch.equal(values, state[name]) for name, values in model.state_dict().items())
    assert list(model.get_parameters("list", ["rel_embeddings.weight"])) == [
        "rel_embeddings.weight"
    ]
    with pytest.raises(ValueError, match="mode is 'pandas', expected one of numpy, list, tensor"):
        model.get_parameters("pandas")
    with pytest.raises(
        ValueError, match=r"TransR has no norm_vector\.weight; it has ent_embeddings"
    ):
        model.get_parameters(param_dict=["norm_vector.weight"])


def test_a_checkpoint_of_another_model_says_what_differs(tmp_path):
    path = tmp_path / "transe.ckpt"
    TransE(E, R, dim=4).save_checkpoint(path)
    model = TransR(E, R, dim_e=3, dim_r=4)
    before = all_scores(model)
    with pytest.raises(ValueError, match=r"transe\.ckpt: does not fit this TransR") as caught:
        model.load_checkpoint(path)
    assert "transfer_matrix.weight is missing there" in str(caught.value)
    assert f"ent_embeddings.weight is [{E}, 4] there and [{E}, 3] here" in str(caught.value)
    assert torch.equal(all_scores(model), before)
    build("TransH").save_checkpoint(path)
    with pytest.raises(ValueError, match=r"norm_vector\.weight is unknown here"):
        TransE(E, R, dim=6).load_checkpoint(path)


@pytest.mark.parametrize("suffix", ["ckpt", "json"])
def test_phases_of_another_scale_are_refused(tmp_path, suffix):
    path = tmp_path / f"rotate.{suffix}"
    model, other = RotatE(E, R, dim=4), RotatE(E, R, dim=4, margin=10.0)
    save, load = {
        "ckpt": (model.save_checkpoint, other.load_checkpoint),
        "json": (model.save_parameters, other.load_parameters),
    }[suffix]
    save(path)
    with pytest.raises(ValueError, match=r"margin is \[6.0\] there and 10.0 here; rel_embedding_r"):
        load(path)


def test_a_constant_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match=r"parameters: does not fit .* margin is \[\] there"):
        build("RotatE").set_parameters({"margin": []})


def test_files_that_are_none_are_refused(tmp_path):
    model = build("TransE")
    for load in (model.load_checkpoint, model.load_parameters):
        with pytest.raises(FileNotFoundError, match="absent: no such"):
            load(tmp_path / "absent")
    path = tmp_path / "wrong"
    path.write_text("[1, 2")
    with pytest.raises(ValueError, match="wrong: not a readable checkpoint"):
        model.load_checkpoint(path)
    with pytest.raises(ValueError, match="wrong: not a JSON file"):
        model.load_parameters(path)
    path.write_text("[1, 2]")
    with pytest.raises(ValueError, match="wrong: holds a list, expected a dict of tables"):
        model.load_parameters(path)
    for content in (torch.zeros(3), {"epoch": 3}, {"state": {"epoch": 3}}):
        torch.save(content, path)
        with pytest.raises(ValueError, match="wrong: not a checkpoint of a model"):
            model.load_checkpoint(path)


class Danger:
    def __reduce__(self):
        return (print, ("executed",))


def test_nothing_in_a_checkpoint_is_executed(tmp_path, capsys):
    torch.save({"ent_embeddings.weight": Danger()}, tmp_path / "danger.ckpt")
    (tmp_path / "danger.pkl").write_bytes(pickle.dumps(Danger(), protocol=2))
    for name in ("danger.ckpt", "danger.pkl"):
        with pytest.raises(ValueError, match="never executed here") as caught:
            build("TransE").load_checkpoint(tmp_path / name)
        assert "weights_only" not in str(caught.getrepr(chain=True, style="no"))
    assert capsys.readouterr().out == ""


def test_parameters_that_do_not_fit_are_refused():
    model = build("TransE")
    with pytest.raises(ValueError, match="parameters: nothing for TransE, which has ent_emb"):
        model.set_parameters({"norm_vector.weight": np.zeros((R, 6))})
    with pytest.raises(ValueError, match="found no entries"):
        model.set_parameters({})
    with pytest.raises(ValueError, match=rf"rel_embeddings.weight is \[2\] there and \[{R}, 6\] h"):
        model.set_parameters({"rel_embeddings.weight": [1.0, 2.0]})
    for bad in (None, "text", [[1.0], [1.0, 2.0]]):
        with pytest.raises(ValueError, match=r"rel_embeddings\.weight is not an array of numbers"):
            model.set_parameters({"rel_embeddings.weight": bad})


def test_positions_of_settings_are_checked():
    with pytest.raises(ValueError, match="ComplEx got 3 settings by position; it knows dim"):
        ComplEx(E, R, 4, None, 5)
    with pytest.raises(ValueError, match="TransE got dim twice, by position and by name"):
        TransE(E, R, 4, dim=4)


@pytest.mark.parametrize(
    "given",
    [
        {"dim": "20"},
        {"dim": None},
        {"margin": "5", "epsilon": 2.0},
        {"epsilon": "2"},
        {"dim": 8.0},
        {"dim": True},
        {"margin": float("nan")},
    ],
)
def test_settings_that_are_no_numbers_are_named(given):
    name, value = next(iter(given.items()))
    with pytest.raises(ValueError, match=f"TransE.{name} is {value!r}; expected a (whole )?number"):
        TransE(E, R, **given)
    with pytest.raises(ValueError, match=r"RotatE\.margin is '6'; expected a number"):
        RotatE(E, R, margin="6")
    for sizes in ((None, R), (E, "4")):
        with pytest.raises(
            ValueError, match=r"TransE.(ent|rel)_tot is .*; expected a whole number"
        ):
            TransE(*sizes)
