"""Products with a weight of bytes, each as a network of one node.

The decoder of a few texts does little else than move its weights, and bytes are a quarter of float32: 2 ms instead of 9 for the
logits of 16 texts.

The node is onnxruntime's own (``com.microsoft::DynamicQuantizeMatMul``): activations are brought to bytes on the fly, all rows
with one scale, as in the packaged network. The network is written by hand in ONNX's protocol buffer (onnx.proto3), which spares a
dependency. :class:`PlainProduct` is the same in float32: dearer, and more exact where rows differ much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]

_FLOAT, _INT8 = 1, 3  # TensorProto.DataType
_IR, _OPSET = 8, 17
_OFFSET = 128  # from the stored unsigned bytes to the signed ones that the processor multiplies fastest


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
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(_network(weight, bias), options, providers=["CPUExecutionProvider"])

    def __call__(self, rows: Floats) -> Floats:
        """``rows`` has shape ``(rows, inputs)``."""
        products: Floats = self._session.run(None, {"a": rows})[0]
        return products


class PlainProduct:
    """The same in float32."""

    def __init__(self, weight: Stored, bias: Floats | None = None) -> None:
        self._weight = (weight.values.astype(np.float32) - weight.zero) * weight.scale
        self._bias = np.float32(0.0) if bias is None else bias

    def __call__(self, rows: Floats) -> Floats:
        """``rows`` has shape ``(rows, inputs)``."""
        products: Floats = rows @ self._weight + self._bias
        return products


def _network(weight: Stored, bias: Floats | None) -> bytes:
    signed = (weight.values.astype(np.int16) - _OFFSET).astype(np.int8)
    zero = (weight.zero.astype(np.int16) - _OFFSET).astype(np.int8)
    tensors = [_tensor("b", signed, _INT8), _tensor("scale", weight.scale, _FLOAT), _tensor("zero", zero, _INT8)]
    if bias is not None:
        tensors.append(_tensor("bias", bias, _FLOAT))
    names = ["a", "b", "scale", "zero", *(["bias"] if bias is not None else [])]
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


def _tensor(name: str, values: npt.NDArray[np.int8] | Floats, kind: int) -> list[bytes]:
    return [*(_number(1, size) for size in values.shape), _number(2, kind), _text(8, name), _octets(9, values.tobytes())]


def _value(name: str, width: int) -> list[bytes]:
    """A matrix of any number of rows."""
    shape = [_message(1, [_text(2, "rows")]), _message(1, [_number(1, width)])]
    return [_text(1, name), _message(2, [_message(1, [_number(1, _FLOAT), _message(2, shape)])])]


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
