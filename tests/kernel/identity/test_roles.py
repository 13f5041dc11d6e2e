"""Roles made here: what they grant, when it holds, and which cannot be kept."""

import pytest

from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.roles import BadRoleError, Role
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import ROLES, User

from .conftest import PASSWORD

CHEMIST = Role("chemist", {"en": "Chemist", "zh_CN": "化验员"}, ("quality.*", "trends.view"))


async def anna(people: Identity, *roles: str) -> User:
    await people.accounts.change("anna", Profile("Anna", roles, "copper"), actor="otto")
    user = await people.sessions.user_of(await people.sessions.sign_in("anna", PASSWORD))
    assert user is not None
    return user


async def test_a_role_made_here_grants_what_it_names(people: Identity) -> None:
    await people.roles.keep(CHEMIST, actor="otto")
    user = await anna(people, "chemist")
    wanted = ("quality.view", "quality.edit", "trends.view", "trends.edit", "energy.view")
    assert [user.may(one) for one in wanted] == [True, True, True, False, False]


async def test_several_roles_grant_what_any_of_them_does(people: Identity) -> None:
    await people.roles.keep(CHEMIST, actor="otto")
    user = await anna(people, "viewer", "chemist")
    assert [user.may(one) for one in ("energy.view", "quality.edit", "energy.edit")] == [True, True, False]
    assert user.role == "viewer, chemist"


async def test_a_change_of_a_role_holds_from_the_next_request_on(people: Identity) -> None:
    await people.roles.keep(CHEMIST, actor="otto")
    await anna(people, "chemist")
    token = await people.sessions.sign_in("anna", PASSWORD)
    await people.roles.keep(Role("chemist", CHEMIST.title, ("trends.view",)), actor="otto")
    user = await people.sessions.user_of(token)
    assert user is not None
    assert (user.may("quality.view"), user.may("trends.view")) == (False, True)


async def test_what_only_administrators_may_is_not_covered_by_any_verb_of_the_built_in_ones(people: Identity) -> None:
    for role in set(ROLES) - {"administrator"}:
        assert not (await anna(people, role)).may("people.administer")


BAD = [
    ("viewer", ("energy.view",), "built in"),
    ("Chemist", ("energy.view",), "its name has"),
    ("x", ("energy.view",), "its name has"),
    ("x' OR 1=1", ("energy.view",), "its name has"),
    ("chemist", ("energy",), "'energy' is no permission"),
    ("chemist", ("*",), "no permission"),
    ("chemist", ("energy.view.all",), "no permission"),
    ("chemist", ("energy.[!a]*",), "no permission"),
]


async def test_a_bad_role_is_not_kept(people: Identity) -> None:
    for name, permissions, why in BAD:
        with pytest.raises(BadRoleError, match=why):
            await people.roles.keep(Role(name, {}, permissions), actor="otto")
    assert [role.name for role in await people.roles.all()] == list(ROLES)


async def test_a_role_that_somebody_has_stays(people: Identity) -> None:
    await people.roles.keep(CHEMIST, actor="otto")
    await anna(people, "chemist")
    with pytest.raises(BadRoleError, match="anna still have it"):
        await people.roles.remove("chemist", actor="otto")
    await anna(people, "viewer")
    await people.roles.remove("chemist", actor="otto")
    with pytest.raises(NotFoundError):
        await people.roles.remove("chemist", actor="otto")
    with pytest.raises(NotFoundError):
        await anna(people, "chemist")


async def test_a_name_that_is_no_role_any_more_grants_nothing(people: Identity) -> None:
    assert await people.roles.granted_by(["viewer", "gone"]) == frozenset()
    assert not User(1, "x", "X", ("gone",)).may("energy.view")
