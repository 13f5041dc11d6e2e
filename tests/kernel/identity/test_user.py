import pytest

from athanor.kernel.identity.user import User


@pytest.mark.parametrize(
    ("role", "permission", "granted"),
    [
        ("administrator", "identity.administer", True),
        ("operator", "trends.export", True),
        ("operator", "alarms.operate", True),
        ("operator", "identity.administer", False),
        ("operator", "data.correct", False),
        ("engineer", "data.correct", True),
        ("engineer", "trends.export", True),
        ("engineer", "identity.administer", False),
        ("engineer", "data.import", True),
        ("operator", "data.import", False),
        ("viewer", "overview.view", True),
        ("viewer", "trends.export", False),
        ("nobody", "overview.view", False),
    ],
)
def test_a_role_grants_what_its_patterns_cover(role: str, permission: str, granted: bool) -> None:
    assert User(1, "anna", "Anna", (role,)).may(permission) is granted


def test_who_belongs_to_a_tenant_sees_that_one_only() -> None:
    assert User(1, "anna", "Anna", ("viewer",), tenant="copper").tenants == frozenset({"copper"})
    assert User(1, "anna", "Anna", ("viewer",)).tenants is None
