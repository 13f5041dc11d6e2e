"""`python -m athanor.edge CONFIG` runs one edge; the token comes from the environment."""

import argparse
import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from athanor.edge.agent import run_edge
from athanor.edge.config import EdgeConfig, load_edge_config
from athanor.kernel.errors import AthanorError


class TokenMissingError(AthanorError):
    """The environment does not hold the edge's token."""

    code = "edge.token-missing"

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"The environment variable {variable} is empty. Set it to the edge token that the server gave out; "
            "uplink.token_env names the variable."
        )


def token_of(config: EdgeConfig) -> str:
    """The token in the environment. Raises TokenMissingError."""
    token = os.environ.get(config.uplink.token_env, "").strip()
    if not token:
        raise TokenMissingError(config.uplink.token_env)
    return token


async def run_until_told(config: EdgeConfig, token: str, *, with_parent: bool) -> None:
    """Run the edge until SIGINT, SIGTERM or, `with_parent`, the end of standard input."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    if with_parent:
        threading.Thread(target=_stop_at_end_of_input, args=(loop, stop), daemon=True).start()
    await run_edge(config, token=token, stop=stop)


def _stop_at_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """The parent holds the other end of our standard input; it closes when the parent ends, however it ends."""
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


def main() -> int:
    """Exit code 0 after a clean stop, 2 when the edge cannot start."""
    parser = argparse.ArgumentParser(prog="python -m athanor.edge", description=__doc__)
    parser.add_argument("config", type=Path, help="the edge's YAML file")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    arguments = parser.parse_args()
    try:
        config = load_edge_config(arguments.config)
        asyncio.run(run_until_told(config, token_of(config), with_parent=arguments.with_parent))
    except AthanorError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
