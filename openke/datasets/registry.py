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
class Join:
    """How files that no repository has are made of several: a join, its sources and results.

    ``join`` is one of :data:`.JOINS`. ``results`` holds the SHA-256 of each file it writes, so that
    a name that matches another way than it did when the checksum was taken cannot pass unseen.
    """

    join: Literal["freebase", "wikidata", "wikipedia", "texts"]
    sources: tuple[RemoteFile, ...]
    results: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class KnownDataSet:
    """A data set: its files by the names they get in its folder, and what is joined to them.

    ``page`` is where a person finds the files in a browser. A join may use the files that those
    before it made.
    """

    page: str
    files: Mapping[str, RemoteFile]
    joins: tuple[Join, ...] = ()

    @property
    def downloads(self) -> tuple[RemoteFile, ...]:
        """All files to fetch, each once, the sources of the joins last."""
        joined = (source for join in self.joins for source in join.sources)
        return tuple(dict.fromkeys([*self.files.values(), *joined]))


HOST = "https://raw.githubusercontent.com/"

ADAMF_MAT = Repository(name="zjukg/AdaMF-MAT", commit="50930e9b28aed57133bedfc281391185ac9b68a4")
K_ON = Repository(name="zjukg/K-ON", commit="e118ed7c5f8970ea97dc8954d4cd924ffe155700")
IMF = Repository(name="HestiaSky/IMF-Pytorch", commit="df883e4a60f9e32b22888a0d15719fcf0cb03250")
LITERALLY_WIKIDATA = Repository(
    name="GenetAsefa/LiterallyWikidata", commit="2159e0db86bb8913cb6750b9f80375a22e0da498"
)
FILMS = Repository(
    name="prust/wikipedia-movie-data", commit="91ae721d3672e8ef4f15b213c763a634250ef61a"
)
HYPERKA = Repository(name="nju-websoft/HyperKA", commit="cadaf824a739b55211997e73d9948ddbfbe7ce83")
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

# Wikidata id -> description and label (text of Wikidata, CC0); Wikipedia title -> classes of
# DBpedia and YAGO (MIT); articles on films by decade (MIT, text of Wikipedia, CC BY-SA 4.0).
TEXTS = (
    RemoteFile(
        path=LITERALLY_WIKIDATA.path("Datasets/Entities/entity_wikidata_descriptions_en.txt"),
        checksum="ba40d4ef7663be455dc84c73df6f2af8f29c1ac87ca85a63ddade86406c5b045",
    ),
    RemoteFile(
        path=LITERALLY_WIKIDATA.path("Datasets/Entities/entity_labels_en.txt"),
        checksum="cd5bb7596ec350847170e8458bb8f15490b38e39c5902f97d1dd614b67b10f49",
    ),
    RemoteFile(
        path=HYPERKA.path("dataset/joie/db/db_InsType_mini.txt"),
        checksum="a24d4223451bb7f2bd0adf62e10230a0a222f9bacaf6d80f62711d869b34ee04",
    ),
    RemoteFile(
        path=HYPERKA.path("dataset/joie/yago/yago_InsType_mini.txt"),
        checksum="ebbd18c792bc6cd7f3845bb04dfd60239253e315756cd1288194ae4a626a406a",
    ),
    *(
        RemoteFile(path=FILMS.path(f"movies-{decade}s.json"), checksum=checksum)
        for decade, checksum in {
            1900: "5a42dfc3ff83ab30e3982f93f1164114b41e99e73c632c2321a87772959793e5",
            1910: "4672fe20aeddfe1c52464efc804ee3091f9e4b5fd385401ff0ce48cf8d367573",
            1920: "cb892518d2ffda4f2f11a0bd56f28b102fd0d47e5ae1ba2b2e4cb4e964f8127a",
            1930: "b2ffc5608cbeff231408433ad43f873d422b914bebdf408ebe18427c09a9dcb2",
            1940: "b4d96fc8b7c36f406e489b6fc017de03dd6a10f4c89a84d2a2a46af74e8b49a3",
            1950: "8f566bfec734e93f19f688598e82239556401bde63c226510d71190b30855298",
            1960: "a2450179f0744c07960a7840b9a86b5e0d733f7c0136a4ebcb804a63de9dc0a1",
            1970: "f9abef01840fc70afd148906c7985fa5548ab1f473520dfa6623a3a397bc4ce3",
            1980: "21d0f3c203f77169bb6508225aad4740816a3d7efd9e3bac82e3b812d0569672",
            1990: "facf24e3297937022285d064cc069e8bbe02581c3248a87f0b377c045b4fb61d",
            2000: "66140e41fe6c79cbb325b6566f156e27fe032a42175f224dfff1b71aa9630207",
            2010: "e218edfdd8453cdd938fcb8b07b6b177474b3b18361e3422fdd6480d7e3bf9f9",
            2020: "505f0f56ecdca7a2643fb3a811399b885f837e2cbfa9ee95a24b9018073e3eb3",
        }.items()
    ),
)


def _texts(checksum: str) -> Join:
    return Join(join="texts", sources=TEXTS, results={"texts.tsv": checksum})


Provider = KnownDataSet | Callable[[], Path]
"""Files to fetch, or a function that returns the folder of the data set, made or fetched by it."""

OWN: dict[str, Provider] = {
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
        joins=(
            Join(
                join="freebase",
                sources=(WIKIDATA_TEXT, DB15K_FREEBASE),
                results={
                    "labels.tsv": "72336a225b399a2eb9cce4803d22166e4f0798785490eba7b32a5868324c7414"
                },
            ),
            _texts("dbec688d6e6fd02ee6355ca5a1dd5702bec183609762c29998f27b48e818af23"),
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
        joins=(
            Join(
                join="wikidata",
                sources=(WIKIDATA_TEXT, MKG_W_ENTITIES, MKG_W_RELATIONS),
                results={
                    "labels.tsv": (
                        "8b9acf4f97843a5c8c9c5854626a47300069ef2eddd0231631c535ee2fcc03b1"
                    ),
                    "relation_labels.tsv": (
                        "5def5f28225694165bd23f10b47fd06004f8117c094b8c0a070f272e4506af64"
                    ),
                },
            ),
            _texts("4036fe0f34baf30510250bf41e2ae62aa3bba2aa50cf31be0b40be760ab77b91"),
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
        joins=(
            Join(
                join="wikipedia",
                sources=(WIKIDATA_TEXT,),
                results={
                    "labels.tsv": "c88dfcc864c85dae733dd4a76456350eed001551e81daf59c03b20d2f9557b68"
                },
            ),
            _texts("32b833432dc7bd0d5e868846749af7474a7e93613493121d5075ad62e084eae9"),
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

DATA_SETS: Registry[Provider] = Registry(OWN, "openke.datasets")
"""Data sets that can be had by name, with those of other packages."""
