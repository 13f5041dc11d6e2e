"""Whom a policy may name: people, roles, departments, rosters and channels of its owner."""

from collections.abc import Mapping
from dataclasses import dataclass

from athanor.apps.notifications.pages.wording import channel_name
from athanor.apps.notifications.services.duty import names_of
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.notify import policy as say
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.service import Notify
from athanor.web.language import _, text_of


@dataclass(frozen=True, slots=True)
class Choices:
    """Texts by what policies hold."""

    people: Mapping[str, str]
    roles: Mapping[str, str]
    departments: Mapping[int, str]
    rosters: Mapping[int, str]
    channels: Mapping[int, str]  # the inbox is none of them
    fixed: Mapping[int, str]  # those of them that can be told without a person
    owner: str | None


async def choices_of(notify: Notify, identity: Identity, viewer: User, owner: str | None) -> Choices:
    """Whom a policy of `owner`, or one that the viewer sees where it is None, may name."""
    tenant = owner if viewer.tenant is None else viewer.tenant
    tenants = None if tenant is None else frozenset({tenant})
    roles = {one.name: text_of(dict(one.title)) or one.name for one in await identity.roles.all()}
    channels = [
        one
        for one in await notify.channels.all(viewer)
        if one.kind != INBOX and (tenant is None or one.tenant in (tenant, None))
    ]
    return Choices(
        people=await names_of(identity, tenant),
        roles=roles,
        departments={one.id: one.name for one in await identity.departments.all(tenants)},
        rosters={
            one.id: text_of(one.roster.name)
            for one in await notify.rosters.all(viewer)
            if tenant is None or one.tenant in (tenant, None)
        },
        channels={one.id: channel_name(one.kind, one.name) for one in channels},
        fixed={one.id: one.name for one in channels if one.kind in KINDS},
        owner=tenant,
    )


def whose() -> dict[str, str]:
    """Of whom those of a role or post are."""
    return {
        "tenant": _("of the enterprise concerned"),
        "park": _("of the park"),
        "tenant-or-park": _("of the enterprise concerned, else of the park"),
    }


def who_text(who: say.Who, choices: Choices) -> str:
    """Whom a policy means, in words."""
    if isinstance(who, say.Person):
        return choices.people.get(who.login, who.login)
    if isinstance(who, say.OnDuty):
        return _("on duty: {roster}").format(roster=choices.rosters.get(who.roster, str(who.roster)))
    if isinstance(who, say.Address):
        name = choices.channels.get(who.channel, str(who.channel))
        return " ".join(filter(None, (name, who.address)))
    if isinstance(who, say.Department):
        name = choices.departments.get(who.department, str(who.department))
        return _("{post} in {department}").format(post=who.post, department=name) if who.post else name
    what = {
        "role": lambda: _("role {name}").format(
            name=choices.roles.get(getattr(who, "role", ""), getattr(who, "role", ""))
        ),
        "permission": lambda: _("whoever may {permission}").format(permission=getattr(who, "permission", "")),
        "post": lambda: _("post {name}").format(name=getattr(who, "post", "")),
    }[who.kind]()
    return what if who.of == "tenant" else f"{what} ({whose()[who.of]})"
