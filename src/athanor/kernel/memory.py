"""Giving memory back to the system after large work."""

import ctypes
import ctypes.util

import pyarrow as pa


def give_back_memory() -> None:
    """Let go of what allocators keep for later: after a large piece of work in the background, not after every query.

    The C library keeps what NumPy frees for the threads that asked for it, so that a server would look as large for
    ever as it once was. Where the library has no such call, nothing happens.
    """
    pa.default_memory_pool().release_unused()
    if _trim is not None:
        _trim(0)


def _found() -> "ctypes._NamedFuncPointer | None":
    name = ctypes.util.find_library("c")
    return None if name is None else getattr(ctypes.CDLL(name), "malloc_trim", None)  # of the GNU library alone


_trim = _found()
