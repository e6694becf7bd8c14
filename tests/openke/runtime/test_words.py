"""One thing is singular."""

from openke.runtime.words import counted


def test_one_is_singular_and_the_rest_plural():
    assert counted(1, "row") == "1 row"
    assert counted(0, "seed") == "0 seeds"
    assert counted(2000, "row") == "2,000 rows"
    assert (counted(1, "entity"), counted(3, "entity")) == ("1 entity", "3 entities")
