import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from athanor.edge.config import ModbusTag
from athanor.edge.modbus_decode import NumberType, WordOrder, encode
from athanor.edge.modbus_plan import MAX_BITS, MAX_REGISTERS, Read, plan_reads


def holding(register: int, kind: NumberType = NumberType.UINT16, **more: object) -> ModbusTag:
    return ModbusTag.model_validate({"table": "holding", "register": register, "type": kind, **more})


def coil(register: int) -> ModbusTag:
    return ModbusTag.model_validate({"table": "coil", "register": register})


def extents(reads: list[Read]) -> list[tuple[int, str, int, int]]:
    return [(read.unit_id, read.table, read.start, read.count) for read in reads]


kinds = st.sampled_from([kind for kind in NumberType if kind is not NumberType.BOOL])
some_tags = st.dictionaries(
    st.integers(0, 999).map(lambda number: f"a.t{number}"),
    st.one_of(
        st.builds(holding, st.integers(0, 600), kinds, unit_id=st.integers(1, 2)), st.builds(coil, st.integers(0, 5000))
    ),
    min_size=1,
    max_size=40,
)


@given(tags=some_tags, max_gap=st.integers(0, 120))
def test_every_tag_is_read_once_and_no_read_is_too_large(tags: dict[str, ModbusTag], max_gap: int) -> None:
    reads = plan_reads(tags, max_gap)
    assert sorted(path for read in reads for path, _ in read.tags) == sorted(tags)
    for read in reads:
        assert read.count <= (MAX_BITS if read.table == "coil" else MAX_REGISTERS)
        for _, tag in read.tags:
            assert (tag.unit_id, tag.table) == (read.unit_id, read.table)
            assert read.start <= tag.first <= tag.first + tag.width <= read.start + read.count


def test_neighbours_share_a_read_and_a_wide_gap_parts_them() -> None:
    tags = {"a.one": holding(0, NumberType.FLOAT32), "a.two": holding(10), "a.three": holding(20)}
    assert extents(plan_reads(tags, max_gap=8)) == [(1, "holding", 0, 11), (1, "holding", 20, 1)]
    assert extents(plan_reads(tags, max_gap=9)) == [(1, "holding", 0, 21)]


def test_a_full_read_is_followed_by_a_second() -> None:
    tags = {f"a.t{register}": holding(register) for register in range(130)}
    assert extents(plan_reads(tags, max_gap=8)) == [(1, "holding", 0, 125), (1, "holding", 125, 5)]


def test_values_of_a_read_are_scaled_each_in_its_own_way() -> None:
    tags = {
        "a.power": holding(0, NumberType.FLOAT32, word_order="CDAB", scale=0.1),
        "a.level": holding(2, NumberType.INT16, scale=2.0, offset=-1.0),
        "a.on": holding(3, NumberType.BOOL, bit=4),
    }
    (read,) = plan_reads(tags, max_gap=8)
    power = encode(np.array([1234.5], np.float32), NumberType.FLOAT32, WordOrder.CDAB)[0]
    words = np.array([*power, 0xFFFD, 0b1_0000], np.uint16)
    assert dict(zip([path for path, _ in read.tags], read.values(words).tolist(), strict=True)) == {
        "a.power": 123.45,
        "a.level": -7.0,
        "a.on": 1.0,
    }


def test_a_read_is_halved_down_to_single_tags() -> None:
    (read,) = plan_reads({f"a.t{register}": holding(register) for register in range(3)}, max_gap=8)
    first, second = read.halves()
    assert extents([first, *second.halves()]) == [(1, "holding", 0, 1), (1, "holding", 1, 1), (1, "holding", 2, 1)]
    assert first.halves() == (first,)
