"""`/account`: who one is, one's password, second factor, open sessions, and the tokens of one's programs."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from nicegui import ui

from athanor.kernel.apps.app import App
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.web.account.acting import Acting
from athanor.web.account.secrets_card import SecretsCard
from athanor.web.account.sessions_card import SessionsCard
from athanor.web.account.tokens_card import TokensCard
from athanor.web.account.who import show_who
from athanor.web.components.dialog import Dialog
from athanor.web.components.page_title import page_title
from athanor.web.components.words import region
from athanor.web.fixtures import fixtures_of
from athanor.web.frame import ACCOUNT, places
from athanor.web.injection import Ports
from athanor.web.language import _, text_of
from athanor.web.live import resting_pulse
from athanor.web.pages import BUILD_TIMEOUT_S, Trouble, begin, come_alive, framed, turned_away
from athanor.web.sessions import COOKIE, user_of, where_of


def mount_account(apps: Sequence[App], ports: Ports, identity: Identity) -> None:
    """Mount the page; everybody who has signed in has one."""
    navigation, fixtures = places(apps), fixtures_of(apps, ports)

    async def build(request: Request) -> Response | None:
        user = await user_of(request, identity)
        if user is None:
            return turned_away(request)
        client = begin(request, user)
        with framed(user, navigation, ACCOUNT, ports, fixtures) as main:
            client.on_exception(Trouble(main, ACCOUNT).show)
            acting = Acting(identity, request.cookies[COOKIE], where_of(request))
            await _show(acting, user, ports)
            come_alive(client, resting_pulse(client), identity, user)
        return None

    ui.page(ACCOUNT, response_timeout=BUILD_TIMEOUT_S)(build)


async def _show(acting: Acting, user: User, ports: Ports) -> None:
    model = ports.plant.model
    zone = ZoneInfo(model.timezone)
    page_title(_("My account"))
    dialog = Dialog()
    account = await acting.identity.accounts.account(user.login)
    tenant = model.tenants.get(user.tenant) if user.tenant else None
    with region("ath-account"):
        with region("ath-account-side"):
            show_who(acting, user, account, text_of(tenant.name) if tenant else user.tenant)
            SecretsCard(acting, account, dialog, text_of(model.name)).show()
        with region("ath-account-lists"):
            await SessionsCard(acting, user.login, zone).show()
            await TokensCard(acting, user, dialog, zone).show()
