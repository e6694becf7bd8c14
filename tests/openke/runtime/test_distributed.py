"""Two processes train and rank as one does."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from openke.data import TrainDataLoader
from openke.data.loader import shard_of
from openke.data.query_data_loader import QueryDataLoader
from openke.runtime.distributed import World, join
from tests.contracts.graphs import graph

ROOT = Path(__file__).parents[3]
CODE = """
import json, sys
from pathlib import Path
import torch
from openke.config import Tester, Trainer
from openke.training.callbacks import Checkpoint, Log
from openke.data import TestDataLoader, TrainDataLoader
from openke.data.query_data_loader import QueryDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.model import ComplEx, Reciprocal, RotatE, TransD
from openke.module.strategy import KBGAN, MANS, MAT, MMRNS
from openke.module.strategy import AdversarialNoise, NegativeSampling, OneVsAll
from tests.contracts.graphs import build, fused, graph

torch.set_num_threads(1)

def train(case, out, epochs, resume):
    torch.manual_seed(0)
    store = graph()
    e, r = store.entity_count, store.relation_count
    if case == "queries":
        loader = QueryDataLoader(store, 15)
        strategy = OneVsAll(Reciprocal(ComplEx(e, 2 * r, dim=8)))
    elif case == "features":
        loader = QueryDataLoader(store, 15)
        strategy = OneVsAll(fused(interaction="ComplEx", gate="sum", score_mentions=True))
    else:
        negatives = "shared" if case == "shared" else "own"
        loader = TrainDataLoader(
            store, batch_size=9, neg_ent=5, bern_flag=True, negatives=negatives
        )
        model = TransD(e, r, dim_e=8, dim_r=8) if case == "relational" else RotatE(e, r, dim=8)
        strategy = NegativeSampling(model, SigmoidLoss(adv_temperature=1.0), regul_rate=0.1)
        loss = SigmoidLoss(adv_temperature=1.0)
        if case == "KBGAN":
            strategy = KBGAN(model, loss, generator_lr=0.02)
        elif case == "MANS":
            strategy = MANS(build("IKRL"), loss)
        elif case == "MAT":
            strategy = MAT(build("AdaMF"), loss)
        elif case == "noise":
            strategy = AdversarialNoise(build("MMKRL"), loss, auxiliary={"alignment": 0.1})
        elif case == "MMRNS":
            strategy = MMRNS(build("MMRNS"), loss, draws=3)
            loader = TrainDataLoader(
                store, batch_size=9, neg_ent=12, negatives="shared", sampling_mode="cross"
            )
    trainer = Trainer(
        strategy, loader, epochs, 0.05, opt_method="adagrad", device="cpu", progress=False,
        callbacks=[Log(out / "log.csv"), Checkpoint(out / "last.ckpt")],
    )
    if resume:
        trainer.resume(resume[0])
    history = trainer.run()
    tester = Tester(strategy.model, TestDataLoader(store, type_constrain=False), progress=False)
    report = tester.rank("test")
    ranks = [report.greater.tolist(), report.equal.tolist()]
    losses = [record["loss"] for record in history.records]
    seen = [record["triples_per_second"] * record["seconds"] for record in history.records]
    trained = strategy if case == "KBGAN" else strategy.model
    weights = {n: p.detach().tolist() for n, p in trained.state_dict().items()}
    found = {"losses": losses, "seen": seen, "ranks": ranks, "weights": weights}
    (out / f"rank{trainer.world.rank}.json").write_text(json.dumps(found))

cases, out, epochs, resume = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
for case in cases.split():
    (out / case).mkdir(parents=True, exist_ok=True)
    train(case, out / case, epochs, resume)
"""


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def run(cases, out, ranks=1, epochs=2, resume=()):
    """Train each case in ``ranks`` processes, which start once; return what each of them found."""
    common = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    if ranks > 1:
        common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        common |= {"WORLD_SIZE": str(ranks)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, " ".join(cases), out, str(epochs), *map(str, resume)],
            env=common | ({"RANK": str(n), "LOCAL_RANK": str(n)} if ranks > 1 else {}),
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(ranks)
    ]
    for process in started:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert "FutureWarning" not in errors
    return {
        case: [json.loads((out / case / f"rank{n}.json").read_text()) for n in range(ranks)]
        for case in cases
    }


AS_ONE = ("own", "shared", "relational", "queries", "features")
DRAWING = ("KBGAN", "MANS", "MAT", "noise", "MMRNS")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return where the runs of one process and of two are."""
    return tmp_path_factory.mktemp("distributed")


@pytest.fixture(scope="module")
def as_one(folder):
    """Return what one process found, and what two did, by case."""
    return run(AS_ONE, folder / "one"), run(AS_ONE, folder / "two", ranks=2)


@pytest.fixture(scope="module")
def drawing(folder):
    """Return what two processes found, by case."""
    return run(DRAWING, folder / "drawing", ranks=2, epochs=3)


@pytest.mark.slow
@pytest.mark.parametrize("case", AS_ONE)
def test_two_processes_train_and_rank_as_one(case, as_one, folder):
    (alone,), both = (found[case] for found in as_one)
    for found in both:
        assert found["losses"] == pytest.approx(alone["losses"], rel=1e-4)
        assert found["seen"] == pytest.approx(alone["seen"])
        for name, value in alone["weights"].items():
            expected = torch.tensor(value)
            torch.testing.assert_close(
                torch.tensor(found["weights"][name]), expected, rtol=1e-3, atol=1e-4
            )
    assert both[0]["ranks"] == both[1]["ranks"]
    assert both[0]["losses"] == both[1]["losses"]
    assert (folder / "two" / case / "log.csv").read_text().count("\n") == 3  # header and two epochs


@pytest.mark.slow
@pytest.mark.parametrize("case", DRAWING)
def test_two_processes_whose_objective_draws_have_the_same_weights(case, drawing):
    """Each draws by itself for its shard, so they do not train as one would."""
    first, second = drawing[case]
    if case == "KBGAN":
        assert any(name.startswith("generator.") for name in first["weights"])
        assert first["weights"]["baseline"] != 0
    assert first["weights"] == second["weights"]
    assert first["losses"] == second["losses"]
    assert first["ranks"] == second["ranks"]


@pytest.mark.slow
def test_one_process_goes_on_where_two_stopped(tmp_path):
    own = ["own"]
    (whole,) = run(own, tmp_path / "whole", epochs=3)["own"]
    run(own, tmp_path / "begun", ranks=2, epochs=2)
    last = tmp_path / "begun" / "own" / "last.ckpt"
    (resumed,) = run(own, tmp_path / "resumed", epochs=3, resume=[last])["own"]
    assert resumed["losses"] == pytest.approx(whole["losses"], rel=1e-4)


def test_shards_make_up_the_whole():
    for size in (1, 2, 7, 10):
        for ranks in (1, 2, 3):
            shards = [shard_of(size, (rank, ranks)) for rank in range(ranks)]
            taken = [i for where, share in shards if share for i in range(size)[where]]
            assert taken == list(range(size))
            assert sum(share for _, share in shards) == pytest.approx(ranks)


@pytest.mark.parametrize("negatives", ["own", "shared"])
def test_processes_share_the_batches_of_one(negatives):
    def batches(shard):
        loader = TrainDataLoader(graph(), batch_size=9, neg_ent=4, negatives=negatives)
        loader.prepare(pin=False, shard=shard)
        return list(loader.epoch(0))

    for whole, first, second in zip(batches((0, 1)), batches((0, 2)), batches((1, 2)), strict=True):
        shards = [shard for shard in (first, second) if shard.share]
        assert torch.equal(torch.cat([shard.head for shard in shards]), whole.head)
        assert torch.equal(torch.cat([shard.tail for shard in shards]), whole.tail)


def test_processes_share_the_queries_of_one():
    def queries(shard):
        loader = QueryDataLoader(graph(), 15)
        loader.prepare(pin=False, shard=shard)
        return [
            sorted(zip(*(x.tolist() for x in (b.anchor, b.relation, b.answer)), strict=True))
            for b in loader.epoch(0)
        ]

    for whole, first, second in zip(queries((0, 1)), queries((0, 2)), queries((1, 2)), strict=True):
        assert sorted(first + second) == whole


def test_a_process_alone_needs_nothing(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert join() == World()
    assert World().device(torch.device("cuda")) == torch.device("cuda")
    assert World(1, 2, 1).device(torch.device("cuda")) == torch.device("cuda", 1)
    assert World(1, 2, 1).device(torch.device("cpu")) == torch.device("cpu")


def test_half_an_environment_is_an_error(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match=r"RANK.*is not set: start the processes by torchrun"):
        join()


def test_the_others_print_nothing(tmp_path):
    code = (
        "from dataclasses import dataclass\n"
        "from openke.runtime.script import run_script\n"
        "@dataclass\nclass Settings:\n    n: int = 1\n"
        "run_script(Settings, lambda settings: print('told'))\n"
    )
    for rank, told in (("0", "told\n"), ("1", "")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "RANK": rank},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == told
