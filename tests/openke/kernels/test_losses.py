"""The loss kernels: C++, PyTorch and dense labels in float64 agree, in losses and in gradients."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from openke import _native
from openke.kernels import (
    binary_cross_entropy,
    compiled,
    losses_reference,
    softmax_cross_entropy,
)
from openke.kernels import loss_operators as operators

Q, U = 5, 37
OFFSETS = torch.tensor([0, 2, 2, 3, 7, 8])  # the second row has no true column
TARGETS = torch.tensor([3, 36, 0, 5, 4, 30, 31, 36])
SINGLE = torch.tensor([0, 36, 7, 7, 20])
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6, torch.bfloat16: 1e-2, torch.float16: 2e-3}
EACH_TYPE = pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
SMOOTHING = pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])


def logits(dtype, q=Q, u=U, scale=5.0, shift=0.0):
    generator = torch.Generator().manual_seed(q * u)
    values = torch.randn(q, u, generator=generator, dtype=torch.float64) * scale + shift
    return values.to(dtype).requires_grad_()


def dense(offsets, targets, u, smoothing, share):
    labels = torch.zeros(len(offsets) - 1, u, dtype=torch.float64)
    for i, (begin, end) in enumerate(itertools.pairwise(offsets.tolist())):
        labels[i, targets[begin:end]] = 1 / (end - begin) if share and end > begin else 1
    return (1 - smoothing) * labels + smoothing / u


def softmax_expected(x, labels):
    return -(labels * x.log_softmax(1)).sum(1)


def binary_expected(x, labels):
    return functional.binary_cross_entropy_with_logits(x, labels, reduction="none").mean(1)


def check(loss_of, expected_of, x, labels):
    """Compare losses and gradients with those of dense labels in float64."""
    weight = torch.linspace(-1, 2, len(x), dtype=torch.float64)
    wide = x.detach().double().requires_grad_()
    expected = expected_of(wide, labels)
    (expected * weight).sum().backward()
    loss = loss_of(x)
    assert loss.dtype == (torch.float64 if x.dtype == torch.float64 else torch.float32)
    (loss * weight.to(loss.dtype)).sum().backward()
    tolerance = TOLERANCE[x.dtype]
    fine = max(1e-6, tolerance) if loss.dtype == torch.float32 else tolerance
    torch.testing.assert_close(loss.double(), expected, rtol=fine, atol=fine)
    assert x.grad.dtype == x.dtype
    torch.testing.assert_close(x.grad.double(), wide.grad, rtol=0, atol=tolerance * 2)


@EACH_TYPE
@SMOOTHING
@pytest.mark.parametrize("shift", [0.0, 300.0])
def test_softmax_with_one_target_a_row(dtype, smoothing, shift):
    labels = dense(torch.arange(Q + 1), SINGLE, U, smoothing, share=True)
    check(
        lambda x: softmax_cross_entropy(x, SINGLE, smoothing),
        softmax_expected,
        logits(dtype, shift=shift),
        labels,
    )


@EACH_TYPE
@SMOOTHING
def test_softmax_with_several_targets_a_row(dtype, smoothing):
    labels = dense(OFFSETS, TARGETS, U, smoothing, share=True)
    check(
        lambda x: softmax_cross_entropy(x, TARGETS.int(), smoothing, offsets=OFFSETS),
        softmax_expected,
        logits(dtype),
        labels,
    )


@EACH_TYPE
@SMOOTHING
@pytest.mark.parametrize("scale", [5.0, 40.0])
def test_binary(dtype, smoothing, scale):
    labels = dense(OFFSETS, TARGETS, U, smoothing, share=False)
    check(
        lambda x: binary_cross_entropy(x, OFFSETS, TARGETS, smoothing),
        binary_expected,
        logits(dtype, scale=scale),
        labels,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("chunk", [1, 1 << 22])
@pytest.mark.parametrize(("q", "u"), [(1, 1), (3, 16), (2, 5000), (40, 4100)])
def test_the_core_equals_the_pytorch_reference(dtype, chunk, q, u, monkeypatch):
    monkeypatch.setattr(compiled, "CHUNK", chunk)
    x = logits(dtype, q, u).detach()
    targets, offsets = torch.arange(q) % u, torch.arange(q + 1)
    grad = torch.linspace(1, 2, q, dtype=losses_reference.wide(x).dtype)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    for given in (None, offsets):
        labels = losses_reference.Labels(targets, given, 0.1)
        found, expected = operators.softmax(x, *labels), losses_reference.softmax(x, labels)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)
        torch.testing.assert_close(
            operators.softmax_backward(grad, x, found[1], *labels),
            losses_reference.softmax_backward(grad, x, expected[1], labels),
            **close,
        )
    torch.testing.assert_close(
        operators.binary(x, *labels), losses_reference.binary(x, labels), rtol=1e-6, atol=1e-6
    )
    torch.testing.assert_close(
        operators.binary_backward(grad, x, *labels),
        losses_reference.binary_backward(grad, x, labels),
        **close,
    )


@SMOOTHING
def test_gradients_pass_gradcheck(smoothing):
    x = logits(torch.float64)
    for loss_of in (
        lambda x: softmax_cross_entropy(x, SINGLE, smoothing),
        lambda x: softmax_cross_entropy(x, TARGETS, smoothing, offsets=OFFSETS),
        lambda x: binary_cross_entropy(x, OFFSETS, TARGETS, smoothing),
    ):
        assert torch.autograd.gradcheck(loss_of, (x,))


def test_the_exponential_is_accurate():
    """The softmax gradient of a row whose normaliser is 1 is exp(x)."""
    x = torch.linspace(-86, 0, 100_001)
    one, last = torch.ones(1), torch.tensor([len(x) - 1])
    found = operators.softmax_backward(one, x[None], torch.tensor([[0.0, 1.0]]), last, None, 0.0)[0]
    expected = x.double().exp()
    assert ((found - expected).abs() <= 1e-6 * expected)[:-1].all()


def test_sigmoids_and_their_losses_are_accurate():
    x = torch.linspace(-86, 86, 20_001)
    none = torch.tensor([], dtype=torch.int64)
    scale = torch.full((1,), float(len(x)))
    found = operators.binary_backward(scale, x[None], none, torch.zeros(2, dtype=torch.int64), 0.0)
    expected = x.double().sigmoid()
    assert ((found[0] - expected).abs() <= 1e-6 * expected).all()
    empty = torch.zeros(len(x) + 1, dtype=torch.int64)
    found = binary_cross_entropy(x[:, None], empty, none)
    expected = torch.logaddexp(x.double(), torch.zeros(1, dtype=torch.float64))
    assert ((found - expected).abs() <= 1e-6 * expected).all()


@EACH_TYPE
def test_masked_columns_have_no_weight_and_nan_stays(dtype):
    x = logits(dtype).detach()
    x[:, 1] = -torch.inf
    x[4, 2] = torch.nan
    x.requires_grad_()
    for loss_of in (
        lambda x: softmax_cross_entropy(x, SINGLE),
        lambda x: binary_cross_entropy(x, OFFSETS, TARGETS),
    ):
        loss = loss_of(x)
        assert loss[:4].isfinite().all()
        assert loss[4].isnan()
        (grad,) = torch.autograd.grad(loss.sum(), x)
        assert torch.equal(grad[:, 1].isnan(), torch.tensor([0, 0, 0, 0, grad[4, 1].isnan()]) == 1)
        assert (grad[:4, 1] == 0).all()
        assert grad[4, 2].isnan()


def test_results_do_not_depend_on_threads_or_layout():
    x = logits(torch.float32, 90, 3000).detach()
    targets = torch.arange(90)
    before, results = torch.get_num_threads(), []
    try:
        for threads, given in ((1, x), (2, x.T.contiguous().T), (5, x)):
            torch.set_num_threads(threads)
            given = given.detach().requires_grad_()
            loss = softmax_cross_entropy(given, targets, 0.1)
            binary = binary_cross_entropy(given, torch.arange(91), targets)
            (loss + binary).sum().backward()
            results.append((loss, binary, given.grad))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_no_rows():
    x = torch.zeros(0, 4, requires_grad=True)
    none = torch.tensor([], dtype=torch.int64)
    loss = softmax_cross_entropy(x, none) + binary_cross_entropy(x, none.new_zeros(1), none)
    assert loss.shape == (0,)
    loss.sum().backward()
    assert x.grad.shape == (0, 4)


def test_operators_pass_opcheck():
    x = logits(torch.float32)
    torch.library.opcheck(operators.softmax, (x, TARGETS, OFFSETS, 0.1))
    torch.library.opcheck(operators.binary, (x, TARGETS, OFFSETS, 0.1))
    grad, normaliser = torch.ones(Q), torch.ones(Q, 2)
    tests = ("test_schema", "test_faketensor")
    for operator, arguments in (
        (operators.softmax_backward, (grad, x.detach(), normaliser, SINGLE, None, 0.1)),
        (operators.binary_backward, (grad, x.detach(), TARGETS, OFFSETS, 0.1)),
    ):
        torch.library.opcheck(operator, arguments, test_utils=tests)


def test_meta_tensors_give_shapes():
    x, target = torch.empty(Q, U, device="meta"), SINGLE.to("meta")
    assert softmax_cross_entropy(x, target).shape == (Q,)
    assert binary_cross_entropy(x, OFFSETS.to("meta"), target).shape == (Q,)


def test_second_derivatives_are_refused():
    x = logits(torch.float64)
    for loss in (
        softmax_cross_entropy(x, SINGLE),
        binary_cross_entropy(x, OFFSETS, TARGETS),
    ):
        (grad,) = torch.autograd.grad(loss.sum(), x, create_graph=True)
        with pytest.raises(NotImplementedError, match="first derivatives only"):
            grad.sum().backward()


# ---- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": torch.zeros(4)}, r"logits are of torch.float32 and shape \[4\]"),
        ({"logits": torch.zeros(5, 0)}, r"shape \[5, 0\]; expected .* at least one column"),
        ({"logits": torch.zeros(5, 3, dtype=torch.int32)}, "logits are of torch.int32"),
        ({"target": torch.zeros(4, dtype=torch.int64)}, "4 targets .* one for each of 5 rows"),
        ({"target": torch.zeros(5)}, "targets is of torch.float32; expected integers"),
        ({"label_smoothing": 1.5}, "label_smoothing is 1.5; expected 0 to 1"),
        ({"offsets": torch.zeros(5, dtype=torch.int64)}, "offsets have 5 entries; expected .* 6"),
        ({"target": SINGLE.to("meta")}, "logits are on cpu and targets on meta"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"logits": torch.zeros(Q, U), "target": SINGLE, **change}
    with pytest.raises(ValueError, match=message):
        softmax_cross_entropy(**arguments)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
@pytest.mark.parametrize(
    ("offsets", "targets", "message"),
    [
        ([0, 1, 2], [0, 4], r"targets\[1\] is 4; expected 0 to 3"),
        ([0, 1, 2], [-1, 3], r"targets\[0\] is -1; expected 0 to 3"),
        ([1, 1, 2], [0, 0], "offsets"),
        ([0, 2, 1], [0, 0], "offsets"),
        ([0, 1, 1], [0, 0], "offsets"),
    ],
)
def test_bad_labels_are_refused(dtype, offsets, targets, message):
    x = torch.zeros(2, 4, dtype=dtype)
    offsets, targets = torch.tensor(offsets), torch.tensor(targets)
    with pytest.raises(ValueError, match=message):
        softmax_cross_entropy(x, targets, offsets=offsets)
    with pytest.raises(ValueError, match=message):
        binary_cross_entropy(x, offsets, targets)


REALS, INDEX = np.zeros(64), np.array([0, 1, 2, 3], np.int64)
P, INDICES = REALS.ctypes.data, INDEX.ctypes.data
LOGITS = {
    "type": 1, "rows": 3, "columns": 4, "values": P,
    "offsets": None, "targets": INDICES, "positives": 3, "smoothing": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": 3}, r"type is 3; expected 0 \(float32\), 1 \(float64\) or 2"),
        ({"rows": -1}, "rows is -1; expected 0 or more"),
        ({"columns": 0}, "columns is 0; expected 1 or more"),
        ({"rows": 2**40, "columns": 2**40}, "logits are too many"),
        ({"values": None}, "values is a null pointer"),
        ({"targets": None}, "targets is a null pointer"),
        ({"positives": -1}, "positives is -1; expected 0 or more"),
        ({"positives": 4}, "positives is 4 without offsets; expected one .* each row, 3"),
        ({"offsets": INDICES + 8}, r"offsets\[0\] is 1; expected 0"),
        (
            {"offsets": INDICES, "positives": 2},
            r"offsets\[3\] is 3; expected the number",
        ),
        ({"columns": 2}, r"targets\[2\] is 2; expected 0 to 1"),
        ({"smoothing": -0.5}, "smoothing is -0.5; expected 0 to 1"),
        ({"smoothing": float("nan")}, "smoothing is nan; expected 0 to 1"),
    ],
)
def test_the_core_refuses_bad_logits(change, message):
    for name, arguments in (
        ("softmax_cross_entropy", (1, P, P)),
        ("softmax_cross_entropy_backward", (P, P, 1, P)),
        ("binary_cross_entropy", (1, P)),
        ("binary_cross_entropy_backward", (P, 1, P)),
    ):
        given = _native.reference(_native.Logits(**{**LOGITS, **change}))
        with pytest.raises(ValueError, match=message):
            _native.call(name, given, *arguments)


def test_the_core_refuses_null_pointers_and_falling_offsets():
    good = _native.reference(_native.Logits(**LOGITS))
    falling = np.array([0, 2, 1, 3], np.int64)
    bad = _native.reference(_native.Logits(**{**LOGITS, "offsets": falling.ctypes.data}))
    for name, arguments, message in (
        ("softmax_cross_entropy", (None, 1, P, P), "logits is a null pointer"),
        ("softmax_cross_entropy", (good, 1, None, P), "loss is a null pointer"),
        ("softmax_cross_entropy", (good, 1, P, None), "normaliser is a null pointer"),
        ("softmax_cross_entropy", (good, -1, P, P), "threads is -1"),
        ("softmax_cross_entropy_backward", (good, None, P, 1, P), "normaliser is a null"),
        ("softmax_cross_entropy_backward", (good, P, None, 1, P), "grad is a null pointer"),
        ("softmax_cross_entropy_backward", (good, P, P, 1, None), "out is a null pointer"),
        ("binary_cross_entropy", (good, 1, None), "loss is a null pointer"),
        ("binary_cross_entropy", (bad, 1, P), r"offsets\[2\] is 1; expected 2, the one before"),
        ("binary_cross_entropy_backward", (good, None, 1, P), "grad is a null pointer"),
        ("binary_cross_entropy_backward", (good, P, 1, None), "out is a null pointer"),
    ):
        with pytest.raises(ValueError, match=message):
            _native.call(name, *arguments)


# ---- instruction sets ---------------------------------------------------------------------------

ONE_SET = """
import json, torch
from openke.kernels import binary_cross_entropy, softmax_cross_entropy

found = {}
targets, offsets = torch.arange(3), torch.arange(4)
for dtype in (torch.float32, torch.float64, torch.bfloat16):
    for u in (3, 8, 40, 4099):
        x = torch.linspace(-30, 30, 3 * u).sin().mul(20).to(dtype).view(3, u).requires_grad_()
        softmax = softmax_cross_entropy(x, targets, 0.1)
        binary = binary_cross_entropy(x, offsets, targets, 0.1)
        (softmax + binary).sum().backward()
        found[f"{dtype} {u}"] = [y.double().flatten().tolist() for y in (softmax, binary, x.grad)]
print(json.dumps(found))
"""


def run_set(name):
    environment = {**os.environ, "OPENKE_ISA": name}
    done = subprocess.run(
        [sys.executable, "-c", ONE_SET], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        assert f'OPENKE_ISA is "{name}"' in done.stderr, done.stderr
        return None  # this processor lacks it
    return json.loads(done.stdout)


@pytest.mark.slow
def test_every_instruction_set_gives_the_same_results():
    best = run_set("")
    others = [run_set(name) for name in ("plain", "avx2")]
    assert others[0] is not None
    for found in filter(None, others):
        for case, results in found.items():
            tolerance = 1e-12 if "float64" in case else 1e-2 if "bfloat16" in case else 1e-6
            for ours, theirs in zip(results, best[case], strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
