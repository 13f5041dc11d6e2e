"""What Modbus registers mean: pure functions from words on the wire to numbers.

A register is 16 bits. Makers disagree on how the bytes A (highest) to D (lowest) of a 32-bit number lie in two
registers: ABCD, CDAB (words swapped), BADC (bytes swapped within a word), DCBA (both). For 64 bits the same holds with
four registers; for 16 bits only the swap within the word matters.
"""

from enum import StrEnum

import numpy as np


class NumberType(StrEnum):
    """What one or more registers hold."""

    BOOL = "bool"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def words(self) -> int:
        """Registers that one number takes; a bool takes one register or one bit."""
        return 1 if self is NumberType.BOOL else self.dtype.itemsize // 2

    @property
    def dtype(self) -> np.dtype:
        """The number as big-endian bytes; a bool is looked for in a register."""
        name = "uint16" if self is NumberType.BOOL else self.value
        return np.dtype(name).newbyteorder(">")


class WordOrder(StrEnum):
    """How the bytes of a number lie in its registers."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


def byte_order(order: WordOrder, words: int) -> np.ndarray:
    """Where the bytes of the number, highest first, lie on the wire. [2 × words]"""
    places = np.arange(2 * words).reshape(words, 2)
    if order in (WordOrder.CDAB, WordOrder.DCBA):
        places = places[::-1]
    if order in (WordOrder.BADC, WordOrder.DCBA):
        places = places[:, ::-1]
    return places.ravel()


def decode(registers: np.ndarray, kind: NumberType, order: WordOrder) -> np.ndarray:
    """Numbers in registers.

    Parameters
    ----------
    registers
        Words of each number as they came, uint16. [N, words of the kind]

    Returns
    -------
    np.ndarray
        The numbers, float64; 64-bit integers beyond 2^53 lose their last digits. [N]

    Raises
    ------
    ValueError
        If the number of words does not fit the kind.
    """
    if registers.ndim != 2 or registers.shape[1] != kind.words:
        raise ValueError(f"{kind} takes {kind.words} registers; got an array of shape {registers.shape}")
    on_wire = np.ascontiguousarray(registers, ">u2").view(np.uint8).reshape(len(registers), 2 * kind.words)
    ordered = np.ascontiguousarray(on_wire[:, byte_order(order, kind.words)])
    return ordered.view(kind.dtype)[:, 0].astype(np.float64)


def encode(numbers: np.ndarray, kind: NumberType, order: WordOrder) -> np.ndarray:
    """The registers that hold these numbers: the inverse of `decode`. uint16 [N, words of the kind]"""
    ordered = np.ascontiguousarray(numbers, kind.dtype).reshape(-1, 1).view(np.uint8)
    on_wire = np.empty_like(ordered)
    on_wire[:, byte_order(order, kind.words)] = ordered
    return np.ascontiguousarray(on_wire).view(">u2").astype(np.uint16)


def bit_of(registers: np.ndarray, bit: int) -> np.ndarray:
    """One bit of each register, 0 the lowest, as 0.0 or 1.0. [N]"""
    return ((registers.astype(np.uint16) >> bit) & 1).astype(np.float64)
