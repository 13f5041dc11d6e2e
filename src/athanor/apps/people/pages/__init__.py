"""What a person sees of people."""

from athanor.apps.people.pages.departments import departments
from athanor.apps.people.pages.invitations import invitations
from athanor.apps.people.pages.onboarding import onboarding
from athanor.apps.people.pages.people import people
from athanor.apps.people.pages.person import person
from athanor.apps.people.pages.roles import roles

__all__ = ["departments", "invitations", "onboarding", "people", "person", "roles"]
