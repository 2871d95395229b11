"""Why a gradient is this number: every operation between an input and a result, its local rule and
what that gives, and the products that make the gradient. Imports `recording` and what is older.

The rules that are shown are the ones that run: each is called with the numbers of its operation, on
a copy of the graph, so that nothing is freed or added to any `.grad`.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from autograd.engine.backward import run_backward
from autograd.engine.graph import LEAF, OUTPUT, Node
from autograd.recording import Step, formulas_of, operand_names, run_recorded, shown, steps_behind
from autograd.transforms.containers import flatten
from autograd.variable import Variable, unit_cotangent

__all__ = ["Explanation", "Link", "Operation", "explain"]

_PATHS = 6  # products that are written out


class Link(NamedTuple):
    """How one operation hands its gradient on to one operand.

    Attributes:
        operand: the name of the parameter.
        source: the name of the value that was given there.
        formula: the local rule: the derivative, or what becomes of `g`, the gradient of the result.
        slope: the local derivative as a number or array, of complex numbers its conjugate; None
            where the gradient is not multiplied by one, element by element.
        gradient: what reaches the operand by this way.
    """

    operand: str
    source: str
    formula: str
    slope: Any
    gradient: Any


class Operation(NamedTuple):
    """One recorded operation.

    Attributes:
        name: the name of the result.
        text: the operation with the names of its operands.
        value: the result; None where nobody remembers it.
        line: what the user wrote; "" where it was not recorded.
        gradient: the gradient of the result, all ways together.
        links: to the operands that the gradient was asked for.
    """

    name: str
    text: str
    value: Any
    line: str
    gradient: Any
    links: tuple[Link, ...]


class Explanation:
    """The derivation of a gradient; `print` shows it, and so do notebooks.

    Attributes:
        name: what the result is called.
        operations: between the inputs and the result, in the order in which they were recorded.
        gradients: of each input, by name.
        paths: for each input the ways from the result to it, as lists of links, where all that is
            on them are single numbers; None where there are more than a few.
    """

    def __init__(
        self,
        name: str,
        operations: Sequence[Operation],
        gradients: Mapping[str, Any],
        paths: Mapping[str, list[list[Link]] | None],
    ) -> None:
        self.name, self.operations = name, list(operations)
        self.gradients, self.paths = dict(gradients), dict(paths)
        self._ways = Counter(link.source for op in self.operations for link in op.links)

    def _slope(self, name: str) -> str:
        return f"d{self.name}/d{name}"

    def _handed_on(self, operation: Operation, link: Link) -> str:
        """Return one application of the chain rule as a formula, then as numbers."""
        target, g = self._slope(link.source), self._slope(operation.name)
        target = f"{target} +=" if self._ways[link.source] > 1 else f"{target} ="
        if link.slope is None:
            return f"{target} {link.formula} = {shown(link.gradient)}"
        numbers = f"{_factor(operation.gradient)} * {_factor(link.slope)}"
        slope = f"{link.operand}'" if np.isrealobj(link.slope) else f"conj({link.operand}')"
        return f"{target} {g} * {slope} = {numbers} = {shown(link.gradient)}"

    def _sums(self) -> Iterator[str]:
        """Yield, for each input, what makes its gradient."""
        for name, total in self.gradients.items():
            paths = self.paths[name]
            yield f"{self._slope(name)} = {shown(total)}"
            ways = [link for op in self.operations for link in op.links if link.source == name]
            if paths:
                for path in paths:
                    product = " * ".join(_factor(link.slope) for link in path)
                    way = " <- ".join([self.name, *(link.source for link in path)])
                    number = functools.reduce(lambda p, link: p * link.slope, path, 1.0)
                    yield f"    {way}: {product} = {shown(number)}"
            elif len(ways) > 1:
                parts = " + ".join(_factor(link.gradient) for link in ways)
                yield f"    {len(ways)} ways lead to it: {parts}"

    def __repr__(self) -> str:
        forward = [
            f"{op.name} = {op.text}" + (f" = {shown(op.value)}" if op.value is not None else "")
            for op in self.operations
        ]
        width = min(48, max(map(len, forward), default=0))
        lines = [
            (f"{text.ljust(width)}  # {op.line}" if op.line else text)
            for text, op in zip(forward, self.operations, strict=True)
        ]
        lines += ["", f"Back from {self._slope(self.name)} = 1:"]
        for op in reversed(self.operations):
            is_plain = not isinstance(op.gradient, dict)  # of several outputs
            total = f"    {self._slope(op.name)} = {shown(op.gradient)}" if is_plain else ""
            lines.append(f"{op.name} = {op.text}{total}")
            for link in op.links:
                if link.slope is not None:
                    lines.append(f"    {link.operand}' = {link.formula}")
                lines.append(f"    {self._handed_on(op, link)}")
        return "\n".join([*lines, "", *self._sums()])

    def _repr_markdown_(self) -> str:
        """Return two tables, and the sums in which they end."""

        def cell(text: str) -> str:
            return "`" + text.replace("|", "\\|").replace("\n", " ").replace("`", "'") + "`"

        rows = ["| operation | value | line |", "|---|---|---|"]
        for op in self.operations:
            value = "" if op.value is None else cell(shown(op.value))
            line = cell(op.line) if op.line else ""
            rows.append(f"| {cell(f'{op.name} = {op.text}')} | {value} | {line} |")
        rows += ["", "| back through | local rule | chain rule |", "|---|---|---|"]
        for op in reversed(self.operations):
            for link in op.links:
                rule = f"{link.operand}' = {link.formula}" if link.slope is not None else "g"
                rule = link.formula if link.slope is None else rule
                rows.append(
                    f"| {cell(op.text)} | {cell(rule)} | {cell(self._handed_on(op, link))} |"
                )
        return "\n".join([*rows, "", "```", *self._sums(), "```", ""])


def explain(what: Any, given: Sequence[Any], names: Mapping[Node | None, str]) -> Explanation:
    """Explain the gradients of a result, or of a function at a point: see `autograd.explain`."""
    if callable(what) and not isinstance(what, Variable):
        outputs, inputs = run_recorded("explain", what, given)
        result = outputs[0] if len(outputs) == 1 else outputs
    else:
        result, (inputs, _) = what, flatten(list(given))
    if not isinstance(result, Variable) or result._node is None:
        raise TypeError(
            "explain: wanted a Variable that was computed from one with requires_grad=True, or a "
            f"function that returns one and its inputs, got {type(result).__name__}; write "
            "explain(y, x) or explain(f, x)"
        )
    seed = unit_cotangent("explain", result)
    steps = steps_behind("explain", [result], names)
    targets = [getattr(v, "_node", None) for v in inputs]
    if not inputs:
        targets = [step.node for step in steps if step.is_leaf]
    known = {step.node for step in steps}
    for value, node in zip(inputs, targets, strict=False):
        if node not in known:
            raise ValueError(
                "explain: wanted Variables that the result was computed from, got one that it does "
                f"not depend on: {value!r:.80}"
            )
    return _Derivation(steps, result._node, seed, targets).explanation()


class _Derivation:
    """The numbers of an explanation."""

    def __init__(self, steps: list[Step], root: Node, seed: Any, targets: Sequence[Any]) -> None:
        self.targets = targets
        reaches = set(targets)
        for step in steps:
            if not reaches.isdisjoint(step.parents):
                reaches.add(step.node)
        self.by_node = {step.node: step for step in steps}
        self.names = _distinct(steps, root)
        self.steps = [step for step in steps if step.node in reaches]
        self.root = root
        self.wanted = {step.node for step in self.steps} | set(targets)
        self.parts: dict[Node, dict[int, Node]] = {}
        for step in self.steps:
            if step.plan is OUTPUT:
                self.parts.setdefault(step.parents[0], {})[step.saved[0]] = step.node
        copies: dict[Node, Node] = {}
        for step in steps:
            parents = tuple(copies[p] for p in step.parents)
            copies[step.node] = _copied(step, parents) if parents else step.node
        single = [step.node for step in self.steps if step.node.shape is not None]
        found = run_backward(
            [(copies[root], seed)], [copies[node] for node in single], retain_graph=True
        )
        self.gradients = {node: found.get(copies[node]) for node in single}

    def explanation(self) -> Explanation:
        operations = [
            self._operation(step)
            for step in self.steps
            if step.parents and step.plan is not OUTPUT and self._gradient(step) is not None
        ]
        gradients = {self.names[t]: _given(self.gradients.get(t), t) for t in self.targets}
        return Explanation(
            self.names[self.root],
            operations,
            gradients,
            {name: self._paths(operations, name) for name in gradients},
        )

    def _parts(self, step: Step) -> dict[int, Node]:
        """Return the nodes of the several outputs of an operation, by number."""
        return self.parts.get(step.node, {})

    def _gradient(self, step: Step) -> Any:
        if step.node.shape is not None:
            return self.gradients.get(step.node)
        parts = self._parts(step)
        found = {i: self.gradients.get(node) for i, node in parts.items()}
        return found if any(g is not None for g in found.values()) else None

    def _operation(self, step: Step) -> Operation:
        g = self._gradient(step)
        links = []
        handed = self._handed_on(step, g)
        slopes: Sequence[Any] = [None] * len(step.parents)
        elementwise = getattr(step.plan.primitive, "elementwise", False)
        if (elementwise and step.node.shape is not None) or all(
            p.shape == step.node.shape == () for p in step.parents
        ):
            slopes = self._slopes(step)
        stated = _formulas(step)
        for i, parent in enumerate(step.parents):
            if parent in self.wanted and handed[i] is not None:
                slope: Any = slopes[i] if parent.shape == step.node.shape else None
                if np.iscomplexobj(slope) and not np.any(np.imag(slope)):
                    slope = np.real(slope)
                formula = self._formula(step, i, slope, *stated[i][1:])
                links.append(Link(stated[i][0], self._name(parent), formula, slope, handed[i]))
        name = self._name(step.node)
        place = step.place
        line = "" if place is None else place.expression or place.line
        return Operation(name, self._text(step), step.value, line, g, tuple(links))

    def _formula(self, step: Step, i: int, slope: Any, formula: str, is_slope: bool) -> str:
        """Return the local rule of an operand, with numbers where it is a derivative."""
        if slope is not None:
            if is_slope:
                return self._with_numbers(step, formula, slope)
            return f"{formula} = {shown(np.conj(slope))} for g = 1"
        parent = step.parents[i]
        if is_slope:
            product = formula if re.fullmatch(r"[\w.]+", formula) else f"({formula})"
            formula = f"g * {product}"
            if parent.shape != step.node.shape:
                formula = f"sum({formula})"  # over what was broadcast
            elif parent.dtype.kind == "c":  # what is stated of conj holds for real numbers
                formula = _rule_of(step, i)
        return _of_conjugates(formula, step, parent)

    def _name(self, node: Node) -> str:
        step = self.by_node[node]
        if step.plan is OUTPUT:
            return f"{self.names[step.parents[0]]}[{step.saved[0]}]"
        return self.names[node]

    def _handed_on(self, step: Step, g: Any) -> list[Any]:
        """Return what the rules of an operation give each operand for a gradient of the result."""
        ends = [Node()._fill(LEAF, (), None, parent) for parent in step.parents]
        for end, parent in zip(ends, step.parents, strict=True):
            end.number = parent.number  # older than its children
        copy = _copied(step, tuple(ends))
        seeds = [(copy, g)]
        if isinstance(g, dict):
            seeds = [
                (_copied(self.by_node[node], (copy,)), g[i])
                for i, node in self._parts(step).items()
                if g[i] is not None
            ]
        found = run_backward(seeds, ends, retain_graph=True)
        return [found.get(end) for end in ends]

    def _slopes(self, step: Step) -> list[Any]:
        """Return what the gradient is multiplied by for each operand, None where it is not."""
        one = np.ones(step.node.shape, step.node.dtype)[()]
        slopes = self._handed_on(step, one)
        if not np.iscomplexobj(one):
            return slopes
        # Complex numbers are multiplied where the operation is holomorphic.
        turned = self._handed_on(step, one * 1j)
        return [
            slope if slope is None or np.allclose(1j * slope, other, equal_nan=True) else None
            for slope, other in zip(slopes, turned, strict=True)
        ]

    def _text(self, step: Step) -> str:
        """Return an operation with what it was given."""
        names = list(map(self._name, step.parents))
        places = dict(zip(step.positions or range(len(names)), names, strict=True))
        primitive = step.plan.primitive
        defaults = getattr(primitive, "defaults", {})
        for i, key, value in step.constants():
            text = shown(value)
            places[i] = f"{key}={text}" if key in defaults else text
        return f"{step.plan.name}({', '.join(places[i] for i in sorted(places))})"

    def _with_numbers(self, step: Step, formula: str, slope: Any) -> str:
        """Return a formula, the same with numbers in it, and the number that it gives."""
        end = shown(np.conj(slope))
        if step.node.shape != () or not re.search(r"[a-z]", formula):
            return formula if formula == end else f"{formula} = {end}"
        values = dict(enumerate(formulas_of(step.plan)))
        numbers = {"out": step.value}
        for position, parent in zip(step.positions, step.parents, strict=False):
            numbers[values.get(position, "")] = self.by_node[parent].value
        for position, _, value in step.constants():
            numbers[values.get(position, "")] = value
        numbers = {k: v for k, v in numbers.items() if v is not None and np.ndim(v) == 0}

        def put(match: re.Match[str]) -> str:
            name = match[0]
            return _factor(numbers[name]) if name in numbers else name

        text = re.sub(r"\b[a-z]\w*\b(?!\()", put, formula)
        text = re.sub(r"\(\(([^()]*)\)\)", r"(\1)", text)
        return " = ".join(
            dict.fromkeys([formula, text.strip("()") if text == f"({end})" else text, end])
        )

    def _paths(self, operations: Sequence[Operation], target: str) -> list[list[Link]] | None:
        """Return the ways from the result to an input, where they are few and of single numbers."""
        by_name = {op.name: op for op in operations}
        done: list[list[Link]] = []
        waiting: list[tuple[str, list[Link]]] = [(self.names[self.root], [])]
        while waiting:
            name, path = waiting.pop()
            if name == target and path:
                done.append(path)
                continue
            links = by_name[name].links if name in by_name else ()
            waiting += [(link.source, [*path, link]) for link in reversed(links)]
            if any(np.ndim(link.slope) or link.slope is None for link in links):
                return None
            if len(done) + len(waiting) > 4 * _PATHS:
                return None
        return done if len(done) <= _PATHS else None


def _copied(step: Step, parents: tuple[Node, ...]) -> Node:
    """Return a node that a backward pass may use up instead of the one of a step."""
    copy = Node()
    copy.number, copy.plan, copy.parents, copy.saved = (
        step.node.number,
        step.plan,
        parents,
        step.saved,
    )
    copy.hooks, copy.shape, copy.dtype = None, step.node.shape, step.node.dtype
    return copy


def _given(gradient: Any, node: Node) -> Any:
    return np.zeros(node.shape, node.dtype)[()] if gradient is None else gradient


def _distinct(steps: Sequence[Step], root: Node) -> dict[Node, str]:
    """Return a name for each value: that of the user, or a number; no name twice."""
    found: dict[Node, str] = {}
    taken: dict[str, int] = {}
    for count, step in enumerate(steps, 1):
        name = step.name or ("y" if step.node is root and "y" not in taken else f"v{count}")
        taken[name] = taken.get(name, 0) + 1
        found[step.node] = name if taken[name] == 1 else f"{name}#{taken[name]}"
    return found


def _factor(value: Any) -> str:
    text = shown(value)
    is_sum = np.ndim(value) == 0 and np.iscomplexobj(value)
    return f"({text})" if is_sum or text.startswith("-") else text


def _of_conjugates(formula: str, step: Step, parent: Node) -> str:
    """Return what becomes of complex gradients, of which a rule takes and gives conjugates."""
    wanted = parent.dtype.kind == "c"
    given = wanted if step.node.dtype is None else step.node.dtype.kind == "c"
    if not given and not wanted:
        return formula
    around = "conj" if wanted else "real"
    return f"{around}(rule({'conj(g)' if given else 'g'})), rule(g) = {formula}"


# -- formulas --------------------------------------------------------------------------------------


def _formulas(step: Step) -> list[tuple[str, str, bool]]:
    """Return, for each operand, its name, the local rule, and whether that is a derivative: what
    the documentation says of the operation, else the text of the rule itself.
    """
    stated = formulas_of(step.plan)
    found = []
    for i, name in enumerate(operand_names(step)):
        formula = stated.get(name)
        if formula is not None:
            found.append((name, formula, not re.search(r"\bg\b", formula)))
        else:
            found.append((name, _rule_of(step, i), False))
    return found + [("", "its rule", False)] * (len(step.parents) - len(found))


def _rule_of(step: Step, i: int) -> str:
    """Return the rule of an operand as it is written."""
    names, primitive = step.plan.operands, step.plan.primitive
    name = names[i] if i < len(names) else ""
    rule = getattr(primitive, "rules", {}).get(name) or getattr(primitive, "joint", None)
    return _text_of(rule)


def _text_of(rule: Callable[..., Any] | None) -> str:
    """Return the expression of a rule that is one, the name and parameters of a longer one."""
    code = getattr(rule, "__code__", None)
    if rule is None or code is None:
        return "its rule"
    text = _span_of(code)
    if rule.__name__ == "<lambda>" and text:
        return text
    if text.startswith("return "):
        return text.removeprefix("return ")
    return f"{rule.__name__.strip('_<>')}({', '.join(inspect.signature(rule).parameters)})"


def _span_of(code: CodeType) -> str:
    """Return the source that the instructions of a function cover, in one line."""
    import linecache

    known: list[Any] = [at for at in code.co_positions() if None not in at]
    spans = [((line, column), (last, end)) for line, last, column, end in known]
    spans = [span for span in spans if span[0] < span[1]]
    if not spans:
        return ""
    (first, begin), (last, end) = min(spans)[0], max(span[1] for span in spans)
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return " ".join(b" ".join(lines).decode().split())
