"""Whatever is registered can be loaded, also what packages that are installed offer."""

import pytest

from openke.runtime import registry as registry_module
from openke.runtime.registry import Registry
from tests.contracts.registered import REGISTRIES, loadable
from tests.openke.runtime.test_registry import BROKEN

ENTRIES = [(registry, name) for registry in REGISTRIES for name in registry]


@pytest.mark.parametrize(
    ("registry", "name"), ENTRIES, ids=[f"{registry.group} {name}" for registry, name in ENTRIES]
)
def test_what_is_registered_can_be_loaded(registry, name):
    assert registry[name] is not None


def test_an_entry_that_cannot_be_loaded_is_left_out_of_other_contracts(monkeypatch):
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [BROKEN])
    found = Registry({"own": 1}, "openke.models")
    assert list(found) == ["own", "Broken"]
    assert loadable(found) == {"own": 1}
