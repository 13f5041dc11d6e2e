"""Choosing whom a step tells: a list of people, roles, posts, departments, rosters and addresses."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import TypeAdapter

from athanor.apps.notifications.pages.who import Choices, who_text, whose
from athanor.kernel.notify import policy as say
from athanor.web.components import Words, bare_choice, button, choice, region, text_field
from athanor.web.language import _

_WHO: TypeAdapter[say.Who] = TypeAdapter(say.Who)
_DOERS = ("alarms.operate", "alarms.configure", "alarms.maintain", "operations.administer")

Changed = Callable[[], Awaitable[None]]


class WhoForm:
    """Whom one step tells. The list is changed in place.

    Parameters
    ----------
    may_ask_park
        Whether those of a role may be the park's: not in an enterprise's policy.
    """

    def __init__(self, to: list[dict[str, Any]], choices: Choices, changed: Changed, *, may_ask_park: bool) -> None:
        self._to, self._choices, self._changed, self._may_ask_park = to, choices, changed, may_ask_park
        self._draft: dict[str, Any] = {}
        with region("ath-parts", role="group", aria_label=_("Whom")):
            Words(_("Whom"), "strong")
            self._list = region("ath-chips")
            self._form = region("ath-part")
        self._draw()

    def _draw(self) -> None:
        self._list.clear()
        with self._list:
            for number, one in enumerate(self._to):
                text = who_text(_WHO.validate_python(one), self._choices)
                with region("ath-chip", "span"):
                    Words(text)
                    button(_("Take out: {what}").format(what=text), self._taker(number), glyph="close",
                           classes="is-icon is-plain")  # fmt: skip
            kinds = {"": _("Add somebody …")} | self._kinds()
            bare_choice(_("Add somebody …"), kinds, "", self._begin, name="who-kind")
        self._form.clear()
        self._form.set_visibility(bool(self._draft))
        if self._draft:
            with self._form:
                self._fields()

    def _kinds(self) -> dict[str, str]:
        kinds = {
            "person": _("Person"), "role": _("Role"), "permission": _("Whoever may do something"), "post": _("Post"),
        }  # fmt: skip
        if self._choices.departments:
            kinds["department"] = _("Department")
        if self._choices.rosters:
            kinds["duty"] = _("Whoever is on duty")
        if self._choices.channels:
            kinds["address"] = _("A channel or address that is nobody's")
        return kinds

    def _begin(self, kind: str) -> None:
        choices = self._choices
        first: dict[str, dict[str, Any]] = {
            "person": {"login": next(iter(choices.people), "")},
            "role": {"role": "engineer", "of": "tenant"},
            "permission": {"permission": _DOERS[0], "of": "tenant"},
            "post": {"post": "", "of": "tenant"},
            "department": {"department": next(iter(choices.departments), 0), "post": ""},
            "duty": {"roster": next(iter(choices.rosters), 0)},
            "address": {"channel": next(iter(choices.channels), 0), "address": ""},
        }
        self._draft = {"kind": kind} | first[kind] if kind in first else {}
        self._draw()

    def _fields(self) -> None:
        draft, choices = self._draft, self._choices
        kind = draft["kind"]
        if kind == "person":
            choice(_("Person"), choices.people, draft["login"], self._put("login"), name="who-person")
        elif kind == "role":
            choice(_("Role"), choices.roles, draft["role"], self._put("role"), name="who-role")
        elif kind == "permission":
            doers = {one: one for one in _DOERS}
            choice(_("May do"), doers, draft["permission"], self._put("permission"), name="who-permission")
        elif kind == "duty":
            self._number(_("Roster"), "roster", choices.rosters)
        elif kind == "department":
            self._number(_("Department"), "department", choices.departments)
        elif kind == "address":
            self._number(_("Channel"), "channel", choices.channels)
            text_field(_("Address, if it needs one"), draft["address"], self._put("address"), name="who-address")
        if kind in ("post", "department"):
            text_field(_("Post, as in the accounts"), draft["post"], self._put("post"), name="who-post")
        if "of" in draft and self._may_ask_park:
            choice(_("Of whom"), whose(), draft["of"], self._put("of"), name="who-of")
        button(_("Add"), self._add, classes="is-main")
        button(_("Cancel"), lambda: self._begin(""))

    def _number(self, label: str, key: str, options: Any) -> None:
        texts = {str(value): text for value, text in options.items()}
        choice(label, texts, str(self._draft[key]), self._put(key, int), name=f"who-{key}")

    def _put(self, key: str, read: Callable[[str], Any] = str) -> Callable[[str], None]:
        def put(value: str) -> None:
            self._draft[key] = read(value)

        return put

    async def _add(self) -> None:
        draft = {
            key: value for key, value in self._draft.items() if key != "post" or value or "department" in self._draft
        }
        if draft["kind"] == "post" and not draft.get("post"):
            return  # nothing is meant yet
        if draft not in self._to:
            self._to.append(draft)
        self._draft = {}
        self._draw()
        await self._changed()

    def _taker(self, number: int) -> Changed:
        async def take_out() -> None:
            del self._to[number]
            self._draw()
            await self._changed()

        return take_out
