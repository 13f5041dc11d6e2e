"""Which server runs a job, and whether one that ran on this machine is gone for certain."""

import socket
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import psutil

_PARTS = 4  # host, machine, process, start


def this_server() -> str:
    """A name that no other server has, nor this one after a restart: host, machine since its boot, process, start."""
    process = psutil.Process()
    host = socket.gethostname().replace("/", "-")
    return f"{host}/{_machine()}/{process.pid}/{process.create_time():.2f}-{uuid4().hex[:6]}"


def shown(server: str) -> str:
    """A server as people name it: its host and process."""
    parts = server.split("/")
    return f"{parts[0]} ({parts[2]})" if len(parts) == _PARTS else server


def is_gone(server: str) -> bool:
    """Whether a server ran here and its process has ended. False for one that cannot be looked at from here."""
    parts = server.split("/")
    if len(parts) != _PARTS or parts[1] != _machine():
        return False
    try:
        started = psutil.Process(int(parts[2])).create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
    return f"{started:.2f}" != parts[3].partition("-")[0]


@lru_cache(maxsize=1)
def _machine() -> str:
    """This kernel since its boot, and the space in which process numbers mean something."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:  # not Linux: then only silence tells
        return uuid4().hex
    return f"{boot}:{space}"
