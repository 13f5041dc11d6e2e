"""Writing a policy, with a view of who would be told now."""

from typing import Any

from fastapi import Request
from nicegui import ui

from athanor.apps.notifications.pages.policy_parts import Parts
from athanor.apps.notifications.pages.trial import Trial
from athanor.apps.notifications.pages.who import choices_of
from athanor.apps.notifications.pages.wording import enterprise
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.notify.books import PolicyView, checked_policy
from athanor.kernel.notify.policy import Policy
from athanor.kernel.notify.reading import InForce
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Status, Words, button, choice, empty_state, link, page_title, region, status
from athanor.web.language import _, text_of

_HOME = "/notifications/policies"
_PARK = ""
_NEW: dict[str, Any] = {
    "name": {"en": "New policy", "zh_CN": "新策略"},
    "match": {"topics": ["alarms.*"], "priorities": [1, 2]},
    "steps": [{"to": [{"kind": "permission", "permission": "alarms.operate"}]}],
}


async def new_policy(notify: Notify, identity: Identity, plant: RunningPlant, viewer: User, request: Request) -> None:
    """A new one."""
    await _Editor(notify, identity, plant, viewer, _address(request), None).draw()


async def policy(
    policy_id: int, notify: Notify, identity: Identity, plant: RunningPlant, viewer: User, request: Request
) -> None:
    """One that there is."""
    try:
        found = await notify.policies.get(viewer, policy_id)
    except NotFoundError:
        page_title(_("Policies"))
        empty_state(_("There is no such policy"), glyph="search_off", action=(_("All policies"), _HOME),
                    is_missing=True)  # fmt: skip
        return
    await _Editor(notify, identity, plant, viewer, _address(request), found).draw()


class _Editor:
    def __init__(
        self, notify: Notify, identity: Identity, plant: RunningPlant, viewer: User, address: str,
        found: PolicyView | None,
    ) -> None:  # fmt: skip
        self._notify, self._identity, self._plant = notify, identity, plant
        self._viewer, self._address, self._found = viewer, address, found
        self._tenant = found.tenant if found else viewer.tenant
        made = found.policy if found else Policy.model_validate(_NEW)
        self._said: dict[str, Any] = made.model_dump(mode="json")
        self._is_enabled = found.is_enabled if found else True
        self._dialog = Dialog()

    async def draw(self) -> None:
        found = self._found
        title = _("Add a policy") if found is None else text_of(found.policy.name)
        with page_title(title, "" if found is None else enterprise(self._plant, found.tenant)):
            if found and not found.is_enabled:
                status(_("off"), Status.WARN)
            region("ath-space")
            with region("ath-entry-actions"):
                link(_("All policies"), _HOME, "ath-button")
                if found:
                    button(_("Turn off") if found.is_enabled else _("Turn on"), self._turn)
                    button(_("Take out of use…"), self._ask, glyph="delete")
                button(_("Save"), self._save, classes="is-main")
        self._trouble = Words("", "p", "ath-correct-trouble")
        self._trouble.props["role"] = "alert"
        with region("ath-policy"):
            self._parts = region("ath-policy-parts")
            self._trial = Trial(self._notify, self._plant, self._viewer)
        await self._redraw()
        await self._show()

    async def _redraw(self) -> None:
        self._choices = choices = await choices_of(self._notify, self._identity, self._viewer, self._tenant)
        self._parts.clear()
        with self._parts:
            if self._found is None and self._viewer.tenant is None:
                with region("ath-card", "section"), region("ath-card-body ath-fields"):
                    tenants = {_PARK: _("The park")}
                    tenants |= {key: enterprise(self._plant, key) for key in self._plant.model.tenants}
                    choice(_("Enterprise"), tenants, self._tenant or _PARK, self._of_tenant, name="tenant")
            Parts(self._said, choices, self._plant, self._show, is_of_park=self._tenant is None).draw()

    async def _show(self) -> None:
        """Say what is wrong, or who would be told."""
        try:
            policy = checked_policy(self._said)
        except AthanorError as error:
            self._trouble.text = str(error)
            return
        self._trouble.text = ""
        number = self._found.id if self._found else 0
        await self._trial.show(InForce(number, self._tenant, policy), self._choices)

    async def _of_tenant(self, tenant: str) -> None:
        self._tenant = tenant or None
        await self._redraw()
        await self._show()

    async def _save(self) -> None:
        await self._keep(is_enabled=self._is_enabled)

    async def _turn(self) -> None:
        await self._keep(is_enabled=not self._is_enabled)

    async def _keep(self, *, is_enabled: bool) -> None:
        try:
            policy = checked_policy(self._said)
            if self._found is None:
                await self._notify.policies.add(
                    self._viewer, policy, tenant=self._tenant, is_enabled=is_enabled, address=self._address
                )
            else:
                await self._notify.policies.save(
                    self._viewer, self._found.id, policy, self._found.revision, is_enabled=is_enabled,
                    address=self._address,
                )  # fmt: skip
        except AthanorError as error:
            self._trouble.text = str(error)
            return
        ui.navigate.to(_HOME)

    def _ask(self) -> None:
        found = self._found
        if found is None:
            return

        async def retire() -> None:
            await self._notify.policies.retire(self._viewer, found.id, address=self._address)
            ui.navigate.to(_HOME)

        with self._dialog.filling(_("Take this policy out of use?")):
            Words(_("Nobody is told by it any more. What was told already stays in the log."), "p")
            with region("ath-dialog-foot"):
                button(_("Keep it"), self._dialog.close)
                button(_("Take out of use"), retire, classes="is-danger")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
