"""One channel: its settings by kind, secrets that go in and never come out, and a test that really sends."""

from typing import Any, Literal, get_args, get_origin

from fastapi import Request
from nicegui import ui
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from athanor.apps.notifications.pages.channels import state
from athanor.apps.notifications.pages.wording import enterprise, kind_name
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channelbook import ChannelView, Draft
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.port import Channel
from athanor.kernel.notify.errors import BadChannelError
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Dialog,
    Said,
    Status,
    Words,
    button,
    dialog_form,
    empty_state,
    form_choice,
    form_line,
    link,
    page_title,
    region,
    status,
)
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_HOME = "/notifications/channels"
_PARK = ""
_LONG = 500  # characters from which on a text gets more than a line
_LAST = ("at_once", "per_minute")  # what every kind has comes after what is its own


async def new_channel(kind: str, notify: Notify, plant: RunningPlant, viewer: User, request: Request) -> None:
    """A form for a new one."""
    known = next((one for one in notify.channels.kinds(viewer) if one.kind == kind), None)
    with page_title(_("Add a channel"), kind_name(kind) if known else ""):
        region("ath-space")
        link(_("All channels"), _HOME, "ath-button")
    if known is None:
        _missing()
        return

    async def send(said: Said) -> None:
        draft = _draft(known, said, tenant=said.get("tenant") or None)
        number_made = await notify.channels.add(viewer, draft, address=_address(request))
        ui.navigate.to(f"{_HOME}/{number_made}")

    with (
        region("ath-card ath-narrow", "section"),
        region("ath-card-body"),
        dialog_form(send, _("Add it"), on_cancel=None),
    ):
        form_line(_("Name"), "name", kind_name(kind))
        if viewer.tenant is None:
            tenants = {_PARK: _("The park")} | {key: enterprise(plant, key) for key in plant.model.tenants}
            form_choice(_("Enterprise"), "tenant", tenants, _PARK)
        _fields(known, {}, {})


async def channel(channel_id: int, notify: Notify, plant: RunningPlant, viewer: User, request: Request) -> None:
    """One that there is: change it, test it, take it out of use."""
    try:
        found = await notify.channels.get(viewer, channel_id)
        await notify.channels.row(viewer, channel_id)
    except AthanorError as error:
        page_title(_("Channel"))
        empty_state(str(error), glyph="lock", action=(_("All channels"), _HOME),
                    is_missing=isinstance(error, NotFoundError),
                    is_refused=not isinstance(error, NotFoundError))  # fmt: skip
        return
    _Channel(found, notify, plant, viewer, _address(request)).draw()


class _Channel:
    def __init__(self, found: ChannelView, notify: Notify, plant: RunningPlant, viewer: User, address: str) -> None:
        self._found, self._notify, self._plant, self._viewer = found, notify, plant, viewer
        self._address = address
        self._kind = KINDS[found.kind]
        self._dialog = Dialog()

    def draw(self) -> None:
        found, now = self._found, state(self._found)
        with page_title(found.name, f"{kind_name(found.kind)} · {enterprise(self._plant, found.tenant)}"):
            status(now.text, Status(now.state))
            region("ath-space")
            with region("ath-entry-actions"):
                link(_("All channels"), _HOME, "ath-button")
                button(_("Test…"), self._ask_to_test, glyph="send", classes="is-main")
                button(_("Take out of use…"), self._ask_to_retire, glyph="delete")
        if found.is_failing:
            with region("ath-card ath-notice is-urgent", role="status"), region():
                Words(_("The last message did not go out"), "h2")
                Words(found.last_error, "p")
                Words(_("{n} messages wait and go out once the channel works.").format(n=number(found.waiting)), "p")
        with (
            region("ath-card ath-narrow", "section"),
            region("ath-card-body"),
            dialog_form(self._save, _("Save"), on_cancel=None),
        ):
            form_line(_("Name"), "name", found.name)
            form_choice(_("State"), "is_enabled", {"yes": _("on"), "no": _("off")},
                        "yes" if found.is_enabled else "no")  # fmt: skip
            _fields(self._kind, found.settings, found.secrets)

    async def _save(self, said: Said) -> None:
        found = self._found
        draft = _draft(self._kind, said, is_enabled=said.get("is_enabled") == "yes")
        await self._notify.channels.save(self._viewer, found.id, draft, found.revision, address=self._address)
        ui.navigate.to(f"{_HOME}/{found.id}")

    def _ask_to_test(self) -> None:
        async def send(said: Said) -> None:
            outcome.text = _("Being sent …")
            done = await self._notify.test(
                self._viewer, self._found.id, said.get("address", "").strip(), origin=self._address
            )
            took = number(done.took_s, 1)
            outcome.text = (
                _("The far end has taken the message, after {s} s.").format(s=took)
                if done.is_sent
                else _("It did not go out, after {s} s: {reason}").format(s=took, reason=done.error)
            )

        with self._dialog.filling(_("Send a test message")):
            Words(_("It is sent with the settings as they are saved, and stands in the log."), "p")
            with dialog_form(send, _("Send it"), on_cancel=self._dialog.close):
                if self._kind.address_example:
                    form_line(_("To, such as {address}").format(address=self._kind.address_example), "address")
            outcome = Words("", "p", "ath-outcome-text")
            outcome.props["role"] = "status"

    def _ask_to_retire(self) -> None:
        async def retire() -> None:
            await self._notify.channels.retire(self._viewer, self._found.id, address=self._address)
            ui.navigate.to(_HOME)

        with self._dialog.filling(_("Take this channel out of use?")):
            Words(_("What waits for it is called back; policies that name it use their next channel."), "p")
            with region("ath-dialog-foot"):
                button(_("Keep it"), self._dialog.close)
                button(_("Take out of use"), retire, classes="is-danger")


def _fields(kind: type[Channel], settings: Any, secrets: Any) -> None:
    """A field for each setting of a kind."""
    model = kind.Settings.model_fields
    for name in sorted(model, key=lambda name: (name in _LAST, list(model).index(name))):
        field = model[name]
        _field(name, field, settings.get(name, field.get_default(call_default_factory=True)), secrets.get(name, ()))


def _label(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return text_of(extra["words"]) if isinstance(extra, dict) and "words" in extra else name  # type: ignore[arg-type]


def _field(name: str, field: FieldInfo, value: Any, kept: tuple[str, ...]) -> None:
    label, kind = _label(name, field), field.annotation
    if get_origin(kind) is Literal:
        form_choice(label, name, {str(one): str(one) for one in get_args(kind)}, str(value))
    elif kind is bool:
        form_choice(label, name, {"true": _("Yes"), "false": _("No")}, str(value).lower())
    elif kind is SecretStr:
        _secret(label, name, is_set=bool(kept))
    elif get_origin(kind) is dict:
        is_secret = get_args(kind)[1] is SecretStr
        lines = (
            [f"{one}: " for one in kept] if is_secret else [f"{key}: {one}" for key, one in dict(value or {}).items()]
        )
        note = _("One a line, NAME: value. A secret that is left empty stays as it was.") if is_secret else _(
            "One a line, NAME: value.")  # fmt: skip
        _long(label, name, "\n".join(lines), note)
    elif _is_long(field):
        _long(label, name, _plain(value), "")
    else:
        form_line(label, name, _plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None or type(value).__name__ == "PydanticUndefinedType" else str(value)


def _is_long(field: FieldInfo) -> bool:
    most = next((one.max_length for one in field.metadata if hasattr(one, "max_length")), 0)
    return (
        most > _LONG and "url" not in str(field.metadata) and not any(hasattr(one, "pattern") for one in field.metadata)
    )


def _secret(label: str, name: str, *, is_set: bool) -> None:
    with region(tag="label"):
        Words(label)
        element = region("", "input", type="password", name=name, autocomplete="new-password")
        element.props["placeholder"] = _("kept; leave empty to leave it so") if is_set else ""


def _long(label: str, name: str, value: str, note: str) -> None:
    with region(tag="label"):
        Words(label)
        element = region("", "textarea", name=name, rows="4", maxlength="10000", spellcheck="false")
        element.props["defaultValue"] = value
        if note:
            Words(note, "small")


def _draft(kind: type[Channel], said: Said, *, is_enabled: bool = True, tenant: str | None = None) -> Draft:
    """What was typed, as settings. Raises BadChannelError."""
    settings = {}
    for name, field in kind.Settings.model_fields.items():
        if name in said:
            settings[name] = _read(_label(name, field), field, said[name])
    return Draft(kind.kind, said.get("name", ""), settings, is_enabled, tenant)


def _read(label: str, field: FieldInfo, text: str) -> Any:
    kind = field.annotation
    if get_origin(kind) is dict:
        return dict(_pairs(label, text))
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind is SecretStr or kind is str or get_origin(kind) is Literal:
        return text
    return text.strip() or None


def _pairs(label: str, text: str) -> list[tuple[str, str]]:
    found = []
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BadChannelError(f"{label}: {line[:40]!r} is no line of NAME: value.")
        found.append((name.strip(), value.strip()))
    return found


def _missing() -> None:
    empty_state(
        _("There is no such kind of channel"), _("Or only the park's administrators set it up."), glyph="search_off",
        action=(_("All channels"), _HOME), is_missing=True,
    )  # fmt: skip


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
