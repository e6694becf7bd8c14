"""The parts of fusion, each of its own: projection, attention, gate, mask, mentions."""

from lbmkgc_models.fusion.modality_attention import ModalityAttention
from lbmkgc_models.fusion.relation_gate import RelationGate
from lbmkgc_models.fusion.structure_mask import StructureMask, seen_in_train

__all__ = ["ModalityAttention", "RelationGate", "StructureMask", "seen_in_train"]
