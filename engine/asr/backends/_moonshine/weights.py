"""The decoder's weights, out of the packaged network file.

onnxruntime's own format is a flat buffer; the schema's reader comes with onnxruntime. Weights are stored as bytes with one scale
and one zero point each, and stay so. Names are those of the pinned file: another is refused, not misread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

from engine.asr.backends._moonshine.products import Product, Stored
from engine.core.errors import ModelBroken

Floats = npt.NDArray[np.float32]

LAYERS = 6
_BYTES = {1: np.float32, 2: np.uint8, 3: np.int8}  # onnx.TensorProto.DataType
_FIRST_STEP = b"else_branch"  # of the merged decoder: the one that also makes keys and values of what was heard
_PRODUCTS = frozenset({"MatMulIntegerToFloat", "DynamicQuantizeMatMul"})


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One layer's."""

    norms: tuple[Floats, Floats, Floats]
    """Before the attention to what was said, the attention to what was heard, and the two products; shape ``(288,)`` each."""

    said_in: Product
    """To query, key and value side by side, 3 x 288."""

    said_out: Product
    heard_query: Product
    heard_out: Product

    wide: Product
    """To 2 x 1152; the second half is the gate."""

    narrow: Product


@dataclass(frozen=True, slots=True)
class DecoderWeights:
    """All of them."""

    embedding: Floats
    """Shape ``(32768, 288)``."""

    layers: tuple[LayerWeights, ...]

    heard: Product
    """What was heard to keys and values, layer by layer: 6 x 2 x 288."""

    norm: Floats

    head: Product
    """To the logits of all tokens, 32768."""

    turns: Floats
    """How far each pair of a rotary embedding turns from one place to the next, in radians, shape ``(16,)``."""


def read_weights(path: Path) -> DecoderWeights:
    """Read them.

    Raises:
        ModelBroken: it is not the network that we know.
    """
    try:
        return _weights(_Tensors(path.read_bytes()))
    except (KeyError, AttributeError, IndexError, StopIteration, ValueError) as error:
        raise ModelBroken(f"expected the decoder of Moonshine tiny in {path}, found another network ({error!r})") from error


class _Tensors:
    """Named tensors of the network, and the weight of each product by the place it has in the network."""

    def __init__(self, octets: bytes) -> None:
        graph = InferenceSession.GetRootAs(octets, 0).Model().Graph()
        nodes = [graph.Nodes(place) for place in range(graph.NodesLength())]
        branch = next(it.G() for node in nodes for it in _attributes(node) if it.Name() == _FIRST_STEP)
        self._tensors = {name: tensor for part in (graph, branch) for name, tensor in _initializers(part)}
        self._products = dict(_products(branch))

    def plain(self, name: str) -> npt.NDArray[Any]:
        """A tensor that is stored as it is."""
        tensor = self._tensors[name]
        raw = np.frombuffer(tensor.RawDataAsNumpy().tobytes(), _BYTES[tensor.DataType()])
        return raw.reshape(tensor.DimsAsNumpy()) if tensor.DimsLength() else raw

    def weight(self, place: str) -> Stored:
        """The weight of the product at this place."""
        return self.stored(self._products[place])

    def stored(self, name: str) -> Stored:
        """A tensor that is stored in bytes; ``name`` without its ending."""
        values = self.plain(f"{name}_quantized")
        width = values.shape[1]
        scale, zero = self.plain(f"{name}_scale"), self.plain(f"{name}_zero_point")
        return Stored(values, np.broadcast_to(scale, width).copy(), np.broadcast_to(zero, width).copy())


def _weights(tensors: _Tensors) -> DecoderWeights:
    heard = [tensors.weight(f"layers.{layer}/encoder_attn/{part}_proj") for layer in range(LAYERS) for part in "kv"]
    embedding = tensors.stored("model.decoder.embed_tokens.weight_merged_0")
    return DecoderWeights(
        embedding=(embedding.values.astype(np.float32) - embedding.zero) * embedding.scale,
        layers=tuple(_layer(tensors, layer) for layer in range(LAYERS)),
        heard=Product(Stored.beside(heard)),
        norm=tensors.plain("model.decoder.norm.weight_merged_0"),
        head=Product(tensors.weight("logits")),
        turns=tensors.plain("onnx::Expand_219").reshape(-1),
    )


def _layer(tensors: _Tensors, layer: int) -> LayerWeights:
    at, named = f"layers.{layer}", f"model.decoder.layers.{layer}"
    first, second, third = ("input_layernorm", "post_attention_layernorm", "final_layernorm")
    return LayerWeights(
        norms=(
            tensors.plain(f"{named}.{first}.weight_merged_0"),
            tensors.plain(f"{named}.{second}.weight_merged_0"),
            tensors.plain(f"{named}.{third}.weight_merged_0"),
        ),
        said_in=Product(Stored.beside([tensors.weight(f"{at}/self_attn/{part}_proj") for part in "qkv"])),
        said_out=Product(tensors.weight(f"{at}/self_attn/o_proj")),
        heard_query=Product(tensors.weight(f"{at}/encoder_attn/q_proj")),
        heard_out=Product(tensors.weight(f"{at}/encoder_attn/o_proj")),
        wide=Product(tensors.weight(f"{at}/mlp/fc1"), tensors.plain(f"{named}.mlp.fc1.bias_merged_0")),
        narrow=Product(tensors.weight(f"{at}/mlp/fc2"), tensors.plain(f"{named}.mlp.fc2.bias_merged_0")),
    )


def _attributes(node: Any) -> Iterator[Any]:
    return (node.Attributes(place) for place in range(node.AttributesLength()))


def _initializers(graph: Any) -> Iterator[tuple[str, Any]]:
    for place in range(graph.InitializersLength()):
        tensor = graph.Initializers(place)
        yield tensor.Name().decode(), tensor


def _products(graph: Any) -> Iterator[tuple[str, str]]:
    """``layers.0/mlp/fc1`` and the name of its weight."""
    for place in range(graph.NodesLength()):
        node = graph.Nodes(place)
        if node.OpType().decode() in _PRODUCTS:
            weight = node.Inputs(1).decode().removesuffix("_quantized")
            output = node.Outputs(0).decode().removeprefix("/model/decoder/")
            yield output.removesuffix("/MatMul_output_0").removesuffix("/Add_output_0"), weight
