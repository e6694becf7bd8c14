"""1-vs-all training: every triple asks for its tail and for its head."""

from openke.module.strategy.all_entities import AllEntitiesStrategy


class OneVsAll(AllEntitiesStrategy):
    """Mean over queries of the loss of one right answer among all entities.

    Arguments are those of :class:`AllEntitiesStrategy`; batches come from
    ``QueryDataLoader(store, targets="one")``. Other answers known to be right count as wrong.

    References
    ----------
    Lacroix et al., Canonical Tensor Decomposition for Knowledge Base Completion, ICML 2018;
    Ruffinelli et al., You CAN Teach an Old Dog New Tricks!, ICLR 2020.
    """

    targets = "one"
