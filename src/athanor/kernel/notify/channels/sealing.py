"""A channel's settings as they lie in the database: secrets sealed by the vault, all else in clear."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from athanor.kernel.notify.channels.port import ChannelSettings
from athanor.kernel.notify.errors import BadChannelError
from athanor.kernel.vault import Vault


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a secret, or several by name."""
    return field.annotation is SecretStr or is_several(field)


def is_several(field: FieldInfo) -> bool:
    """Whether a setting is secrets by name."""
    return get_origin(field.annotation) is dict and get_args(field.annotation)[1] is SecretStr


def settings_of(model: type[ChannelSettings], given: Mapping[str, Any]) -> ChannelSettings:
    """Settings that are as they must be. Raises BadChannelError, which names the fields and repeats no value."""
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}".lstrip(": ") for one in error.errors()]
        raise BadChannelError("; ".join(faults) + ".") from error


def sealed(settings: ChannelSettings, vault: Vault) -> dict[str, Any]:
    """As it is kept: `{"settings": in clear, "sealed": encrypted}`."""
    clear: dict[str, Any] = {}
    closed: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if not is_secret(field):
            clear[name] = list(value) if isinstance(value, tuple) else value
        elif is_several(field):
            closed[name] = {key: vault.encrypt(one.get_secret_value()) for key, one in value.items()}
        elif value.get_secret_value():
            closed[name] = vault.encrypt(value.get_secret_value())
    return {"settings": clear, "sealed": closed}


def opened(model: type[ChannelSettings], content: Mapping[str, Any], vault: Vault, name: str) -> ChannelSettings:
    """The settings with their secrets. Raises VaultLockedError, BadChannelError."""
    return settings_of(model, dict(content["settings"]) | secrets_of(content, vault, name))


def secrets_of(content: Mapping[str, Any], vault: Vault, name: str) -> dict[str, Any]:
    """The secrets alone, in clear. Raises VaultLockedError."""
    what = f"A secret of channel {name!r}"
    return {
        field: {key: vault.decrypt(one, what=what) for key, one in kept.items()}
        if isinstance(kept, dict)
        else vault.decrypt(kept, what=what)
        for field, kept in content["sealed"].items()
    }


def merged(
    model: type[ChannelSettings], given: Mapping[str, Any], content: Mapping[str, Any], vault: Vault, name: str
) -> dict[str, Any]:
    """New settings; a secret that is left empty stays as it was, of several those whose name stays.

    Whoever sends a channel elsewhere gives its secrets anew: see `Channels.save`.
    """
    kept = secrets_of(content, vault, name)
    result = dict(given)
    for field, info in model.model_fields.items():
        if is_several(info):
            before = kept.get(field, {})
            result[field] = {key: value or before.get(key, "") for key, value in (given.get(field) or {}).items()}
        elif is_secret(info) and not given.get(field) and field in kept:
            result[field] = kept[field]
    return result


def texts(settings: ChannelSettings) -> list[str]:
    """Every secret text in it: what may stand in no log and no error."""
    found = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if is_several(field):
            found += [one.get_secret_value() for one in value.values()]
        elif is_secret(field):
            found.append(value.get_secret_value())
    return [one for one in found if one]
