"""How other systems say how good a value is, by columns."""

from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.telemetry import Quality
from athanor.kernel.transfer.columns import integers, is_text, trimmed
from athanor.kernel.transfer.numbers import read_numbers

UNREAD = 255  # a quality that says nothing known


class QualityCoding(StrEnum):
    """What numbers in a column of qualities mean; words mean the same in both."""

    OPC_UA = "opc_ua"  # 0 good, 1 uncertain, 2 bad; or a StatusCode of 32 bits
    OPC_DA = "opc_da"  # 192 and above good, 64 to 127 uncertain, below 64 bad


_WORDS = {
    Quality.GOOD: ("good", "g", "ok", "valid", "好", "良好", "正常", "有效", "优"),
    Quality.UNCERTAIN: ("uncertain", "u", "questionable", "suspect", "doubtful", "不确定", "可疑", "存疑"),
    Quality.BAD: ("bad", "b", "invalid", "error", "fault", "坏", "差", "无效", "故障", "异常", "坏值"),
}
_TEXTS = pa.array([word for words in _WORDS.values() for word in words])
_MEANINGS = np.array([quality for quality, words in _WORDS.items() for _word in words], np.uint8)
_STATUS_CODE = 1 << 30  # the severity of a StatusCode is in the two bits from here
_DA_UNCERTAIN, _DA_GOOD, _DA_MOST = 64, 192, 255


def read_qualities(column: pa.Array, coding: QualityCoding, otherwise: Quality) -> np.ndarray:
    """`Quality` of each cell, `otherwise` where it is empty, UNREAD where it says nothing known. [N]"""
    numbers = read_numbers(column)
    value = np.where(numbers.is_number, numbers.value, -1)
    quality = _of_da(value) if coding is QualityCoding.OPC_DA else _of_ua(value)
    if is_text(column):
        words = pc.utf8_lower(trimmed(column))
        place = integers(pc.index_in(words, _TEXTS))
        quality = np.where(place >= 0, _MEANINGS[place], quality)
    return np.where(numbers.is_blank, np.uint8(otherwise), quality).astype(np.uint8)


def coding_of(samples: list[str]) -> QualityCoding:
    """The coding of these cells: numbers of a byte above 2 are OPC DA's."""
    numbers = read_numbers(pa.array(samples, pa.string()))
    value = numbers.value[numbers.is_number]
    is_da = len(value) > 0 and bool(((value > max(Quality)) & (value <= _DA_MOST)).any())
    return QualityCoding.OPC_DA if is_da else QualityCoding.OPC_UA


def _of_ua(value: np.ndarray) -> np.ndarray:
    severity = np.minimum(value // _STATUS_CODE, Quality.BAD)
    is_known = np.isin(value, list(Quality)) | (value >= _STATUS_CODE)
    return np.where(is_known, np.where(value >= _STATUS_CODE, severity, value), UNREAD)


def _of_da(value: np.ndarray) -> np.ndarray:
    quality = np.select(
        [value >= _DA_GOOD, (value >= _DA_UNCERTAIN) & (value < 2 * _DA_UNCERTAIN)],
        [int(Quality.GOOD), int(Quality.UNCERTAIN)],
        int(Quality.BAD),
    )
    return np.where((value < 0) | (value > _DA_MOST), UNREAD, quality)
