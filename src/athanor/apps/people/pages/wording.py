"""The words of People: roles, verbs, states, steps, and what is refused."""

from collections.abc import Sequence

from athanor.apps.people.services.errors import AboveYouError, NotYourselfError, NotYoursError
from athanor.apps.people.services.onboarding import Step
from athanor.apps.people.services.people import Person
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.accounts import LastAdministratorError, LoginTakenError, OutsidePasswordError
from athanor.kernel.identity.passwords import WeakPasswordError
from athanor.kernel.identity.roles import Role
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Status
from athanor.web.language import _, text_of


def role_title(role: Role | str) -> str:
    """A role's name for people; its own name where it has none."""
    name = role if isinstance(role, str) else role.name
    built_in = {
        "administrator": _("Administrator"),
        "engineer": _("Engineer"),
        "operator": _("Operator"),
        "viewer": _("Viewer"),
    }
    if isinstance(role, Role) and role.title:
        return text_of(role.title)
    return built_in.get(name, name)


def role_titles(names: Sequence[str], roles: Sequence[Role]) -> str:
    """The roles that somebody has."""
    known = {role.name: role for role in roles}
    return ", ".join(role_title(known.get(name, name)) for name in names)


def verb_title(verb: str) -> str:
    """What a permission ends in."""
    known = {
        "view": _("see"),
        "export": _("export"),
        "operate": _("operate"),
        "edit": _("edit"),
        "correct": _("correct"),
        "import": _("import"),
        "publish": _("publish"),
        "administer": _("administer"),
        "approve": _("approve"),
        "*": _("everything"),
    }
    return known.get(verb, verb)


def permission_title(permission: str, area: str) -> str:
    """What is permitted, under the heading of an area; with the app's name where that is another one."""
    app, _dot, verb = permission.rpartition(".")
    return verb_title(verb) if app == area else f"{verb_title(verb)} ({app})"


def enterprise(plant: RunningPlant, tenant: str | None) -> str:
    """An enterprise's name; the park for nobody's."""
    if tenant is None:
        return _("The park")
    known = plant.model.tenants.get(tenant)
    return tenant if known is None else text_of(known.name)


def state(person: Person) -> tuple[str, Status]:
    """Whether somebody may sign in."""
    if person.is_disabled:
        return _("Disabled"), Status.UNSURE
    if person.locked_until is not None:
        return _("Locked for now"), Status.WARN
    return _("Active"), Status.NORMAL


def directory(name: str) -> str:
    """Who checks a password."""
    known = {"local": _("Athanor"), "ldap": _("the enterprise's directory (LDAP)"), "oidc": _("single sign-on (OIDC)")}
    return known.get(name, name)


def step_title(step: Step) -> str:
    """What is done for a new enterprise."""
    return {
        Step.PLANT: _("In the plant file"),
        Step.ADMINISTRATOR: _("Administrator"),
        Step.DEPARTMENTS: _("Departments"),
        Step.PEOPLE: _("People signed in"),
        Step.DATA: _("Data coming in"),
    }[step]


def refusal(error: AthanorError) -> str:
    """Why something was refused, in the reader's language where it has words for it."""
    if isinstance(error, NotFoundError):
        return _("It is not there any more, or not yours: {reason}").format(reason=error)
    known: dict[type[AthanorError], str] = {
        LastAdministratorError: _(
            "This is the park's last administrator: nobody could administer it any more. Make another one first."
        ),
        LoginTakenError: _("This login is taken. Choose another one."),
        AboveYouError: _("This role grants more than you may do yourself. Ask somebody whose role includes all of it."),
        NotYourselfError: _("You cannot disable your own account: you would be signed out for good. Ask a colleague."),
        NotYoursError: _("Only an administrator of the park does this."),
        OutsidePasswordError: _("Another directory keeps this password. It is changed there."),
        WeakPasswordError: _(
            "This password is too weak: too short, a common one, or made of the login. Choose a longer one."
        ),
    }
    return known.get(type(error), str(error))
