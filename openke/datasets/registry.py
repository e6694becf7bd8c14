"""The data sets known by name: where each file lies, at which commit, with which checksum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openke.datasets.openke_checksums import OPENKE_SETS
from openke.runtime.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A public Git repository at one commit."""

    name: str
    commit: str

    def path(self, path: str) -> str:
        """Return where a file of it lies under :data:`HOST` and under any mirror of that."""
        return f"{self.name}/{self.commit}/{path}"

    def page(self, folder: str) -> str:
        """Return the address at which a browser shows a folder of it."""
        return f"https://github.com/{self.name}/tree/{self.commit}/{folder}"


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file to download: its path under :data:`HOST` and what its bytes must hash to.

    ``checksum`` is a SHA-256, or ``git:`` and the id of the file's content in Git.
    """

    path: str
    checksum: str


@dataclass(frozen=True, kw_only=True)
class LabelJoin:
    """How ``labels.tsv`` is made: a join of :mod:`openke.datasets.labels`, its sources and results.

    ``results`` holds the SHA-256 of each file the join writes, so that a name that matches another
    way than it did when the checksum was taken cannot pass unseen.
    """

    join: Literal["freebase", "wikidata", "wikipedia"]
    sources: tuple[RemoteFile, ...]
    results: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class KnownDataSet:
    """A data set: its files by the names they get in its folder, and the recipe of its labels.

    ``page`` is where a person finds the files in a browser.
    """

    page: str
    files: Mapping[str, RemoteFile]
    labels: LabelJoin | None = None

    @property
    def downloads(self) -> tuple[RemoteFile, ...]:
        """All files to fetch, the sources of the labels last."""
        return (*self.files.values(), *(self.labels.sources if self.labels else ()))


HOST = "https://raw.githubusercontent.com/"

ADAMF_MAT = Repository(name="zjukg/AdaMF-MAT", commit="50930e9b28aed57133bedfc281391185ac9b68a4")
K_ON = Repository(name="zjukg/K-ON", commit="e118ed7c5f8970ea97dc8954d4cd924ffe155700")
IMF = Repository(name="HestiaSky/IMF-Pytorch", commit="df883e4a60f9e32b22888a0d15719fcf0cb03250")
OPENKE = Repository(name="thunlp/OpenKE", commit="64c4ec8157abfc39112772e9825a349091da45f1")


def _openke_files(
    name: str, checksums: Mapping[str, str], repository: Repository = ADAMF_MAT
) -> dict[str, RemoteFile]:
    return {
        file: RemoteFile(path=repository.path(f"benchmarks/{name}/{file}"), checksum=checksum)
        for file, checksum in checksums.items()
    }


# Freebase id -> label, description, Wikidata id, Wikipedia page (text of Wikidata, CC0).
WIKIDATA_TEXT = RemoteFile(
    path=IMF.path("dataset/FB15K/entity2wikidata.json"),
    checksum="80e74bb002fb9ca0ecd3d63879a3a51121db855d312a101917a1ffb6aed2fea9",
)
DB15K_FREEBASE = RemoteFile(
    path=IMF.path("dataset/DB15K/entity2fb.txt"),
    checksum="8acb86460088483c96cc2735da79a57943f33d5fbb9b99f0983458c253538c7b",
)
MKG_W_ENTITIES = RemoteFile(
    path=K_ON.path("data/MKG-W/ent_links.txt"),
    checksum="4aa7e9f5ff3bbeea7dee3124669edba7903e65b22844529999325c6bec624511",
)
MKG_W_RELATIONS = RemoteFile(
    path=K_ON.path("data/MKG-W/rel_links.txt"),
    checksum="4f4276bec413905e109b1daf938a91c57baf2d4be7d0e3f3bcb4904adfd02ffe",
)

OWN: dict[str, KnownDataSet] = {
    "DB15K": KnownDataSet(
        page=ADAMF_MAT.page("benchmarks/DB15K"),
        files=_openke_files(
            "DB15K",
            {
                "entity2id.txt": "8f8d070f1bb24d07ed3050e4e4e780cb7f2245d0b14db3346e8db4fa55981728",
                "relation2id.txt": (
                    "25e5a975ee079dbd5b8d22ffe23575a9e3135d263e0a3763224777bf526c1a74"
                ),
                "train2id.txt": "d41f9b9ab5c0e6eed393e0f93febb4258dc02e5e4a4e2a99c49410d167522804",
                "valid2id.txt": "dc7ed39aa14e35a2f7ac09a0ff046067ee0e0d7953f8a204f04e7c09776095b1",
                "test2id.txt": "15f28535d04f3711b739a49d824f2346167384283cde57123376392d418ad6de",
                "type_constrain.txt": (
                    "14b29c43fa0ffff9beedcc36beb090ca69d1a0d77aab64408fe718da7d52b221"
                ),
            },
        ),
        labels=LabelJoin(
            join="freebase",
            sources=(WIKIDATA_TEXT, DB15K_FREEBASE),
            results={
                "labels.tsv": "72336a225b399a2eb9cce4803d22166e4f0798785490eba7b32a5868324c7414"
            },
        ),
    ),
    "MKG-W": KnownDataSet(
        page=ADAMF_MAT.page("benchmarks/MKG-W"),
        files=_openke_files(
            "MKG-W",
            {
                "entity2id.txt": "d94b546efcb535d8253821626dd32f3ee876b2f263b727a4a446bc74697785df",
                "relation2id.txt": (
                    "204203e03a92d4f973ee815449695bcfaae1b6917fcb08b65f3b0fb071a47f61"
                ),
                "train2id.txt": "a9f316506a20a7b5bef7de3ceaaa1e82de554b8e92e6aa26e7cb54bcd8ada53d",
                "valid2id.txt": "34dd556893b8e4832600298864dbd18012529a1f172793c21e45ad7bdee9d189",
                "test2id.txt": "0e1294b1f95c8ef80ad422aeefafea321d16c1d127570e6bb566882b2e053989",
                "type_constrain.txt": (
                    "1cee62e538acc9a3469b1d0f03b8204c9fe61fe83262719089cd241cd841d8b8"
                ),
            },
        ),
        labels=LabelJoin(
            join="wikidata",
            sources=(WIKIDATA_TEXT, MKG_W_ENTITIES, MKG_W_RELATIONS),
            results={
                "labels.tsv": "8b9acf4f97843a5c8c9c5854626a47300069ef2eddd0231631c535ee2fcc03b1",
                "relation_labels.tsv": (
                    "5def5f28225694165bd23f10b47fd06004f8117c094b8c0a070f272e4506af64"
                ),
            },
        ),
    ),
    "MKG-Y": KnownDataSet(
        page=ADAMF_MAT.page("benchmarks/MKG-Y"),
        files=_openke_files(
            "MKG-Y",
            {
                "entity2id.txt": "416f6f77c13d0cf0c5cae9625a62b9f7d26320c27ae408f5ce4e7eae3206b8d9",
                "relation2id.txt": (
                    "78d468edc02688f742c9b5a1030a071789ab24784dd2e48897643fe108ff4e4d"
                ),
                "train2id.txt": "71310c2c274e5ba2ce550433ef5c8496920bd03f50fd6057e64fc9c34e1e1aac",
                "valid2id.txt": "6c82db2d2b809aabf72f94bc19be3080b53ffba1caec12b81510354a7fe3470e",
                "test2id.txt": "8602cbbe7e3aef2c857df66eec5f7e4a2d6b02b19f58feff085688fb28980158",
                "type_constrain.txt": (
                    "5d305df6c8166170f41eedba58f1dbee3f9f525869f17d411af3f59391a22eaf"
                ),
            },
        ),
        labels=LabelJoin(
            join="wikipedia",
            sources=(WIKIDATA_TEXT,),
            results={
                "labels.tsv": "c88dfcc864c85dae733dd4a76456350eed001551e81daf59c03b20d2f9557b68"
            },
        ),
    ),
    **{
        name: KnownDataSet(
            page=OPENKE.page(f"benchmarks/{name}"),
            files=_openke_files(name, checksums, OPENKE),
        )
        for name, checksums in OPENKE_SETS.items()
    },
}

Source = KnownDataSet | Callable[[], Path]
"""Files to fetch, or a function that returns the folder of the data set, made or fetched by it."""

DATA_SETS: Registry[Source] = Registry(OWN, "openke.datasets")
"""Data sets that can be had by name, with those of other packages."""
