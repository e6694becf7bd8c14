"""k-vs-all training: every distinct query is asked once, with all its known answers."""

from openke.module.strategy.all_entities import AllEntitiesStrategy


class KVsAll(AllEntitiesStrategy):
    """Mean over distinct queries of the loss of all right answers among all entities.

    Arguments are those of :class:`AllEntitiesStrategy`; batches come from
    ``QueryDataLoader(store, targets="all")``. Under softmax all right answers are equally
    likely; penalties count a fact for each of them.

    References
    ----------
    Dettmers et al., Convolutional 2D Knowledge Graph Embeddings, AAAI 2018 (ConvE: with "bce");
    Ruffinelli et al., You CAN Teach an Old Dog New Tricks!, ICLR 2020.
    """

    targets = "all"
