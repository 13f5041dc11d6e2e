"""The fields of a person's profile: the same for who is invited, added and changed."""

from collections.abc import Sequence

from nicegui.events import GenericEventArguments

from athanor.apps.people.pages import wording
from athanor.apps.people.pages.forms import Said, UnreadableFormError, choice, field, ticked, ticks
from athanor.apps.people.services import departments, people, roles
from athanor.apps.people.services.acting import Acting
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.departments import Department
from athanor.kernel.identity.roles import Role
from athanor.web.components import Words, region
from athanor.web.language import _

_UNSAID = "?"
_PARK = ""


class ProfileFields:
    """What may be said of somebody, as far as who acts may say it."""

    def __init__(
        self, acting: Acting, givable: Sequence[Role], parts: Sequence[Department], places: dict[int, str]
    ) -> None:
        self._acting, self._givable, self._parts, self._places = acting, givable, parts, places

    @classmethod
    async def of(cls, acting: Acting) -> "ProfileFields":
        """With the roles and departments that there are now."""
        return cls(
            acting,
            await roles.givable_roles(acting),
            await departments.departments(acting),
            await people.department_places(acting),
        )

    def build(self, profile: Profile | None = None, *, with_login: bool = False, with_contact: bool = False) -> None:
        """Draw them, filled in where somebody is there already."""
        said = profile or Profile("", ("viewer",), self._acting.viewer.tenant)
        with region("ath-fields-row"):
            field(_("Full name"), "name", said.name, maxlength="200")
            if with_login:
                field(_("Login"), "login", maxlength="100", autocapitalize="none", spellcheck="false")
        ticks(_("Roles"), {role.name: wording.role_title(role) for role in self._givable}, frozenset(said.roles))
        with region("ath-fields-row"):
            first = _UNSAID if profile is None and self._acting.is_of_the_park else (said.tenant or _PARK)
            if self._acting.is_of_the_park:
                self._enterprise(first)
            self._place = region()
        self._show_departments(first, said.department_id)
        with region("ath-fields-row"):
            field(_("Post"), "post", said.post, maxlength="200")
            if with_contact:
                field(_("E-mail"), "email", said.email, kind="email", maxlength="200")
                field(_("Telephone"), "phone", said.phone, kind="tel", maxlength="200")

    def read(self, said: Said, before: Profile | None = None) -> Profile:
        """The profile that was typed. Raises UnreadableFormError."""
        tenant = said.get("enterprise", self._acting.viewer.tenant or _PARK)
        if tenant == _UNSAID:
            raise UnreadableFormError(_("Say whose person it is: an enterprise's, or the park's."))
        if not said.get("name", "").strip():
            raise UnreadableFormError(_("Give a name."))
        chosen = ticked(said)
        if not chosen:
            raise UnreadableFormError(_("Choose at least one role."))
        part = said.get("department", "")
        return Profile(
            name=said.get("name", ""),
            roles=chosen,
            tenant=tenant or None,
            department_id=int(part) if part.isdecimal() else None,
            post=said.get("post", ""),
            email=said.get("email", before.email if before else ""),
            phone=said.get("phone", before.phone if before else ""),
        )

    def _enterprise(self, chosen: str) -> None:
        plant = self._acting.plant
        options = {one: wording.enterprise(plant, one) for one in plant.model.tenants} | {
            _PARK: wording.enterprise(plant, None)
        }
        if chosen == _UNSAID:
            options = {_UNSAID: _("Choose…")} | options
        elif chosen not in options:
            options[chosen] = chosen
        select = choice(_("Enterprise"), "enterprise", options, chosen)

        def changed(event: GenericEventArguments) -> None:
            self._show_departments(str(event.args), None)

        select.on("change", changed, js_handler="(event) => emit(event.target.value)")

    def _show_departments(self, tenant: str, chosen: int | None) -> None:
        self._place.clear()
        own = [one for one in self._parts if (one.tenant or _PARK) == tenant]
        with self._place:
            if tenant == _UNSAID:
                return
            if not own:
                with region(tag="label"):
                    Words(_("Department"))
                    Words(_("None is made yet."), "span")
                return
            named = sorted(((self._places.get(one.id, one.name), str(one.id)) for one in own), key=lambda one: one[0])
            options = {"": _("None")} | {number: place for place, number in named}
            choice(_("Department"), "department", options, "" if chosen is None else str(chosen))
