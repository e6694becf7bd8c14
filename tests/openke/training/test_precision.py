"""Half-precision products and compiled steps train what plain steps train."""

import warnings

import pytest
import torch

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.strategy import NegativeSampling
from openke.training.precision import casting, check_precision, tensor_cores
from tests.contracts.graphs import BATCHES, CASES, WAITING, build, first_batch, graph

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def trainer(case="LBMKGC", **options):
    loader = TrainDataLoader(graph(), batch_size=16, **BATCHES["mixed"])
    strategy = NegativeSampling(build(case), SigmoidLoss(adv_temperature=1.0), regul_rate=0.1)
    return Trainer(
        *(strategy, loader, 3, 0.02),
        **{"opt_method": "adam", "device": "cpu", "progress": False, **options},
    )


@pytest.fixture
def _able(monkeypatch):
    """Pretend that the processor has the instructions, for a test without a warning."""
    monkeypatch.setattr("openke.training.precision._multiplies_bfloat16", lambda device: True)


@pytest.mark.usefixtures("_able")
@pytest.mark.parametrize("case", ["LBMKGC", "LBMKGC complete", "LBMKGC gated"])
def test_bfloat16_trains_nearly_as_float32_does(case):
    plain, half = trainer(case).run().losses, trainer(case, precision="bfloat16").run().losses
    assert plain != half
    assert plain == pytest.approx(half, rel=0.02)


@pytest.mark.usefixtures("_able")
def test_bfloat16_keeps_parameters_and_gradients_in_float32():
    trained = trainer(precision="bfloat16")
    products = []
    layer = trained.strategy.model.projectors.text.layers[0]
    layer.register_forward_hook(lambda module, given, made: products.append(made.dtype))
    trained._step(first_batch("mixed"))
    assert products == [torch.bfloat16]
    for parameter in trained.strategy.parameters():
        assert parameter.dtype == parameter.grad.dtype == torch.float32


@pytest.mark.usefixtures("_able")
def test_a_checkpoint_belongs_to_its_precision(tmp_path):
    trainer(precision="bfloat16").save(tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="precision is 'bfloat16' there and 'float32' here"):
        trainer().resume(tmp_path / "a.ckpt")


def test_an_unknown_precision_lists_the_known_ones():
    with pytest.raises(ValueError, match="precision is 'int4', expected one of float32, float32-"):
        trainer(precision="int4")


@pytest.mark.parametrize(
    ("found", "warns"),
    [
        ({"architecture": "x86_64", "avx2": True}, True),
        ({"architecture": "x86_64", "amx_bf16": True}, False),
        ({"architecture": "aarch64"}, False),
    ],
)
def test_a_processor_without_bfloat16_is_told(found, warns, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_precision("bfloat16", CPU)
        check_precision("float32", CPU)
    assert [("no instructions for bfloat16" in str(w.message)) for w in caught] == [True] * warns
    with casting("float32", CPU):
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    ("precision", "device", "found"),
    [
        ("float32", CUDA, "high"),
        ("bfloat16", CUDA, "high"),
        ("float32-ieee", CUDA, "highest"),
        ("float32", CPU, "medium"),
        ("float32-ieee", CPU, "medium"),
    ],
)
def test_a_step_on_a_gpu_multiplies_by_tensor_cores(precision, device, found, monkeypatch):
    """There and back, and what was set before is set again, even after an error."""
    trained, seen = trainer(precision="float32"), []
    trained.precision, trained.device = precision, device
    monkeypatch.setattr("openke.training.stepping.casting", lambda *_: casting("float32", CPU))
    monkeypatch.setattr("openke.data.batch.Batch.to", lambda batch, device: batch)
    layer = trained.strategy.model.projectors.text.layers[0]
    for register in (layer.register_forward_hook, layer.weight.register_hook):
        register(lambda *_: seen.append(torch.get_float32_matmul_precision()))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        trained._step(first_batch("mixed"))
        assert seen == [found] * 2
        with pytest.raises(KeyError), tensor_cores(precision, device):
            raise KeyError
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_choice_by_backend_stands(monkeypatch):
    """PyTorch then refuses to say what is set for all."""

    def refuse(*_):
        raise RuntimeError("mix of the legacy and new APIs")

    monkeypatch.setattr(torch, "get_float32_matmul_precision", refuse)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", refuse)
    with tensor_cores("float32", CUDA):
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "shape"),
    [(case, "mixed") for case in CASES if case not in WAITING]
    + [("LBMKGC", shape) for shape in BATCHES],
)
def test_every_objective_is_one_program(case, shape):
    """Dynamo traces it whole, with no way back to Python: ``fullgraph`` raises otherwise."""
    torch.compiler.reset()
    model, batch = build(case), first_batch(shape)
    strategy = NegativeSampling(model, SigmoidLoss(adv_temperature=1.0), regul_rate=0.1)
    batch = strategy.prepare(batch)
    compiled = torch.compile(strategy, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(batch), strategy(batch))


def test_a_compiled_step_has_no_gradients_by_row():
    """They are sparse tensors, which PyTorch's compiler does not take."""
    assert trainer()._turns[0].tables
    assert not trainer(compile=True)._turns[0].tables
    with pytest.raises(ValueError, match="'lazy_adam' needs gradients by row, which clip_norm, co"):
        trainer(compile=True, opt_method="lazy_adam")


@pytest.mark.slow
def test_a_compiled_step_is_the_step(monkeypatch):
    torch.compiler.reset()
    ordinary = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: ordinary(function, backend="aot_eager"))
    plain, compiled = trainer().run().losses, trainer(compile=True).run().losses
    assert plain == pytest.approx(compiled, rel=1e-5)
