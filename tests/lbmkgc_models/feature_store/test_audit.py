"""What an audit says about features."""

from pathlib import Path

import pytest
import torch

from lbmkgc_models.feature_store.audit import audit_features
from lbmkgc_models.feature_store.store import ModalFeatures
from openke.audit.audit import audit
from openke.data.store import TripleStore
from tests.lbmkgc_models.features.small import LABELS, write_dataset

NAMES = [name for name, _, _ in LABELS]


@pytest.fixture
def pets(tmp_path: Path) -> TripleStore:
    """Return a small graph."""
    return TripleStore.open(write_dataset(tmp_path / "Pets"))


def _save(folder: Path, modality: str, names: list[str], rows: torch.Tensor) -> Path:
    return ModalFeatures.from_rows(modality, names, rows, names, encoder="e").save(
        folder / modality
    )


def test_complete_features_are_only_noted(pets: TripleStore, tmp_path: Path) -> None:
    store = _save(tmp_path / "features", "text", NAMES, torch.ones(4, 3))
    for path in (store, store.parent):
        (finding,) = audit_features(pets, path)
        assert (finding.severity, finding.subject) == ("note", "text features")
        assert finding.message == "rows of 3 reals for 4 entities by e, all finite"
        assert finding.figures == {"present": 4, "dim": 3}


def test_gaps_are_counted_by_modality(pets: TripleStore, tmp_path: Path) -> None:
    features = tmp_path / "features"
    rows = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    _save(features, "image", [NAMES[2], "nobody", NAMES[0]], rows)
    torch.save(torch.ones(4, 2), features / "Pets-textual.pth")
    torch.save(torch.ones(9, 2), features / "Other-textual.pth")
    found = audit_features(pets, str(features))
    assert [(each.severity, each.subject, dict(each.figures)) for each in found] == [
        ("note", "image features", {"present": 2, "dim": 2}),
        ("warning", "image features", {"missing": 2, "entities": 4}),
        ("warning", "image features", {"zero_rows": 2}),
        ("warning", "image features", {"unmatched": 1, "rows": 3}),
        ("note", "text features", {"present": 4, "dim": 2}),
    ]
    assert "2 of 4 entities (50.0%) have none" in found[1].message
    assert "2 rows hold nothing but zeros" in found[2].message
    assert "1 of 3 names are no entity of the graph, the first 'nobody'" in found[3].message


@pytest.mark.parametrize(("others", "severity"), [(1, "warning"), (2, "error")])
def test_features_of_mostly_other_entities_are_an_error(
    pets: TripleStore, tmp_path: Path, others: int, severity: str
) -> None:
    names = [NAMES[0], *(f"other {i}" for i in range(others))]
    _save(tmp_path / "features", "text", names, torch.ones(len(names), 2))
    finding = audit_features(pets, tmp_path / "features")[-1]
    assert (finding.severity, dict(finding.figures)) == (
        severity,
        {"unmatched": others, "rows": others + 1},
    )
    assert finding.message.endswith("made for another data set") == (severity == "error")


def test_zero_rows_of_a_lineage_file_are_missing(pets: TripleStore, tmp_path: Path) -> None:
    rows = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
    torch.save(rows, tmp_path / "Pets-visual.pth")
    found = audit_features(pets, tmp_path)
    assert [(each.severity, dict(each.figures)) for each in found] == [
        ("note", {"present": 2, "dim": 2}),
        ("warning", {"missing": 2, "entities": 4}),
        ("note", {"zero_rows": 2}),
    ]
    assert found[2].message.startswith("2 rows hold nothing but zeros and are taken as missing")


def test_features_that_cannot_be_used_are_errors(pets: TripleStore, tmp_path: Path) -> None:
    features = tmp_path / "features"
    _save(features, "image", NAMES, torch.ones(4, 2))
    (features / "image" / "names.txt").write_text("a\n")
    path = features / "Pets-textual.pth"
    torch.save(torch.full((4, 2), torch.nan), path)
    found = audit_features(pets, features)
    assert [(each.severity, each.subject) for each in found] == [
        ("error", "image features"),
        ("error", "text features"),
    ]
    assert "names.txt: SHA-256 is" in found[0].message
    assert "row 0 (<http://x/Dog>) has NaN, 4 of 4 rows" in found[1].message
    assert audit_features(pets, path) == found[1:]
    torch.save(torch.ones(3, 2), path)
    (finding,) = audit_features(pets, path)
    assert "3 rows, but the data set has 4 entities" in finding.message


def test_no_features(pets: TripleStore, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "Pets" / "train2id.txt"):
        (finding,) = audit_features(pets, path)
        assert (finding.severity, finding.subject) == ("error", "features")
        assert finding.message == (
            f"{path}: no feature store and no Pets-visual.pth or Pets-textual.pth"
        )


def test_the_audit_of_a_data_set_asks_for_it(pets: TripleStore, tmp_path: Path) -> None:
    _save(tmp_path / "features", "text", NAMES[:3], torch.ones(3, 3))
    report = audit(pets, features=tmp_path / "features")
    subjects = [each.subject for each in report.findings if each.figures.get("missing") == 1]
    assert subjects == ["text features"]
