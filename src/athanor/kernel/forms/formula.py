"""Formulas of computed fields: arithmetic over number fields, read into a tree and never run as Python.

Allowed are numbers, names of fields, `+ - * / **`, brackets, `min max abs round`, and `sum(table.column)`.
"""

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Final

from athanor.kernel.errors import AthanorError

Numbers = Mapping[str, float | None]
Columns = Mapping[str, Sequence[float | None]]  # by `table.column`

_LONGEST: Final = 500
_MOST_NODES: Final = 200
_LARGEST_EXPONENT: Final = 10
_FUNCTIONS: Final = ("min", "max", "abs", "round", "sum")


class BadFormulaError(AthanorError):
    """A formula that is none, or that uses what it may not."""

    code = "forms.bad-formula"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(
            f"{text[:80]!r} is no formula: {reason}. Write numbers, ids of number fields, + - * / **, brackets, "
            "min, max, abs, round, and sum(table.column)."
        )


class Formula:
    """A formula that has been read.

    Parameters
    ----------
    text
        As a person writes it: `quantity * (100 - moisture) / 100`.

    Raises
    ------
    BadFormulaError
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > _LONGEST:
            raise BadFormulaError(text, f"it is longer than {_LONGEST} characters")
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise BadFormulaError(text, "it cannot be read") from None
        if sum(1 for _node in ast.walk(self._tree)) > _MOST_NODES:
            raise BadFormulaError(text, "it is too long")
        self.names: set[str] = set()
        self.columns: set[str] = set()
        self._check(self._tree)

    def value(self, numbers: Numbers, columns: Columns | None = None) -> float | None:
        """What it comes to; None where a number is missing or there is no finite answer."""
        try:
            result = self._value(self._tree, numbers, columns or {})
        except (_MissingError, ZeroDivisionError, OverflowError):
            return None
        return result if math.isfinite(result) else None

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=bool() | str() | bytes() | complex() | None):
                raise BadFormulaError(self.text, f"{node.value!r} is no number")
            case ast.Constant(value=int() | float()):
                pass
            case ast.Name(id=name):
                self.names.add(name)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
                self._check(operand)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), left=left, right=right):
                self._check(left)
                self._check(right)
            case ast.Call(func=ast.Name(id="sum"), args=[ast.Attribute(value=ast.Name(id=table), attr=column)]):
                self.columns.add(f"{table}.{column}")
            case ast.Call(func=ast.Name(id=name), args=[_, *_] as given, keywords=[]) if name in _FUNCTIONS:
                self._check_call(name, given)
            case _:
                raise BadFormulaError(self.text, f"{ast.unparse(node)[:60]!r} is not allowed")

    def _check_call(self, name: str, given: list[ast.expr]) -> None:
        if name == "sum":
            raise BadFormulaError(self.text, "sum takes one column of a table, as in sum(rows.quantity)")
        if name in ("abs", "round") and len(given) > (1 if name == "abs" else 2):
            raise BadFormulaError(self.text, f"{name} is given too much")
        for one in given:
            self._check(one)

    def _value(self, node: ast.expr, numbers: Numbers, columns: Columns) -> float:
        match node:
            case ast.Constant(value=int() | float() as value):
                return float(value)
            case ast.Name(id=name):
                return _given(numbers.get(name))
            case ast.UnaryOp(op=op, operand=operand):
                inner = self._value(operand, numbers, columns)
                return -inner if isinstance(op, ast.USub) else inner
            case ast.BinOp(op=op, left=left, right=right):
                return _combined(op, self._value(left, numbers, columns), self._value(right, numbers, columns))
            case ast.Call(func=ast.Name(id="sum"), args=[ast.Attribute(value=ast.Name(id=table), attr=column)]):
                return sum(_given(one) for one in columns.get(f"{table}.{column}", ()))
            case ast.Call(func=ast.Name(id=name), args=given):
                return _called(name, [self._value(one, numbers, columns) for one in given])
        raise BadFormulaError(self.text, "it cannot be read")  # `_check` let nothing else pass


class _MissingError(Exception):
    """A number that is not there yet."""


def _given(number: float | None) -> float:
    if number is None:
        raise _MissingError
    return number


def _combined(op: ast.operator, left: float, right: float) -> float:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    if abs(right) > _LARGEST_EXPONENT:
        raise OverflowError
    raised = left**right
    if isinstance(raised, complex):
        raise OverflowError
    return float(raised)


def _called(name: str, given: list[float]) -> float:
    match name:
        case "min":
            return min(given)
        case "max":
            return max(given)
        case "abs":
            return abs(given[0])
    if not math.isfinite(given[0]):
        return given[0]
    return float(round(given[0], max(-12, min(12, int(given[1]))) if len(given) > 1 else 0))
