"""What a person sees of Notifications."""

from athanor.apps.notifications.pages.bell import bell
from athanor.apps.notifications.pages.channel import channel, new_channel
from athanor.apps.notifications.pages.channels import channels
from athanor.apps.notifications.pages.inbox import inbox
from athanor.apps.notifications.pages.messages import messages
from athanor.apps.notifications.pages.policies import policies
from athanor.apps.notifications.pages.policy import new_policy, policy
from athanor.apps.notifications.pages.reach import reach
from athanor.apps.notifications.pages.roster import roster
from athanor.apps.notifications.pages.roster_form import change_roster, new_roster
from athanor.apps.notifications.pages.rosters import rosters

__all__ = [
    "bell",
    "change_roster",
    "channel",
    "channels",
    "inbox",
    "messages",
    "new_channel",
    "new_policy",
    "new_roster",
    "policies",
    "policy",
    "reach",
    "roster",
    "rosters",
]
