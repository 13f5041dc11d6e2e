from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis.strategies import SearchStrategy, frozensets, sampled_from

from athanor.apps.people.domain.rights import covers, granted
from athanor.apps.people.services.rights import holds
from athanor.kernel.identity.user import ROLES, User

APPS, VERBS = ("energy", "alarms", "people"), ("view", "edit", "administer")
PERMISSIONS = [f"{app}.{verb}" for app in APPS for verb in VERBS]
PATTERNS = ["*", "*.*", *(f"*.{verb}" for verb in VERBS), *(f"{app}.*" for app in APPS), *PERMISSIONS]


def patterns() -> SearchStrategy[frozenset[str]]:
    return frozensets(sampled_from(PATTERNS), max_size=5)


def grants(held: frozenset[str], permission: str) -> bool:
    return any(fnmatchcase(permission, one) for one in held)


@given(held=patterns(), asked=patterns())
def test_what_is_covered_grants_nothing_that_is_not_held(held: frozenset[str], asked: frozenset[str]) -> None:
    if covers(held, asked):
        assert all(grants(held, one) for one in PERMISSIONS if grants(asked, one))


@given(held=patterns(), asked=patterns())
def test_more_rights_cover_no_less(held: frozenset[str], asked: frozenset[str]) -> None:
    assert covers(held | asked, asked)
    assert not covers(held, asked) or covers(held | {"alarms.view"}, asked)


@pytest.mark.parametrize(
    ("held", "asked", "is_held"),
    [
        ("*", "*", True),
        ("*", "people.administer", True),
        ("*.view", "energy.view", True),
        ("*.view", "*", False),
        ("*.view", "energy.*", False),
        ("energy.*", "*.view", False),
        ("people.administer", "*.administer", False),
    ],
)
def test_a_pattern_is_held_only_as_a_whole(held: str, asked: str, is_held: bool) -> None:
    assert covers([held], [asked]) is is_held


def test_the_built_in_roles_stand_one_above_the_other() -> None:
    order = ["viewer", "operator", "engineer", "administrator"]
    for place, name in enumerate(order):
        viewer = User(1, "anna", "Anna", (name,))
        assert [holds(viewer, ROLES[other]) for other in order] == [other <= place for other in range(len(order))]


def test_a_program_gives_no_more_than_its_tokens_scopes() -> None:
    program = User(1, "anna", "Anna", ("administrator",), scopes=frozenset({"people.administer", "*.view"}))
    assert holds(program, ROLES["viewer"])
    assert not holds(program, ROLES["operator"])


def test_what_a_role_grants_is_told_permission_by_permission() -> None:
    assert granted("x", ["*.view", "people.*"], PERMISSIONS).permissions == {
        "energy.view",
        "alarms.view",
        "people.view",
        "people.edit",
        "people.administer",
    }
