"""Products with a weight of bytes, each as a network of one node.

The decoder of a few texts does little else than move its weights, and bytes are a quarter of float32: 2 ms instead of 9 for the
logits of 16 texts, 1.2 instead of 6 for all the other products of a step of 9.

The node is onnxruntime's own (``com.microsoft::DynamicQuantizeMatMul``), which brings activations to bytes on the fly, all rows
with one scale. Rows are given to it as parts of their largest number: so what is said in one text hangs on none of those that are
read in step with it. The network is written by hand in ONNX's protocol buffer (onnx.proto3), which spares a dependency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]

FLOAT, UINT8, INT8 = 1, 2, 3  # TensorProto.DataType
OFFSET = 128  # from the stored unsigned bytes to the signed ones that processors multiply fastest
_IR, _OPSET = 8, 17
_LEAST = np.float32(1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A weight as it is stored: ``(values - zero) * scale``."""

    values: npt.NDArray[np.uint8]
    """Shape ``(inputs, outputs)``."""

    scale: Floats
    """For each output, shape ``(outputs,)``."""

    zero: npt.NDArray[np.uint8]
    """For each output."""

    @classmethod
    def beside(cls, weights: Sequence[Stored]) -> Stored:
        """Several weights of one input as one."""
        return cls(
            np.concatenate([it.values for it in weights], axis=1),
            np.concatenate([it.scale for it in weights]),
            np.concatenate([it.zero for it in weights]),
        )


class Product:
    """``rows @ weight + bias``; may be shared by threads."""

    def __init__(self, weight: Stored, bias: Floats | None = None) -> None:
        self._session = _loaded(weight, signed=signed_bytes_are_exact())
        self._bias = bias

    def __call__(self, rows: Floats) -> Floats:
        """``rows`` has shape ``(rows, inputs)``."""
        largest = np.abs(rows).max(axis=1, keepdims=True) + _LEAST
        products: Floats = self._session.run(None, {"a": rows / largest})[0]
        products *= largest
        if self._bias is not None:
            products += self._bias
        return products


@cache
def signed_bytes_are_exact() -> bool:
    """Whether this processor multiplies by signed bytes without loss.

    Those with VNNI or its like do, at twice the speed of unsigned ones; older ones add two products in 16 bits, which overflow.
    """
    loudest = Stored(np.full((64, 16), 255, np.uint8), np.ones(16, np.float32), np.full(16, OFFSET, np.uint8))
    (products,) = _loaded(loudest, signed=True).run(None, {"a": np.ones((1, 64), np.float32)})
    return bool(np.allclose(products, 64 * (255 - OFFSET)))


def _loaded(weight: Stored, *, signed: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(_network(weight, signed=signed), options, providers=["CPUExecutionProvider"])


def _network(weight: Stored, *, signed: bool) -> bytes:
    kind = INT8 if signed else UINT8
    flip = np.uint8(OFFSET if signed else 0)  # the same as to subtract it
    tensors = [
        _tensor("b", weight.values ^ flip, kind),
        _tensor("scale", weight.scale, FLOAT),
        _tensor("zero", weight.zero ^ flip, kind),
    ]
    names = ["a", "b", "scale", "zero"]
    node = [*(_text(1, name) for name in names), _text(2, "y"), _text(4, "DynamicQuantizeMatMul"), _text(7, "com.microsoft")]
    inputs, outputs = weight.values.shape
    graph = [
        _message(1, node),
        _text(2, "product"),
        *(_message(5, tensor) for tensor in tensors),
        _message(11, _value("a", inputs)),
        _message(12, _value("y", outputs)),
    ]
    opsets = [_message(8, [_text(1, domain), _number(2, version)]) for domain, version in (("", _OPSET), ("com.microsoft", 1))]
    return b"".join([_number(1, _IR), _message(7, graph), *opsets])


def _tensor(name: str, values: npt.NDArray[np.uint8] | Floats, kind: int) -> list[bytes]:
    return [*(_number(1, size) for size in values.shape), _number(2, kind), _text(8, name), _octets(9, values.tobytes())]


def _value(name: str, width: int) -> list[bytes]:
    """A matrix of any number of rows."""
    shape = [_message(1, [_text(2, "rows")]), _message(1, [_number(1, width)])]
    return [_text(1, name), _message(2, [_message(1, [_number(1, FLOAT), _message(2, shape)])])]


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _octets(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _octets(field, value.encode())


def _message(field: int, parts: Sequence[bytes]) -> bytes:
    return _octets(field, b"".join(parts))


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])
