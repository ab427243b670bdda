"""ONNX files taken apart and put together again, weights unread.

The format is that of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. The few fields that
matter here are declared below; everything else passes through. So this needs protobuf, and not the
28 MB of the onnx package; and as the weights are handed on as they stand in the file, a model takes
a fifth of a second and one copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: ONNX's number for 64-bit integers.
_INT64 = 7
#: Field numbers: the graph of a model, an initializer (a weight) of a graph, the name of a tensor.
_GRAPH, _INITIALIZER, _NAME = 7, 5, 8
#: Weights of more bytes than this are not looked into: they are no index and no axis.
_SMALL = 256


class Model:
    """A model: `graph` with nodes and outputs to read and change, and its weights beside it."""

    def __init__(self, file: Buffer) -> None:
        data = memoryview(file)
        ((start, end),) = (part.value for part in _parts(data) if part.number == _GRAPH)
        self._around = [
            data[part.start : part.end] for part in _parts(data) if part.number != _GRAPH
        ]
        graph = data[start:end]
        parts = list(_parts(graph))
        self._weights = [graph[slice(*p.value)] for p in parts if p.number == _INITIALIZER]
        rest = b"".join(graph[p.start : p.end] for p in parts if p.number != _INITIALIZER)
        self.graph = _messages()["Graph"].FromString(rest)
        named = dict(map(_named, self._weights))
        #: The names of all weights.
        self.weights = named.keys()
        #: Weights by name that are small enough to be an index or an axis.
        self.small = {name: tensor for name, tensor in named.items() if tensor is not None}

    def add_integer(self, name: str, value: int) -> None:
        """A weight more: a list of one integer."""
        self.graph.initializer.add(
            name=name, dims=[1], data_type=_INT64, raw_data=value.to_bytes(8, "little")
        )

    def replace_nodes(self, nodes: Iterable[Any]) -> None:
        """Have these nodes and no others."""
        copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
        del self.graph.node[:]
        self.graph.node.extend(copies)

    def __bytes__(self) -> bytes:
        graph = [self.graph.SerializeToString()]
        for weight in self._weights:
            graph += [_head(_INITIALIZER, len(weight)), weight]
        return b"".join([*self._around, _head(_GRAPH, sum(map(len, graph))), *graph])


def new_node(operator: str, inputs: list[str], output: str) -> Any:
    """A node that makes one output, of whose name it is."""
    return _messages()["Node"](input=inputs, output=[output], name=output, op_type=operator)


def integer(tensor: Any) -> int:
    """The value of a tensor that holds one 64-bit integer."""
    if tensor.int64_data:
        return int(tensor.int64_data[0])
    return int.from_bytes(tensor.raw_data[:8], "little", signed=True)


class _Part(NamedTuple):
    """One field of a message: its number, where it starts and ends, and its value within it."""

    number: int
    start: int
    end: int
    value: tuple[int, int]


def _parts(data: memoryview) -> Iterator[_Part]:
    """The fields of a message as it stands in a file.

    https://protobuf.dev/programming-guides/encoding/
    """
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        kind, begin = tag & 7, at
        if kind == 2:
            size, begin = _varint(data, at)
            at = begin + size
        elif kind == 0:
            _, at = _varint(data, at)
        else:
            at += {1: 8, 5: 4}[kind]
        yield _Part(tag >> 3, start, at, (begin, at))


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _head(number: int, size: int) -> bytes:
    """What stands before a field that is so many bytes long."""
    said = bytearray()
    for value in (number << 3 | 2, size):
        while value > 0x7F:
            said.append(value & 0x7F | 0x80)
            value >>= 7
        said.append(value)
    return bytes(said)


def _named(weight: memoryview) -> tuple[str, Any]:
    """A weight's name, and the tensor itself if it is small."""
    if len(weight) <= _SMALL:
        tensor = _messages()["Tensor"].FromString(bytes(weight))
        return tensor.name, tensor
    names = [part.value for part in _parts(weight) if part.number == _NAME]
    return bytes(weight[slice(*names[-1])]).decode(), None


@cache
def _messages() -> Mapping[str, Any]:
    """The few messages and fields of the format that are read or written here."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    kinds = {"bytes": field.TYPE_BYTES, "string": field.TYPE_STRING, "int": field.TYPE_INT64}
    declared: Mapping[str, Mapping[str, tuple[int, str]]] = {
        "Tensor": {
            "dims": (1, "int*"),
            "data_type": (2, "int"),
            "int64_data": (7, "int*"),
            "name": (_NAME, "string"),
            "raw_data": (9, "bytes"),
        },
        "Attribute": {
            "name": (1, "string"),
            "i": (3, "int"),
            "t": (5, "Tensor"),
            "ints": (8, "int*"),
        },
        "Node": {
            "input": (1, "string*"),
            "output": (2, "string*"),
            "name": (3, "string"),
            "op_type": (4, "string"),
            "attribute": (5, "Attribute*"),
        },
        "Value": {"name": (1, "string")},
        "Graph": {
            "node": (1, "Node*"),
            "initializer": (_INITIALIZER, "Tensor*"),
            "output": (12, "Value*"),
        },
    }
    file = descriptor_pb2.FileDescriptorProto(name="onnx_subset", package="onnx_subset")
    for message, fields in declared.items():
        made = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            many, kind = kind.endswith("*"), kind.rstrip("*")
            one = made.field.add(name=name, number=number)
            one.label = field.LABEL_REPEATED if many else field.LABEL_OPTIONAL
            one.type = kinds.get(kind, field.TYPE_MESSAGE)
            if kind not in kinds:
                one.type_name = f".onnx_subset.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    found = (pool.FindMessageTypeByName(f"onnx_subset.{name}") for name in declared)
    return dict(zip(declared, map(message_factory.GetMessageClass, found), strict=True))
