"""Formulas over tags: `{.temperature} > 1250 and {.running} == 1`. Read into a tree and never run as Python.

Allowed are numbers, tags in braces (a path, or `.id` for one of the same asset), `+ - * / **`, `< <= > >= == !=`,
`and or not`, brackets, `min max abs`. What is not known makes unknown only what depends on it: `{.running} == 1 and …`
is false while nothing runs, whatever stands behind.
"""

import ast
import re
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Final

import numpy as np

from athanor.kernel.errors import AthanorError

_LONGEST: Final = 2000
_MOST_NODES: Final = 500
_DEEPEST: Final = 50
_LARGEST: Final = 1e300
_NAME: Final = re.compile(r"\{([^{}]*)\}")
_PLACE: Final = re.compile(r"tag_(\d+)_")

_ARITHMETIC: Final = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_COMPARISONS: Final = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_FUNCTIONS: Final = {"min": np.minimum, "max": np.maximum, "abs": np.abs}


class BadAlarmFormulaError(AthanorError):
    """A rule's formula that is none, or that uses what it may not."""

    code = "alarms.bad-formula"

    def __init__(self, text: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{text[:80]!r} is no formula: {reason}. Write tags in braces as in {{.temperature}} > 1250, numbers, "
            "+ - * / **, comparisons, and, or, not, brackets, min, max, abs."
        )


class Formula:
    """A formula that has been read.

    Parameters
    ----------
    text
        As a person writes it.

    Attributes
    ----------
    names
        The tags, as written between the braces, each once, in order.
    numbers
        The numbers, in order.
    shape
        The same for formulas that differ in tags and numbers only: these are judged together.

    Raises
    ------
    BadAlarmFormulaError
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > _LONGEST:
            raise BadAlarmFormulaError(text, f"it is longer than {_LONGEST} characters")
        if _PLACE.search(_NAME.sub("", text)):
            raise BadAlarmFormulaError(text, "a tag stands in braces")
        self.names = tuple(dict.fromkeys(name.strip() for name in _NAME.findall(text)))
        if not self.names or "" in self.names:
            raise BadAlarmFormulaError(text, "it names no tag")
        place = {name: number for number, name in enumerate(self.names)}
        placed = _NAME.sub(lambda found: f" tag_{place[found[1].strip()]}_ ", text)
        try:
            tree = ast.parse(" ".join(placed.split()), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise BadAlarmFormulaError(text, "it cannot be read") from None
        if sum(1 for _node in ast.walk(tree)) > _MOST_NODES or _depth(tree) > _DEEPEST:
            raise BadAlarmFormulaError(text, "it is too long")
        self._check(tree)
        numbers = _Numbers()
        self._tree = numbers.visit(tree)
        self.numbers = tuple(numbers.found)
        self.shape = ast.dump(self._tree)

    def judge(self, tags: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What it comes to for many rows of this shape.

        Parameters
        ----------
        tags
            Of each row the value of each of `names`, NaN where it is not known. [n, names]
        numbers
            Of each row its `numbers`. [n, numbers]

        Returns
        -------
        tuple
            1 where it is true, 0 where it is not, NaN where that is not known; and the two sides of a single
            comparison, NaN elsewhere. [n]
        """
        env = _Row(tags, numbers)
        with np.errstate(all="ignore"):
            match self._tree:
                case ast.Compare(left=left, ops=[op], comparators=[right]):
                    one, other = env.value(left), env.value(right)
                    return _compared(op, one, other), one, other
                case _:
                    blank = np.full(len(tags), np.nan)
                    return _truth(env.value(self._tree)), blank, blank

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.Constant() | ast.Name():
                self._check_leaf(node)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() | ast.Not(), operand=operand):
                self._check(operand)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _ARITHMETIC:
                self._check_all((left, right))
            case ast.BoolOp(values=values):
                self._check_all(values)
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
                self._check_all((left, *others))
            case ast.Call(func=ast.Name(id=name), args=[_, *more] as given, keywords=[]) if name in _FUNCTIONS:
                if bool(more) == (name == "abs"):
                    raise BadAlarmFormulaError(self.text, f"{name} takes {'one number' if more else 'several numbers'}")
                self._check_all(given)
            case _:
                raise BadAlarmFormulaError(self.text, f"{_written(node, self.names)!r} is not allowed")

    def _check_leaf(self, node: ast.Constant | ast.Name) -> None:
        if isinstance(node, ast.Name):
            if not _PLACE.fullmatch(node.id):
                raise BadAlarmFormulaError(self.text, f"a tag stands in braces, as in {{{node.id}}}")
        elif isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise BadAlarmFormulaError(self.text, f"{node.value!r} is no number")
        elif not abs(node.value) <= _LARGEST:
            raise BadAlarmFormulaError(self.text, f"a number is beyond {_LARGEST:g}")

    def _check_all(self, nodes: Iterable[ast.expr]) -> None:
        for one in nodes:
            self._check(one)


class _Numbers(ast.NodeTransformer):
    """Puts a place in the place of each number."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, int | float):
            self.found.append(float(value))
        return ast.Name(id=f"number_{len(self.found) - 1}_")


class _Row:
    """Evaluates a tree for all rows at once; what is not known is NaN, true is 1, false 0."""

    def __init__(self, tags: np.ndarray, numbers: np.ndarray) -> None:
        self._of = {"tag": tags, "number": numbers}

    def value(self, node: ast.expr) -> np.ndarray:
        match node:
            case ast.Name(id=name):
                kind, place, _end = name.split("_")
                result: np.ndarray = self._of[kind][:, int(place)]
            case ast.UnaryOp(op=op, operand=operand):
                result = _unary(op, self.value(operand))
            case ast.BinOp(op=op, left=left, right=right):
                result = _known(_ARITHMETIC[type(op)](self.value(left), self.value(right)))
            case ast.BoolOp(op=op, values=values):
                result = _joined(op, [_truth(self.value(one)) for one in values])
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [self.value(one) for one in (left, *others)]
                pairs = zip(ops, sides[:-1], sides[1:], strict=True)
                result = _joined(ast.And(), [_compared(op, one, other) for op, one, other in pairs])
            case ast.Call(func=ast.Name(id="abs"), args=[one]):
                result = np.abs(self.value(one))
            case ast.Call(func=ast.Name(id=name), args=given):
                result = reduce(_FUNCTIONS[name], [self.value(one) for one in given])
            case _:
                raise AssertionError(ast.dump(node))  # `_check` let nothing else pass
        return result


def _unary(op: ast.unaryop, value: np.ndarray) -> np.ndarray:
    if isinstance(op, ast.Not):
        return 1.0 - _truth(value)
    result: np.ndarray = -value if isinstance(op, ast.USub) else value
    return result


def _known(value: np.ndarray) -> np.ndarray:
    """A division by zero and what is too large are not known."""
    return np.where(np.isfinite(value), value, np.nan)


def _truth(value: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(value), np.nan, value != 0)


def _compared(op: ast.cmpop, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(one) | np.isnan(other), np.nan, _COMPARISONS[type(op)](one, other))


def _joined(op: ast.boolop, parts: Sequence[np.ndarray]) -> np.ndarray:
    """`and`: false if any is false, else unknown if any is unknown. `or`: the other way round."""
    decides = 0.0 if isinstance(op, ast.And) else 1.0
    decided = reduce(np.logical_or, [one == decides for one in parts])
    unknown = reduce(np.logical_or, [np.isnan(one) for one in parts])
    return np.where(decided, decides, np.where(unknown, np.nan, 1.0 - decides))


def _written(node: ast.AST, names: Sequence[str]) -> str:
    """A part of a formula as its author wrote it."""
    return _PLACE.sub(lambda found: f"{{{names[int(found[1])]}}}", ast.unparse(node))[:60]


def _depth(node: ast.AST) -> int:
    return 1 + max((_depth(one) for one in ast.iter_child_nodes(node)), default=0)
