"""What whoever owns the server's files does about accounts from the command line."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pyotp
from typer.testing import CliRunner

from athanor.cli.commands import app
from athanor.kernel.errors import NotFoundError
from athanor.kernel.settings import Settings, load_settings
from athanor.platform import open_identity

PASSWORD = "correct horse battery"


async def _populate(settings: Settings) -> None:
    async with open_identity(settings) as identity:
        await identity.accounts.ensure_administrator()
        await identity.accounts.set_password("admin", PASSWORD, actor="test")
        secret, _address = identity.second_factors.propose("admin", "Park")
        code = pyotp.TOTP(secret).at(datetime.now(UTC))
        await identity.second_factors.set_up("admin", secret, code, actor="test")


async def _is_signed_in(settings: Settings) -> bool:
    async with open_identity(settings) as identity:
        token = await identity.sessions.sign_in("admin", PASSWORD)
        return await identity.sessions.user_of(token) is not None


def test_an_administrator_who_lost_the_phone_gets_in_by_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "athanor.toml"
    file.write_text(f'data_dir = "{tmp_path / "data"}"\n', encoding="utf-8")
    settings = load_settings(file)
    asyncio.run(_populate(settings))
    assert not asyncio.run(_is_signed_in(settings))
    result = CliRunner().invoke(app, ["remove-second-factor", "admin", "--config", str(file)])
    assert (result.exit_code, result.output) == (0, "admin signs in by the password alone from now on.\n")
    assert asyncio.run(_is_signed_in(settings))
    unknown = CliRunner().invoke(app, ["remove-second-factor", "nobody", "--config", str(file)])
    assert isinstance(unknown.exception, NotFoundError)
