"""Notifications: who hears of what, when and how; and everybody's own messages."""

from athanor.apps.notifications import api, pages
from athanor.kernel.apps.app import App


def setup(app: App) -> None:
    """Declare what Notifications adds. Runs once, before anything starts; does no work itself."""
    app.page("/notifications", pages.inbox, permission="notifications.view")
    app.page("/notifications/reach", pages.reach, permission="notifications.view")
    app.page("/notifications/rosters", pages.rosters, permission="notifications.view")
    app.page("/notifications/rosters/new", pages.new_roster, permission="notifications.configure")
    app.page("/notifications/rosters/{roster_id}", pages.roster, permission="notifications.view")
    app.page("/notifications/rosters/{roster_id}/change", pages.change_roster, permission="notifications.configure")
    app.page("/notifications/policies", pages.policies, permission="notifications.configure")
    app.page("/notifications/policies/new", pages.new_policy, permission="notifications.configure")
    app.page("/notifications/policies/{policy_id}", pages.policy, permission="notifications.configure")
    app.page("/notifications/channels", pages.channels, permission="notifications.administer")
    app.page("/notifications/channels/new/{kind}", pages.new_channel, permission="notifications.administer")
    app.page("/notifications/channels/{channel_id}", pages.channel, permission="notifications.administer")
    app.page("/notifications/messages", pages.messages, permission="notifications.administer")
    app.in_frame(pages.bell, permission="notifications.view")
    app.api(api.router, permission="notifications.view")
