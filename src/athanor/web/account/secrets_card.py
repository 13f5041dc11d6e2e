"""The card of what one proves oneself with: password and second factor."""

from collections.abc import Sequence

from nicegui import ui

from athanor.kernel.identity.accounts import Account
from athanor.kernel.identity.passwords import WeakPasswordError
from athanor.kernel.identity.second_factor import WrongCodeError
from athanor.kernel.identity.sessions import SignInRefusedError
from athanor.web.account.acting import Acting
from athanor.web.account.form import RefusedFormError, Said, field, form, password_field
from athanor.web.components.dialog import Dialog
from athanor.web.components.status import Status, status
from athanor.web.components.words import Words, button, region
from athanor.web.language import _
from athanor.web.sign_in_steps import wrong_code_text
from athanor.web.step_pages import different_text, policy_text, qr_code, recovery_text, spaced, weakness_text


class SecretsCard:
    """Password and second factor; each change asks for the password that one has."""

    def __init__(self, acting: Acting, account: Account, dialog: Dialog, park: str) -> None:
        self._acting, self._account, self._dialog, self._park = acting, account, dialog, park
        self._is_demanded = not acting.identity.sessions.rules.second_factor_for.isdisjoint(account.profile.roles)

    def show(self) -> None:
        """Build the card."""
        with region("ath-card", "section", aria_label=_("Password and second factor")):
            with region("ath-card-head"):
                Words(_("Password and second factor"), "h2")
            with region("ath-card-body ath-fields"):
                if self._account.directory != "local":
                    text = _("Your password is kept by another directory ({name}); change it there.")
                    Words(text.format(name=self._account.directory.upper()), "p")
                    return
                button(_("Change the password…"), self._ask_password, glyph="password")
                self._factor()

    def _factor(self) -> None:
        if not self._account.has_second_factor:
            status(_("No second factor"), Status.WARN)
            Words(_("With one, nobody gets in who only knows your password."), "p", "ath-note")
            button(_("Set up a second factor…"), self._ask_to_set_up, glyph="phonelink_lock")
            return
        status(_("The second factor is set up"))
        button(_("New phone…"), self._ask_to_set_up, glyph="phonelink_setup")
        if self._is_demanded:
            Words(_("Your role asks for it, so it cannot be removed."), "p", "ath-note")
        else:
            button(_("Remove the second factor…"), self._ask_to_remove, classes="is-plain", glyph="phonelink_erase")

    # ---- the password

    def _ask_password(self) -> None:
        with (
            self._dialog.filling(_("Change the password")),
            form(self._change_password, _("Change"), on_cancel=self._dialog.close),
        ):
            password_field(_("Password that you have"), "former")
            password_field(_("New password"), "password", is_new=True)
            password_field(_("New password again"), "again", is_new=True)
            Words(policy_text(self._acting.identity.accounts.policy), "p", "ath-note")
            Words(_("You stay signed in here and are signed out everywhere else."), "p", "ath-note")

    async def _change_password(self, said: Said) -> None:
        accounts = self._acting.identity.accounts
        password = said.get("password", "")
        if password != said.get("again", ""):
            raise RefusedFormError(different_text())
        login = await self._confirmed(said.get("former", ""))
        if password == said.get("former", ""):
            raise RefusedFormError(_("This is the password that you have. Choose another one."))
        try:
            await accounts.set_password(
                login, password, actor=login, address=self._acting.where.address, keep=self._acting.token
            )
        except WeakPasswordError as error:
            raise RefusedFormError(weakness_text(error, accounts.policy)) from error
        ui.navigate.reload()

    async def _confirmed(self, password: str) -> str:
        """Their login, once the password has proved right. Raises RefusedFormError."""
        user = await self._acting.person()
        try:
            await self._acting.identity.sessions.confirm(user.login, password, self._acting.where)
        except SignInRefusedError as error:
            if error.retry_after_s is None:
                raise RefusedFormError(_("This is not the password that you have.")) from error
            text = _("Too many failed attempts on this login. Try again in {n} s.").format(n=error.retry_after_s)
            raise RefusedFormError(text) from error
        return user.login

    # ---- the second factor

    def _ask_to_set_up(self) -> None:
        async def propose(said: Said) -> None:
            login = await self._confirmed(said.get("former", ""))
            self._show_proposal(login)

        with (
            self._dialog.filling(_("Set up a second factor")),
            form(propose, _("Go on"), on_cancel=self._dialog.close),
        ):
            password_field(_("Password that you have"), "former")

    def _show_proposal(self, login: str) -> None:
        factors = self._acting.identity.second_factors
        secret, address = factors.propose(login, self._park)

        async def keep(said: Said) -> None:
            user = await self._acting.person()
            where = self._acting.where.address
            try:
                codes = await factors.set_up(user.login, secret, said.get("code", ""), actor=user.login, address=where)
            except WrongCodeError as error:
                raise RefusedFormError(wrong_code_text()) from error
            self._show_recovery(user.login, codes)

        with (
            self._dialog.filling(_("Set up a second factor")),
            form(keep, _("Set up"), on_cancel=self._dialog.close),
        ):
            Words(_("Read this code with an authenticator app on your phone, or type the key into it."), "p")
            ui.html(qr_code(address), sanitize=False).classes("ath-account-qr")
            Words(spaced(secret), "code", "ath-token")
            field(_("Code that the app shows"), "code", type="text", autocomplete="one-time-code", inputmode="numeric")

    def _show_recovery(self, login: str, codes: Sequence[str]) -> None:
        with self._dialog.filling(_("Recovery codes")), region("ath-fields ath-printed"):
            Words(recovery_text(login), "p")
            with region("ath-recovery", "ol", aria_label=_("Recovery codes")):
                for code in codes:
                    with region(tag="li"):
                        Words(code, "code")
            with region("ath-dialog-foot"):
                button(_("Print"), glyph="print", js_handler="() => print()")
                button(_("I have kept them"), ui.navigate.reload, classes="is-main")

    def _ask_to_remove(self) -> None:
        async def remove(said: Said) -> None:
            login = await self._confirmed(said.get("former", ""))
            await self._acting.identity.second_factors.remove(login, actor=login, address=self._acting.where.address)
            ui.navigate.reload()

        with (
            self._dialog.filling(_("Remove the second factor")),
            form(remove, _("Remove"), on_cancel=self._dialog.close),
        ):
            Words(_("Your password alone opens the account then."), "p")
            password_field(_("Password that you have"), "former")
