"""Departments: a tree for each enterprise, out of which no branch is cut while anybody sits on it."""

import pytest

from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.departments import BadDepartmentError
from athanor.kernel.identity.service import Identity

from .conftest import PASSWORD


@pytest.fixture
async def smelting(people: Identity) -> int:
    return await people.departments.make("copper", " Smelting ", None, actor="otto")


async def test_departments_form_a_tree_of_one_enterprise(people: Identity, smelting: int) -> None:
    furnace = await people.departments.make("copper", "Furnace", smelting, actor="otto")
    park = await people.departments.make(None, "Energy", None, actor="otto")
    assert [(one.id, one.tenant, one.above_id, one.name) for one in await people.departments.all()] == [
        (park, None, None, "Energy"),
        (furnace, "copper", smelting, "Furnace"),
        (smelting, "copper", None, "Smelting"),
    ]
    assert [one.name for one in await people.departments.all(frozenset({"copper"}))] == ["Furnace", "Smelting"]
    for tenant, above in (("zinc", smelting), (None, smelting), ("copper", 4711)):
        with pytest.raises(NotFoundError):
            await people.departments.make(tenant, "Other", above, actor="otto")


async def test_one_that_holds_people_or_others_stays(people: Identity, smelting: int) -> None:
    furnace = await people.departments.make("copper", "Furnace", smelting, actor="otto")
    with pytest.raises(BadDepartmentError, match="it still holds others"):
        await people.departments.remove(smelting, actor="otto")
    await people.accounts.change("anna", Profile("Anna", ("operator",), "copper", furnace), actor="otto")
    assert {one.name: one.people for one in await people.departments.all()} == {"Furnace": 1, "Smelting": 0}
    with pytest.raises(BadDepartmentError, match="people still belong to it"):
        await people.departments.remove(furnace, actor="otto")
    await people.accounts.change("anna", Profile("Anna", ("operator",), "copper"), actor="otto")
    await people.departments.remove(furnace, actor="otto")
    await people.departments.remove(smelting, actor="otto")
    assert list(await people.departments.all()) == []


async def test_it_is_renamed(people: Identity, smelting: int) -> None:
    await people.departments.rename(smelting, "Refining", actor="otto")
    assert [one.name for one in await people.departments.all()] == ["Refining"]
    with pytest.raises(NotFoundError):
        await people.departments.rename(4711, "Refining", actor="otto")


async def test_a_name_has_some_characters_and_not_too_many(people: Identity, smelting: int) -> None:
    for name in ("", "   ", "x" * 101):
        with pytest.raises(BadDepartmentError, match="1 to 100 characters"):
            await people.departments.make("copper", name, None, actor="otto")
        with pytest.raises(BadDepartmentError, match="1 to 100 characters"):
            await people.departments.rename(smelting, name, actor="otto")


async def test_nobody_belongs_to_a_department_of_another_enterprise(people: Identity, smelting: int) -> None:
    for department, tenant in ((smelting, "zinc"), (smelting, None), (4711, "copper")):
        with pytest.raises(NotFoundError, match="department"):
            await people.accounts.change("anna", Profile("Anna", ("viewer",), tenant, department), actor="otto")
        profile = Profile("Bert", ("viewer",), tenant, department)
        with pytest.raises(NotFoundError, match="department"):
            await people.accounts.create("bert", profile, PASSWORD, actor="otto")
