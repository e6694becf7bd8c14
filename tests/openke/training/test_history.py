"""What a training remembers of its epochs."""

import pytest

from openke.training.history import History


def test_the_best_epoch_is_the_first_of_the_highest():
    values = [None, 0.1, None, 0.3, 0.3, 0.2]
    records = [
        {"epoch": epoch, "loss": 1.0} | ({} if value is None else {"valid_mrr": value})
        for epoch, value in enumerate(values, start=1)
    ]
    history = History(records)
    assert history.best() is records[3]
    assert history.best("valid_hits@1") is None
    assert History().best() is None


def test_the_table_has_the_columns_of_the_records_alone(tmp_path):
    history = History([{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 0.5, "valid_mrr": 0.25}])
    history.write_csv(tmp_path / "training.csv")
    text = (tmp_path / "training.csv").read_text()
    assert text == "epoch,loss,valid_mrr\n1,1.0,\n2,0.5,0.25\n"


@pytest.mark.parametrize("content", [b"epoch\n1\n\xff\n", b"epoch\nx\n"])
def test_what_is_no_table_is_named(tmp_path, content):
    (tmp_path / "training.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"training\.csv"):
        History.read_csv(tmp_path / "training.csv")
