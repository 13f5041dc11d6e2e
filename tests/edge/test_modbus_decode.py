import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from athanor.edge.modbus_decode import NumberType, WordOrder, bit_of, byte_order, decode, encode

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "protocol_vectors" / "modbus_pymodbus.json.gz"
NUMBERS = [kind for kind in NumberType if kind is not NumberType.BOOL]
PUBLISHED = {  # 123.456 as float32 in each order
    WordOrder.ABCD: (0x42F6, 0xE979),
    WordOrder.CDAB: (0xE979, 0x42F6),
    WordOrder.BADC: (0xF642, 0x79E9),
    WordOrder.DCBA: (0x79E9, 0xF642),
}


def numbers_of(kind: NumberType) -> st.SearchStrategy[float]:
    """What the kind can hold and a float64 says exactly."""
    if kind in (NumberType.FLOAT32, NumberType.FLOAT64):
        return st.floats(allow_nan=False, width=32 if kind is NumberType.FLOAT32 else 64)
    limits = np.iinfo(kind.value)
    return st.integers(max(limits.min, -(2**53)), min(limits.max, 2**53))


@pytest.mark.parametrize("order", WordOrder)
def test_a_number_lies_in_its_registers_as_the_makers_write(order: WordOrder) -> None:
    words = np.array([PUBLISHED[order]], np.uint16)
    assert decode(words, NumberType.FLOAT32, order).tolist() == [pytest.approx(123.456, rel=1e-7)]


@given(
    kind_and_numbers=st.sampled_from(NUMBERS).flatmap(
        lambda kind: st.tuples(st.just(kind), st.lists(numbers_of(kind), max_size=8))
    ),
    order=st.sampled_from(WordOrder),
)
def test_what_is_encoded_is_decoded(kind_and_numbers: tuple[NumberType, list[float]], order: WordOrder) -> None:
    kind, numbers = kind_and_numbers
    registers = encode(np.array(numbers, kind.value), kind, order)
    assert registers.shape == (len(numbers), kind.words)
    assert decode(registers, kind, order).tolist() == numbers


@given(word=st.integers(0, 65_535))
def test_a_single_register_knows_only_the_order_of_its_bytes(word: int) -> None:
    (swapped,) = struct.unpack("<H", struct.pack(">H", word))
    for order in WordOrder:
        expected = word if order in (WordOrder.ABCD, WordOrder.CDAB) else swapped
        assert decode(np.array([[word]], np.uint16), NumberType.UINT16, order).tolist() == [expected]


@pytest.mark.parametrize("words", [1, 2, 4])
@pytest.mark.parametrize("order", WordOrder)
def test_an_order_moves_each_byte_once(order: WordOrder, words: int) -> None:
    assert sorted(byte_order(order, words).tolist()) == list(range(2 * words))


def test_a_bit_is_counted_from_the_lowest() -> None:
    assert bit_of(np.array([0b1000, 0b0111], np.uint16), 3).tolist() == [1.0, 0.0]


def test_too_few_registers_are_refused() -> None:
    with pytest.raises(ValueError, match="float32 takes 2 registers"):
        decode(np.zeros((1, 1), np.uint16), NumberType.FLOAT32, WordOrder.ABCD)


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared protocol vectors are not on this machine")
def test_registers_of_the_published_frames_decode() -> None:
    frames = [
        vector
        for vector in json.loads(gzip.decompress(VECTORS.read_bytes()))["adu"]
        if vector["framer"] == "SOCKET" and not vector["is_request"] and vector["pdu_hex"].startswith("03")
    ]
    assert frames
    for vector in frames:
        _, pdu = FramerSocket(DecodePDU(is_server=False)).handleFrame(bytes.fromhex(vector["adu_hex"]), 0, 0)
        assert pdu is not None
        words = np.array(pdu.registers, np.uint16).reshape(-1, 1)
        expected = struct.unpack(f">{len(pdu.registers)}h", bytes.fromhex(vector["pdu_hex"])[2:])
        assert decode(words, NumberType.INT16, WordOrder.ABCD).tolist() == list(expected)
