"""The changes to try on a file: each changes one decision.

They change comparisons, boolean and arithmetic operators, numbers, True and False, conditions, slices, a few pairs such
as min and max, and return values, or remove a statement. Texts, the arguments of exceptions, `__repr__`, annotations
and decorators stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
PAIRS = [
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil"),
    ("bisect_left", "bisect_right"),
    ("startswith", "endswith"),
    ("partition", "rpartition"),
]
FUNCTIONS = {"min", "max", "any", "all", "bisect_left", "bisect_right"}
"""Those that go by their bare names; the others are methods, or of a module."""
NAMES = dict(PAIRS) | {second: first for first, second in PAIRS}
DECISION = ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant
SMALL = ast.Constant | ast.Name | ast.Slice | ast.UnaryOp
OUT_OF_SCOPE = ("annotation", "returns", "decorator_list", "format_spec")


@dataclass
class Mutant:
    """One change: `new` in place of what `parent.field` (or its `index`) holds."""

    file: str
    scope: str
    lines: range
    before: str
    after: str
    at_import: bool
    apply: Callable[[], CodeType] = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """An identity that does not depend on the line number."""
        return self.file, self.scope, self.before, self.after


def text(node: ast.AST) -> str:
    """A node as one line of code, the first of a compound statement."""
    line = ast.unparse(node).splitlines()[0].replace("`", "'")
    return line if len(line) <= 100 else f"{line[:99]}…"


def replacements(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901 one branch for each kind of node
    """The replacements for an expression."""
    match node:
        case ast.Compare(left, ops, comparators):
            for place, operator in enumerate(ops):
                other = COMPARISONS[type(operator)]()
                yield ast.Compare(left, [*ops[:place], other, *ops[place + 1 :]], comparators)
        case ast.BoolOp(operator, values):
            for place in range(len(values)):
                rest = [*values[:place], *values[place + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
        case ast.BinOp(left, operator, right) if type(operator) in ARITHMETIC:
            if not any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in (left, right)):
                yield ast.BinOp(left, ARITHMETIC[type(operator)](), right)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(float(value)):
            yield ast.Constant(value * 2 if value else 1.0)
        case ast.Name(name, context) if name in FUNCTIONS:
            yield ast.Name(NAMES[name], context)
        case ast.Call(ast.Attribute(value, name, context), arguments, keywords) if name in NAMES:
            yield ast.Call(ast.Attribute(value, NAMES[name], context), arguments, keywords)
        case ast.Slice(lower, upper, step):
            if lower:
                yield ast.Slice(None, upper, step)
            if upper:
                yield ast.Slice(lower, None, step)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """The replacements for a statement."""
    match node:
        case ast.Return(value) if value and not (
            isinstance(value, ast.Constant) and isinstance(value.value, bool | None)
        ):
            yield ast.Return(None)
        case ast.AugAssign(target, operator, value) if type(operator) in ARITHMETIC:
            yield ast.AugAssign(target, ARITHMETIC[type(operator)](), value)
            yield ast.Pass()
        case ast.Raise() | ast.Delete() | ast.AugAssign():
            yield ast.Pass()
        case ast.Expr(value) if not isinstance(value, ast.Constant):
            yield ast.Pass()
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
            yield ast.Pass()


@dataclass(frozen=True)
class Within:
    """Where a node is: the names around it, its statement, and the expressions around it, outermost first."""

    scope: str
    in_function: bool
    statement: ast.AST
    holders: tuple[ast.AST, ...] = ()


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """The field, the index in it and the node of every child that may be changed, or contains one that may."""
    if isinstance(node, ast.Raise | ast.Assert):
        return
    for name, value in ast.iter_fields(node):
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            says = isinstance(child, ast.FunctionDef) and child.name in ("__repr__", "__str__")
            shows = isinstance(child, ast.keyword) and child.arg == "repr"
            if isinstance(child, ast.AST) and name not in OUT_OF_SCOPE and not says and not shows:
                yield name, place, child


def changed(name: str, child: ast.AST, node: ast.AST, within: Within) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The replacements for a field's node, each with a description of the change."""
    if isinstance(child, ast.stmt):
        yield from ((new, child) for new in statements(child))
        return
    # A number alone says nothing: show what it is a part of.
    holder = next((holder for holder in reversed(within.holders) if not isinstance(holder, SMALL)), within.statement)
    yield from ((new, holder if isinstance(child, SMALL) else child) for new in replacements(child))
    if name == "test" and isinstance(child, ast.expr) and not isinstance(child, DECISION):
        yield ast.UnaryOp(ast.Not(), child), child
    if name == "ifs":
        yield ast.Constant(True), node


def mutants_of(root: Path, file: str) -> list[Mutant]:
    """Every mutant of a file, in the file's order."""
    tree = ast.parse((root / file).read_text(encoding="utf-8"))
    found: list[Mutant] = []

    def add(holder: Any, name: str, place: int | None, new: ast.AST, shown: ast.AST, within: Within) -> None:
        old = getattr(holder, name) if place is None else getattr(holder, name)[place]

        def put(node: ast.AST) -> None:
            if place is None:
                setattr(holder, name, node)
            else:
                getattr(holder, name)[place] = node

        def apply() -> CodeType:
            put(new)
            code: CodeType = compile(tree, str(root / file), "exec")
            put(old)
            return code

        ast.fix_missing_locations(ast.copy_location(new, old))
        before = text(shown)
        put(new)
        after = text(new if shown is old else shown)
        put(old)
        # Only the header of a compound statement counts.
        first, last = getattr(within.statement, "lineno", 1), getattr(within.statement, "end_lineno", 1)
        if isinstance(body := getattr(within.statement, "body", None), list):
            last = max(first, body[0].lineno - 1)
        lines = range(first, last + 1)
        found.append(Mutant(file, within.scope or "module", lines, before, after, not within.in_function, apply))

    def visit(node: ast.AST, within: Within) -> None:
        for name, place, child in children(node):
            inner = replace(within, statement=child, holders=()) if isinstance(child, ast.stmt) else within
            for new, shown in changed(name, child, node, inner):
                add(node, name, place, new, shown, inner)
            if not isinstance(child, ast.stmt):
                inner = replace(inner, holders=(*within.holders, child))
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inner = replace(inner, scope=f"{within.scope}.{child.name}".lstrip("."))
            if name == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inner = replace(inner, in_function=True)
            visit(child, inner)

    visit(tree, Within("", False, tree))
    return found
