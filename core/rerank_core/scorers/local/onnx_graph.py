"""What a cross-encoder's graph computes for nothing, taken out before onnxruntime gets it.

A cross-encoder looks at one place of its last layer, the first token's. Yet exporters write what
the training code says: the last layer is computed for every token, and one row of it is kept. All
that comes after the last attention works on each token by itself, so the row can be taken before
it: 3/4 of the last layer's products are saved, an eighth of a model of six layers.

Newer exporters also guard every softmax against rows of nothing but padding. A text that is a
batch of its own has no padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .onnx_format import Model, integer, new_node

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: Operators that treat each token of (batch, token, feature) by itself, where the other inputs
#: are the same for all tokens. ReduceMean, LayerNormalization: over the features, see `_by_token`.
_BY_TOKEN = frozenset(
    {
        *("Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Erf", "Tanh", "Relu", "Sigmoid"),
        *("Gelu", "FastGelu", "BiasGelu", "Cast", "Identity", "Dropout"),
        *("LayerNormalization", "SkipLayerNormalization", "ReduceMean"),
        *("MatMul", "MatMulInteger"),
        *("DynamicQuantizeLinear", "QuantizeLinear", "DequantizeLinear"),
    }
)
#: Operators that make a tensor of that shape, of which one token can be taken.
_WHOLE = frozenset(
    {
        *("Add", "Mul", "Reshape", "LayerNormalization", "SkipLayerNormalization"),
        *("Attention", "QAttention", "MultiHeadAttention"),
    }
)


def prune_graph(file: Buffer) -> bytes | None:
    """The same model with less to compute for one unpadded text; None if nothing can be left out.

    In fp32 its output is the same. In int8 the scale of an activation is taken over the one row
    and not over all of them, so the output differs within what int8 loses anyway.
    """
    model = Model(file)
    graph = _Graph(model)
    unguarded, first = graph.drop_nan_guards(), graph.take_first_token_early()
    return bytes(model) if unguarded or first else None


class _Graph:
    """A graph with its producers and consumers at hand."""

    def __init__(self, model: Model) -> None:
        self.model, self.graph = model, model.graph
        self._index()

    def _index(self) -> None:
        nodes = list(self.graph.node)
        self.producers = {name: node for node in nodes for name in node.output if name}
        self.consumers: dict[str, list[Any]] = {}
        for node in nodes:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self.outputs = {value.name for value in self.graph.output}
        self.constants = self.model.small | {
            node.output[0]: attribute.t
            for node in nodes
            if node.op_type == "Constant"
            for attribute in node.attribute
            if attribute.name == "value"
        }
        # what is computed of constants alone is constant too, and comes after them
        self.fixed = self.constants.keys() | self.model.weights
        for node in nodes:
            if node.input and all(name in self.fixed or not name for name in node.input):
                self.fixed.update(node.output)

    def drop_nan_guards(self) -> bool:
        """Where(IsNaN(x), constant, x) becomes x. Whether there was any."""
        guards = [node for node in self.graph.node if self._is_nan_guard(node)]
        for guard in guards:
            for node in self.consumers.get(guard.output[0], ()):
                _rename(node, {guard.output[0]: guard.input[2]})
        gone = {name for guard in guards for name in (guard.output[0], guard.input[0])}
        if gone:
            self._replace(node for node in self.graph.node if node.output[0] not in gone)
        return bool(gone)

    def _is_nan_guard(self, node: Any) -> bool:
        if node.op_type != "Where" or node.output[0] in self.outputs:
            return False
        test = self.producers.get(node.input[0])
        return (
            test is not None
            and test.op_type == "IsNaN"
            and test.input[0] == node.input[2]
            and self.consumers[test.output[0]] == [node]
            and node.input[1] in self.fixed
        )

    def take_first_token_early(self) -> bool:
        """Take the first token where the last attention ends. Whether that was possible."""
        for node in self.graph.node:
            if self._takes_first_token(node) and (cone := self._cone(node)):
                edge = set(self._edge(cone))
                if all(self.producers[name].op_type in _WHOLE for name in edge):
                    self._slice(edge, cone)
                    return True
        return False

    def _takes_first_token(self, node: Any) -> bool:
        if node.op_type != "Gather" or _attribute(node, "axis", 0) != 1:
            return False
        index = self.constants.get(node.input[1])
        return index is not None and not index.dims and integer(index) == 0

    def _cone(self, last: Any) -> list[Any]:
        """The nodes ahead of it that work token by token, and for nothing else but it."""
        cone: list[Any] = []
        members = {last.output[0]}  # nodes go by their first output
        for node in reversed(_sorted(self.graph.node)):
            users = [user for name in node.output for user in self.consumers.get(name, ())]
            if (
                users
                and all(user.output[0] in members for user in users)
                and not self.outputs.intersection(node.output)
                and self._by_token(node)
            ):
                cone.append(node)
                members.add(node.output[0])
        return cone

    def _by_token(self, node: Any) -> bool:
        if node.op_type not in _BY_TOKEN or all(name in self.fixed for name in node.input):
            return False
        if node.op_type in ("MatMul", "MatMulInteger"):
            return node.input[1] in self.fixed
        if node.op_type == "LayerNormalization":
            return _attribute(node, "axis", -1) in (-1, 2)
        if node.op_type == "ReduceMean":
            return self._axes(node) in ([-1], [2])
        return True

    def _axes(self, node: Any) -> list[int]:
        for attribute in node.attribute:
            if attribute.name == "axes":
                return list(attribute.ints)
        given = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        return [] if given is None else [integer(given)]

    def _edge(self, cone: Iterable[Any]) -> Iterator[str]:
        inside = {name for node in cone for name in node.output}
        for node in cone:
            for name in node.input:
                if name in self.producers and name not in inside | self.fixed:
                    yield name

    def _slice(self, edge: Iterable[str], cone: Iterable[Any]) -> None:
        bounds = ["first_token/start", "first_token/end"]  # 1 is the end and the axis
        for position, name in enumerate(bounds):
            self.model.add_integer(name, position)
        taken = {name: f"{name}/first_token" for name in edge}
        for node in cone:
            _rename(node, taken)
        slices = [
            new_node("Slice", [name, *bounds, bounds[1]], only) for name, only in taken.items()
        ]
        self._replace(_sorted([*self.graph.node, *slices]))

    def _replace(self, nodes: Iterable[Any]) -> None:
        self.model.replace_nodes(nodes)
        self._index()


def _sorted(nodes: Iterable[Any]) -> list[Any]:
    """The nodes, each after those that it reads from."""
    nodes = list(nodes)
    producers = {name: node for node in nodes for name in node.output if name}
    ready: dict[str, Any] = {}
    for start in nodes:
        path = [start]
        while path:
            node = path[-1]
            ahead = [
                producers[name]
                for name in node.input
                if name in producers and producers[name].output[0] not in ready
            ]
            if ahead and node.output[0] not in ready:
                path.extend(ahead)
            else:
                ready.setdefault(node.output[0], node)
                path.pop()
    return list(ready.values())


def _rename(node: Any, names: Mapping[str, str]) -> None:
    for position, name in enumerate(node.input):
        if name in names:
            node.input[position] = names[name]


def _attribute(node: Any, name: str, default: int) -> int:
    return next((int(one.i) for one in node.attribute if one.name == name), default)
