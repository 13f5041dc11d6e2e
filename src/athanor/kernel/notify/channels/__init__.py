"""Kinds of channels, one file each. A new kind is a file and a line here."""

from collections.abc import Mapping

from athanor.kernel.notify.channels.inbox import InboxChannel
from athanor.kernel.notify.channels.mail import MailChannel
from athanor.kernel.notify.channels.port import Channel
from athanor.kernel.notify.channels.webhook import WebhookChannel

KINDS: Mapping[str, type[Channel]] = {one.kind: one for one in (InboxChannel, MailChannel, WebhookChannel)}
