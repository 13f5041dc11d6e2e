"""The command line: `athanor --help`."""

from athanor.cli.commands import main

__all__ = ["main"]
