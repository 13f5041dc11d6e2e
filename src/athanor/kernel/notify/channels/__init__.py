"""Kinds of channels, one file each. A new kind is a file and a line here."""

from collections.abc import Mapping

from athanor.kernel.notify.channels.dingtalk import DingTalkChannel
from athanor.kernel.notify.channels.feishu import FeishuChannel
from athanor.kernel.notify.channels.inbox import InboxChannel
from athanor.kernel.notify.channels.mail import MailChannel
from athanor.kernel.notify.channels.modbus import ModbusChannel
from athanor.kernel.notify.channels.mqtt import MqttChannel
from athanor.kernel.notify.channels.port import Channel
from athanor.kernel.notify.channels.sms import SmsChannel
from athanor.kernel.notify.channels.webhook import WebhookChannel
from athanor.kernel.notify.channels.wecom import WeComChannel

KINDS: Mapping[str, type[Channel]] = {
    one.kind: one
    for one in (
        InboxChannel, MailChannel, SmsChannel, WeComChannel, DingTalkChannel, FeishuChannel, WebhookChannel,
        MqttChannel, ModbusChannel,
    )
}  # fmt: skip
