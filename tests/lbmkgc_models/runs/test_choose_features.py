"""Which modalities a run uses, and what it says of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lbmkgc_models.feature_store.search_path import default_features_dir
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import TEXT_CHOICES
from lbmkgc_models.features.encoders import packaged
from lbmkgc_models.features.image import build_image_features
from lbmkgc_models.features.text import build_text_features
from lbmkgc_models.runs import choose_features as select
from lbmkgc_models.runs import features_to_make
from lbmkgc_models.runs.choose_features import gather_features
from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.experiment import features_for
from openke.data.store import TripleStore
from openke.datasets.pictures import folder_name
from tests.lbmkgc_models.features.small import (
    LABELS,
    CountingEncoder,
    write_dataset,
    write_picture,
)

NAMES = [name for name, _, _ in LABELS]


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TripleStore:
    """Return a small graph with labels; the cache is empty."""
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    return TripleStore.open(write_dataset(tmp_path / "Pets"))


@pytest.fixture
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no sentence encoder be installed."""
    monkeypatch.setattr(packaged, "MINILM_PACKAGE", "no_such_package")


def _store(folder: Path, modality: str, count: int = 4, value: float = 1.0) -> Path:
    rows = torch.full((count, 3), value)
    return ModalFeatures.from_rows(modality, NAMES[:count], rows, NAMES).save(folder / modality)


def test_auto_makes_text_features_on_the_spot_and_finds_them_again(
    pets: TripleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "cache" / "features" / "Pets" / "text"
    found = gather_features(pets, progress=False)
    assert list(found.features) == ["text"]
    assert found.features["text"].values.shape == (4, 384)
    assert found.summary == (
        f"Pets: text: 4 of 4 entities, 384 reals, minilm, texts: all ({store}); image: none found"
    )
    monkeypatch.setattr(select, "build_text_features", None)
    again = gather_features(pets)
    assert torch.equal(again.features["text"].values, found.features["text"].values)
    assert again.summary == found.summary


@pytest.mark.parametrize("modalities", ["auto", ("auto",), "text", " text , text", ["text"]])
def test_ways_to_ask(pets: TripleStore, tmp_path: Path, modalities: str | list[str]) -> None:
    _store(tmp_path / "Pets" / "features", "text")
    assert list(gather_features(pets, modalities=modalities).features) == ["text"]


@pytest.mark.parametrize("modalities", ["none", "", (), ["none"]])
def test_none_is_structure_only(pets: TripleStore, modalities: str | list[str]) -> None:
    found = gather_features(pets, modalities=modalities)
    assert found.features == {}
    assert found.summary == "Pets: no modalities asked for, structure only"


@pytest.mark.usefixtures("no_encoder")
def test_auto_with_nothing_there(pets: TripleStore) -> None:
    found = gather_features(pets)
    assert found.features == {}
    missing = "text: none found, and no encoder that makes it of labels.tsv (pip install"
    assert found.summary.startswith(f"Pets: image: none found; {missing}")


def test_auto_without_labels(pets: TripleStore, tmp_path: Path) -> None:
    (tmp_path / "Pets" / "labels.tsv").unlink()
    assert gather_features(pets).features == {}


def test_auto_with_empty_labels(pets: TripleStore, tmp_path: Path) -> None:
    (tmp_path / "Pets" / "labels.tsv").write_text("")
    assert gather_features(pets).features == {}


def test_a_graph_from_memory_has_no_folder_to_look_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    graph = TripleStore.from_triples([[0, 0, 1]], entities=NAMES, relations=1)
    assert gather_features(graph).summary.endswith("structure only")
    found = gather_features(graph, features=_store(tmp_path / "given", "image").parent)
    assert list(found.features) == ["image"]


def test_a_graph_without_names_has_no_features(pets: TripleStore, tmp_path: Path) -> None:
    (tmp_path / "Pets" / "entity2id.txt").write_text("4\n")
    nameless = TripleStore.open(tmp_path / "Pets")
    found = gather_features(nameless)
    assert found.features == {}
    assert found.summary == (
        "Pets: entity2id.txt has no names, so no features can be matched; structure only"
    )
    given = _store(tmp_path / "given", "text").parent
    for ways in ({"features": given}, {"features": given, "modalities": "text"}):
        with pytest.raises(ValueError, match="the data set: no entity names"):
            gather_features(nameless, **ways)


def test_given_goes_before_beside_goes_before_cache(pets: TripleStore, tmp_path: Path) -> None:
    cached = tmp_path / "cache" / "features" / "Pets"
    for modality in ("image", "text", "audio"):
        _store(cached, modality, value=3.0)
    for modality in ("image", "text"):
        _store(tmp_path / "Pets" / "features", modality, value=2.0)
    given = _store(tmp_path / "given", "image", value=1.0).parent
    found = gather_features(pets, features=given)
    values = {name: float(made.values[0, 0]) for name, made in found.features.items()}
    assert values == {"audio": 3, "image": 1, "text": 2}


def test_modalities_are_chosen_and_the_rest_is_said_to_be_unused(
    pets: TripleStore, tmp_path: Path
) -> None:
    features = tmp_path / "Pets" / "features"
    _store(features, "text")
    image = _store(features, "image", count=2)
    found = gather_features(pets, modalities="image")
    assert list(found.features) == ["image"]
    assert found.summary == f"Pets: image: 2 of 4 entities, 3 reals ({image}); text: not used"
    assert list(gather_features(pets, modalities="text,image").features) == ["text", "image"]


def test_lineage_files_and_their_order_of_ids(pets: TripleStore, tmp_path: Path) -> None:
    given = tmp_path / "embeddings"
    given.mkdir()
    torch.save(torch.arange(8.0).reshape(4, 2), given / "Pets-visual.pth")
    torch.save(torch.zeros(4, 2), given / "Other-textual.pth")
    found = gather_features(pets, modalities="image", features=given)
    assert found.features["image"].values[0].tolist() == [0, 1]
    rows = "".join(f"{name}\t{i}\n" for i, name in enumerate(reversed(NAMES)))
    (given / "entity2id.txt").write_text(f"4\n{rows}", encoding="utf-8")
    found = gather_features(pets, modalities="image", features=given)
    assert found.features["image"].values[0].tolist() == [6, 7]


def test_features_of_other_texts_are_said_to_be_so(pets: TripleStore, tmp_path: Path) -> None:
    folder, out = tmp_path / "Pets", tmp_path / "out"
    build_text_features(folder, out, encoder=CountingEncoder(), progress=False)
    assert "other texts" not in gather_features(pets, features=out).summary
    write_dataset(folder, [*LABELS[:3], (NAMES[3], "isle", "")])
    found = gather_features(pets, features=out)
    way = f"run 'openke features text {folder} --texts all' again"
    assert f"of other texts than those asked for: {way}" in found.summary
    (folder / "labels.tsv").unlink()
    assert "other texts" not in gather_features(pets, features=out).summary


def test_features_of_another_choice_of_texts_are_refused(pets: TripleStore, tmp_path: Path) -> None:
    folder, out = tmp_path / "Pets", tmp_path / "out"
    build_text_features(folder, out, encoder=CountingEncoder(), texts="names", progress=False)
    way = "make them again with --texts masked, or set features.texts to 'names'"
    with pytest.raises(ValueError, match=f"features.texts is 'masked', .* of 'names': {way}"):
        gather_features(pets, features=out, texts="masked")
    assert "other texts" not in gather_features(pets, features=out, texts="names").summary
    assert "of other texts than" in gather_features(pets, features=out).summary


OTHERS = [(f"<http://y/{i}>", f"thing {i}", "") for i in range(8)]
MADE_AGAIN = "made again: the store there was of other texts"


@pytest.mark.parametrize(
    "labels",
    [
        OTHERS,
        [*OTHERS, LABELS[0]],
        [*LABELS[:3], (NAMES[3], "isle", "")],
    ],
    ids=["another data set's", "one name in common", "other texts"],
)
def test_outdated_text_features_in_the_cache_are_made_again(
    pets: TripleStore, tmp_path: Path, labels: list[tuple[str, str, str]]
) -> None:
    other = TripleStore.open(write_dataset(tmp_path / "other" / "Pets", labels))
    gather_features(other, progress=False)
    found = gather_features(pets, progress=False)
    assert found.features["text"].present.all()
    assert found.features["text"].unmatched == ()
    assert MADE_AGAIN in found.summary
    assert "of other texts than" not in found.summary
    assert MADE_AGAIN not in gather_features(pets, progress=False).summary


def test_text_features_in_the_cache_are_made_again_only_where_they_are_wanted(
    pets: TripleStore, tmp_path: Path
) -> None:
    _store(tmp_path / "Pets" / "features", "image")
    cached = tmp_path / "cache" / "features" / "Pets"
    folder = write_dataset(tmp_path / "other", OTHERS)
    build_text_features(folder, cached, encoder=CountingEncoder(), progress=False)
    before = (cached / "text" / "manifest.json").read_bytes()
    for modalities in ("image", "none"):
        gather_features(pets, modalities=modalities)
    for features in (cached, cached.parent / "Pets"):  # named by the user
        with pytest.raises(ValueError, match=r"none of the 8 names.*belong to another data set"):
            gather_features(pets, features=features)
    assert (cached / "text" / "manifest.json").read_bytes() == before
    found = gather_features(pets, features=tmp_path / "Pets" / "features", progress=False)
    assert MADE_AGAIN in found.summary


@pytest.mark.usefixtures("no_encoder")
def test_another_data_sets_features_in_the_cache_without_an_encoder(
    pets: TripleStore, tmp_path: Path
) -> None:
    folder = write_dataset(tmp_path / "other", OTHERS)
    cached = tmp_path / "cache" / "features" / "Pets"
    build_text_features(folder, cached, encoder=CountingEncoder(), progress=False)
    with pytest.raises(ValueError, match=r"none of the 8 names.*belong to another data set"):
        gather_features(pets)


def test_what_another_encoder_made_stays_in_the_cache(pets: TripleStore, tmp_path: Path) -> None:
    folder, cached = tmp_path / "Pets", tmp_path / "cache" / "features" / "Pets"
    build_text_features(folder, cached, encoder=CountingEncoder(), progress=False)
    write_dataset(folder, [*LABELS[:3], (NAMES[3], "isle", "")])
    found = gather_features(pets)
    assert found.features["text"].manifest.encoder == "counting"
    assert "of other texts than those asked for" in found.summary


def test_a_damaged_store_in_the_cache_is_an_error(pets: TripleStore, tmp_path: Path) -> None:
    store = _store(tmp_path / "cache" / "features" / "Pets", "text")
    (store / "names.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks names\.txt"):
        gather_features(pets)


def test_a_model_of_one_modality_takes_the_first_that_is_there(
    pets: TripleStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for modality in ("image", "text"):
        _store(tmp_path / "Pets" / "features", modality)
    recipe = default_recipe("IKRL")
    assert list(features_for(recipe, pets, tmp_path / "Pets")) == ["image"]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("; text: not used, this model takes one modality")
    only_text = recipe.changed({"features.modalities": "text"})
    assert list(features_for(only_text, pets, tmp_path / "Pets")) == ["text"]
    assert "one modality" not in capsys.readouterr().out


@pytest.mark.usefixtures("no_encoder")
def test_text_asked_for_and_not_there(pets: TripleStore, tmp_path: Path) -> None:
    folder = tmp_path / "Pets"
    message = (
        rf"no text features of Pets in {folder}/features, {tmp_path}/cache/features/Pets; name a "
        r"folder that holds the store text/ as features.folder, or one with "
        r"Pets-textual.pth, as .*, or install a sentence encoder \(pip install "
        rf"'openke-lbmkgc\[encoders\]'\), or run 'openke features text {folder}' with an "
        r"--encoder, or "
        r"leave it out: auto as features.modalities uses what there is"
    )
    with pytest.raises(FileNotFoundError, match=message):
        gather_features(pets, modalities="text")
    (folder / "labels.tsv").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"or give the data set a labels.tsv .* and install"
    ):
        gather_features(pets, modalities="text")


@pytest.mark.parametrize(
    ("modality", "message"),
    [
        ("image", r"no image features of Pets in .*with Pets-visual.pth, as .*, or leave it out"),
        (
            "audio",
            r"no audio features of Pets in .*; expected modalities such as image, text, classes, ",
        ),
        (
            "imagse",
            r"such as image, text, classes \(did you mean image\?\), name a .* store imagse/ as",
        ),
    ],
)
def test_others_asked_for_and_not_there(pets: TripleStore, modality: str, message: str) -> None:
    with pytest.raises(FileNotFoundError, match=message):
        gather_features(pets, modalities=modality)


@pytest.mark.parametrize("modalities", ["auto,text", "none,image", ["text", "auto"]])
def test_names_do_not_mix_with_auto_or_none(pets: TripleStore, modalities: str | list[str]) -> None:
    with pytest.raises(ValueError, match="expected 'auto', 'none', or names such as 'image,text'"):
        gather_features(pets, modalities=modalities)


@pytest.mark.parametrize("modalities", [",", " , ", " ", ["", " "]])
def test_commas_alone_are_no_modalities(pets: TripleStore, modalities: str | list[str]) -> None:
    with pytest.raises(ValueError, match=r"name none, expected 'auto', 'none', or names such as"):
        gather_features(pets, modalities=modalities)


def _nothing(given: Path) -> str:
    return "it is no folder"


def _empty(given: Path) -> str:
    given.mkdir()
    return "it holds nothing"


def _other_data_set(given: Path) -> str:
    given.mkdir()
    (given / "DB15K-visual.pth").write_text("")
    return "it holds DB15K-visual.pth"


@pytest.mark.parametrize("make", [_nothing, _empty, _other_data_set])
def test_nothing_where_features_points(
    pets: TripleStore, tmp_path: Path, make: Callable[[Path], str]
) -> None:
    there = make(tmp_path / "given")
    message = (
        rf"{tmp_path}/given: no features of Pets there \({there}\); expected a folder "
        r"with feature stores \(image/, text/, .*\) or Pets-visual.pth or Pets-textual.pth"
    )
    with pytest.raises(FileNotFoundError, match=message):
        gather_features(pets, features=tmp_path / "given")


def test_a_folder_named_for_another_modality(pets: TripleStore, tmp_path: Path) -> None:
    features = tmp_path / "Pets" / "features"
    _store(features, "text").rename(features / "image")
    with pytest.raises(ValueError, match="image: holds text features, but its folder is named"):
        gather_features(pets, modalities="image")


def test_features_are_written_where_the_user_may_write(
    pets: TripleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "file"))
    message = "file/features/Pets: features cannot be written there .*--out.*OPENKE_CACHE"
    with pytest.raises(OSError, match=message):
        gather_features(pets, progress=False)


@pytest.mark.usefixtures("no_encoder")
@pytest.mark.parametrize("modalities", ["auto", "text"])
def test_a_text_encoder_by_name_has_a_folder_of_its_own(
    pets: TripleStore, tmp_path: Path, modalities: str
) -> None:
    cache = tmp_path / "cache" / "features" / "Pets"
    _store(cache, "text")
    _store(tmp_path / "Pets" / "features", "image")
    made = gather_features(pets, modalities=modalities, text_encoder="tfidf+tfidf", progress=False)
    assert f"tfidf+tfidf, texts: all ({cache / 'tfidf+tfidf' / 'text'})" in made.summary
    text = made.features["text"]
    assert torch.equal(*text.values.chunk(2, dim=1))
    assert sorted(made.features) == (["image", "text"] if modalities == "auto" else ["text"])
    again = gather_features(
        pets, modalities=modalities, text_encoder="tfidf+tfidf", device="meta", progress=False
    )
    assert torch.equal(again.features["text"].values, text.values)  # kept: it was made once
    alone = gather_features(pets, modalities=modalities, text_encoder="tfidf", progress=False)
    assert torch.equal(alone.features["text"].values, text.values.chunk(2, dim=1)[0])
    assert gather_features(pets, modalities="text").features["text"].dim == 3  # the cache's own


def test_text_of_an_encoder_that_was_changed_is_made_again(pets: TripleStore) -> None:
    before = gather_features(pets, text_encoder="tfidf", progress=False).features["text"]
    assert pets.directory is not None
    labels = pets.directory / "labels.tsv"
    first, *others = labels.read_text(encoding="utf-8").splitlines()
    labels.write_text("\n".join([f"{first} with stripes", *others]), encoding="utf-8")
    after = gather_features(pets, text_encoder="tfidf", progress=False).features["text"]
    assert not torch.equal(before.values, after.values)


def test_a_text_encoder_where_it_cannot_serve(pets: TripleStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="text_encoder is 'tfidf', but text is not among"):
        gather_features(pets, modalities="image", text_encoder="tfidf")
    _store(tmp_path / "given", "text")
    with pytest.raises(ValueError, match=r"'tfidf', but .*given, features.folder, has text"):
        gather_features(pets, features=tmp_path / "given", text_encoder="tfidf")
    memory = TripleStore.from_triples([[0, 0, 1]], entities=NAMES, relations=1)
    with pytest.raises(FileNotFoundError, match="'tfidf', but these triples come from no folder"):
        gather_features(memory, text_encoder="tfidf")


def test_other_texts_have_a_store_of_their_own(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Pets")
    (folder / "texts.tsv").write_text("id\ttext\n0\tIt barks at the puppy.\n", encoding="utf-8")
    store = TripleStore.open(folder)
    stores = {}
    for texts in TEXT_CHOICES:
        found = gather_features(store, texts=texts, text_encoder="minilm", progress=False)
        assert f"texts: {texts} (" in found.summary
        stores[texts] = found.features["text"].values
    assert not torch.equal(stores["all"], stores["masked"])
    assert not torch.equal(stores["all"], stores["descriptions"])
    again = gather_features(store, texts="masked", text_encoder="minilm", progress=False)
    assert torch.equal(again.features["text"].values, stores["masked"])
    with pytest.raises(ValueError, match="texts are 'some', expected one of names"):
        gather_features(store, texts="some")


def test_auto_encodes_the_pictures_of_the_folder(
    pets: TripleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_to_make, "available_image_encoder", lambda: "colour-histogram")
    pictures = tmp_path / "Pets" / "pictures"
    pictures.mkdir()
    assert "image: none found" in gather_features(pets, progress=False).summary
    for i, name in enumerate(NAMES[:3]):
        write_picture(pictures / folder_name(name) / "1.png", seed=i)
    found = gather_features(pets, progress=False)
    assert sorted(found.features) == ["image", "text"]
    assert found.features["image"].present.tolist() == [True, True, True, False]
    first = found.features["image"].values
    kept = gather_features(pets, progress=False)
    assert torch.equal(kept.features["image"].values, first)
    write_picture(pictures / folder_name(NAMES[3]) / "1.png", seed=9)
    again = gather_features(pets, modalities="image", progress=False)
    assert again.features["image"].present.all()
    assert list(gather_features(pets, modalities="text", progress=False).features) == ["text"]


@pytest.mark.parametrize("other", ["another folder", "several rows"])
def test_a_training_keeps_picture_features_that_it_would_make_in_another_way(
    other: str, pets: TripleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_to_make, "available_image_encoder", lambda: "colour-histogram")
    own, drawn = tmp_path / "Pets" / "pictures", tmp_path / "drawn"
    for folder, name in ((own, NAMES[0]), (own, NAMES[1]), (drawn, NAMES[2])):
        write_picture(folder / folder_name(name) / "1.png", seed=len(name))
    folders = [own, drawn] if other == "another folder" else [own]
    several = "mean" if other == "another folder" else "rows"
    made = build_image_features(
        *(tmp_path / "Pets", default_features_dir("Pets"), folders),
        encoder="colour-histogram",
        several=several,
        progress=False,
    )
    before = (made[0] / "manifest.json").read_bytes()
    found = gather_features(pets, modalities="image", progress=False)
    assert (made[0] / "manifest.json").read_bytes() == before
    assert int(found.features["image"].has.sum()) == (3 if len(folders) == 2 else 2)


def test_picture_features_that_somebody_chose_are_kept(
    pets: TripleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_to_make, "available_image_encoder", lambda: "colour-histogram")
    write_picture(tmp_path / "Pets" / "pictures" / folder_name(NAMES[0]) / "1.png", seed=1)
    _store(tmp_path / "cache" / "features" / "Pets", "image", value=3.0)
    found = gather_features(pets, modalities="image", progress=False)
    assert found.features["image"].values.eq(3.0).all()
