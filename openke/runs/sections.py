"""The sections of a recipe: data, features, training, evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from openke.module.strategy import OBJECTIVES, NegativeSampling
from openke.runs.parts import Part, divide
from openke.runtime.names import check_known
from openke.runtime.values import (
    Count,
    LearningRate,
    Natural,
    Positive,
    Share,
    Weight,
    check_arguments,
    check_value,
)

OF_QUERIES = ("answer_weights", "label_smoothing", "one_side", "relation_prediction")
OF_SAMPLING = ("sampling", "regul_rate", "l3_regul_rate")
"""Fields that only one kind of objective knows."""


@dataclass(frozen=True, kw_only=True)
class DataSection:
    """What is trained on."""

    name: str = ""
    """A registered data set, or the folder of one."""
    hold_out: Share = 0.0
    """Share of the train split to validate on, in place of the valid split. What is published
    trains on all of it."""


@dataclass(frozen=True, kw_only=True)
class FeatureSection:
    """What a multimodal model sees of its entities beside the triples."""

    modalities: str | Sequence[str] = "auto"
    """auto: whatever is there or can be made; or names, such as text or image,text; or none."""
    text_encoder: str = ""
    """What makes the text features, such as minilm+spelling; by default what is there, or
    minilm."""
    texts: Literal["names", "descriptions", "all", "masked"] = "all"
    """Which texts encoders and mentions read: names, descriptions, all, or masked (all, with the
    names of other entities hidden)."""
    folder: str = ""
    """Folder of feature stores or of AdaMF-MAT's .pth files; by default the places searched."""


@dataclass(frozen=True, kw_only=True)
class TrainingSection:
    """How a model is trained."""

    objective: Part = "1vsall"
    """1vsall, kvsall, negative sampling, or another of openke.module.strategy, with its
    settings."""
    reciprocal: bool = False
    """Each relation has an inverse of its own, and only tails are asked for."""
    loss: Part = "softmax"
    """softmax, bce or bce-conve; with negative sampling one of openke.module.loss, with its
    arguments."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of TrainDataLoader for negative sampling, such as neg_ent and negatives."""
    label_smoothing: Share = 0.0
    """Share of the right answer's weight that is spread over all entities."""
    answer_weights: Literal["even", "frequency"] = "even"
    """frequency: what is often an answer counts more, 0.1 + 0.9 n / max n; of 1vsall."""
    relation_prediction: Weight = 0.0
    """Weight of the cross entropy of (h, ?, t) against all relations."""
    one_side: bool = False
    """With 1vsall: in each epoch a triple asks for its head or for its tail, drawn anew; else for
    both."""
    penalty: Part | None = None
    """One of openke.module.penalty with its weight, such as {"name": "N3", "weight": 0.05}."""
    regul_rate: Weight = 0.0
    """Weight of the mean squares of a batch's vectors (OpenKE's)."""
    l3_regul_rate: Weight = 0.0
    """Weight of the cubes of all vectors (OpenKE's)."""
    auxiliary: Mapping[str, Weight] = field(default_factory=dict)
    """Weights of further losses that the model has, such as {"reconstruction": 1.0}."""
    dropout: Share = 0.0
    """Share of the known entity's vectors that a step forgets."""
    query_dropout: Share = 0.0
    """Share of the query's vectors that a step forgets."""
    optimizer: str = "adagrad"
    """sgd, adagrad, adadelta, rmsprop, adam, lazy_adam or rowwise_adagrad."""
    lr: LearningRate = 0.1
    """Learning rate."""
    weight_decay: Weight = 0.0
    """The optimiser's L2 decay."""
    lr_decay: Weight = 0.0
    """Adagrad's decay of the learning rate."""
    schedule: Part | None = None
    """One of openke.training.schedule, such as {"name": "cosine", "warm_up": 3}."""
    clip_norm: Positive | None = None
    """The greatest length of a step's gradient."""
    epochs: Count = 100
    """Passes over the train split."""
    batch_size: Count = 1000
    """Queries in a step; with negative sampling positive triples."""
    precision: Literal["float32", "float32-ieee", "bfloat16"] = "float32"
    """Of matrix products: float32 (on an NVIDIA GPU by TF32), float32-ieee (never by TF32), or
    bfloat16 where the processor has instructions for it."""
    seed: Natural = 0
    """Seed of initial parameters, order and negatives."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        name, settings = divide("training.objective", self.objective, OBJECTIVES)
        check_known("training.objective", name, OBJECTIVES)
        kind = OBJECTIVES[name].Config
        check_arguments("training.objective", settings, kind, owner=f"objective {name!r}")
        for loss, weight in self.auxiliary.items():
            check_value(f"training.auxiliary.{loss}", weight, Weight)
        for field_name in OF_QUERIES if self.samples else OF_SAMPLING:
            if getattr(self, field_name) not in (0.0, "even", {}):
                raise ValueError(
                    f"training.{field_name} is {getattr(self, field_name)!r}, but training by "
                    f"{name} has none; leave it out"
                )
        if self.one_side and getattr(OBJECTIVES[name], "targets", "one") != "one":
            raise ValueError(
                f"training.one_side is True, but training by {name} asks each distinct query once, "
                "whose sides have no other; leave it out, or train by 1vsall"
            )

    @property
    def samples(self) -> bool:
        """Whether positives are held against sampled negatives, not against all entities."""
        name, _ = divide("training.objective", self.objective)
        return issubclass(OBJECTIVES[name], NegativeSampling)


@dataclass(frozen=True, kw_only=True)
class EvaluationSection:
    """How training is watched on the valid split."""

    every: Natural = 0
    """Epochs between two validations; 0 never validates."""
    patience: Natural = 0
    """Validations without a better MRR before training stops; 0 never stops early."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        if self.patience and not self.every:
            raise ValueError(
                "evaluation.patience needs evaluation.every, the epochs between two validations: "
                "nothing would be measured"
            )
