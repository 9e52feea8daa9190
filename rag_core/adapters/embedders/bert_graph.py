"""A BERT encoder as an ONNX graph, built from its weights: word pieces in, unit vectors out.

The layers are those of Devlin et al. 2018 (arXiv:1810.04805), their weights named as Hugging Face
names them; mean pooling over the mask and unit length, as sentence-transformers does them.

In int8 the dense layers multiply bytes (Jacob et al. 2018, arXiv:1712.05877): each column of
weights has a scale of its own, fixed when the graph is built, and what is multiplied with them has
one for the whole tensor, found as it runs. So a text's vector depends on what else is in its batch:
each is to be run alone. Attention, norms and the table of words stay in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper
from safetensors import SafetensorError
from safetensors.numpy import load_file

from rag_core.adapters.embedders.model_files import SETTING, WEIGHTS, Precision, read_json
from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto

OPSET = 17
_MOST = 63
"""Seven bits of the eight: processors that add two products of bytes in 16 bits (AVX2, AVX-512
without VNNI) do not overflow, 2 * 255 * 63. So all have the same sums: one digest is one space."""
_IR_VERSION = 8  # the one of opset 17, so that older runtimes load it too
_KEY = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
_FIX = "Use RAG_EMBEDDER_BACKEND=torch for it, or choose a BERT model such as all-MiniLM-L6-v2"


def bert_graph(folder: Path, precision: Precision = Precision.FP32) -> ModelProto:
    """The model in `folder` as a graph of opset 17.

    int64[n, length] `input_ids` and `attention_mask` -> float32[n, size] `vectors`, unit length.

    Raises:
        ConfigurationError: it is not a BERT encoder, or its weights cannot be read.
    """
    config = read_json(folder / "config.json")
    for name, wanted in _KEY.items():
        if config.get(name, wanted if name != "model_type" else None) != wanted:
            raise _not_bert(folder, f"{name} is {config.get(name)!r}, not {wanted!r}")
    try:
        return _Graph(load_file(folder / WEIGHTS), config, precision).model()
    except SafetensorError as error:
        raise ConfigurationError(SETTING, f"{folder / WEIGHTS} cannot be read: {error}") from error
    except KeyError as error:
        raise _not_bert(folder, f"there is no {error}") from error


def _not_bert(folder: Path, why: str) -> ConfigurationError:
    return ConfigurationError(SETTING, f"{folder} cannot be run by onnxruntime: {why}", _FIX)


class _Graph:
    """Nodes and constants as they are added; every method returns the name of what it made."""

    def __init__(
        self,
        weights: dict[str, NDArray[np.generic]],
        config: dict[str, object],
        precision: Precision,
    ) -> None:
        self._weights, self._precision = weights, precision
        self._layers = _whole(config, "num_hidden_layers")
        self._heads = _whole(config, "num_attention_heads")
        self._size = _whole(config, "hidden_size")
        self._epsilon = float(str(config.get("layer_norm_eps", 1e-12)))
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, NDArray[np.generic]] = {}
        self._in_bytes: dict[str, tuple[str, str, str]] = {}
        """Of what was turned into bytes: those, their scale and their zero."""

    def model(self) -> ModelProto:
        mask = self._op("Cast", "attention_mask", to=TensorProto.FLOAT)
        bias = self._mask_bias(mask)
        states = self._embeddings()
        for layer in range(self._layers):
            states = self._layer(f"encoder.layer.{layer}", states, bias)
        self._unit_length(self._mean(states, mask))
        return self._checked()

    def _embeddings(self) -> str:
        words = self._op("Gather", self._weight("embeddings.word_embeddings.weight"), "input_ids")
        # Every text is a first segment: its row is the same for all pieces.
        positions = self._constant(
            "positions",
            self._array("embeddings.position_embeddings.weight")
            + self._array("embeddings.token_type_embeddings.weight")[0],
        )
        length = self._op("Shape", "input_ids", start=1, end=2)
        placed = self._op("Slice", positions, self._whole("first", 0), length)
        return self._normed("embeddings.LayerNorm", self._op("Add", words, placed))

    def _mask_bias(self, mask: str) -> str:
        """float32[n, 1, 1, length]: 0 where there is a piece, the least float where padding is."""
        padding = self._op("Sub", self._scalar("one", 1.0), mask)
        least = self._scalar("least", float(np.finfo(np.float32).min))
        return self._op("Unsqueeze", self._op("Mul", padding, least), self._whole("axes_1_2", 1, 2))

    def _layer(self, name: str, states: str, bias: str) -> str:
        attended = self._attention(f"{name}.attention.self", states, bias)
        attended = self._dense(f"{name}.attention.output.dense", attended)
        states = self._normed(
            f"{name}.attention.output.LayerNorm", self._op("Add", attended, states)
        )
        widened = self._gelu(self._dense(f"{name}.intermediate.dense", states))
        narrowed = self._dense(f"{name}.output.dense", widened)
        return self._normed(f"{name}.output.LayerNorm", self._op("Add", narrowed, states))

    def _attention(self, name: str, states: str, bias: str) -> str:
        query, value = (self._by_head(f"{name}.{part}", states) for part in ("query", "value"))
        key = self._by_head(f"{name}.key", states, order=(0, 2, 3, 1))
        root = self._scalar("root", (self._size // self._heads) ** 0.5)
        scores = self._op("Div", self._op("MatMul", query, key), root)
        shares = self._op("Softmax", self._op("Add", scores, bias), axis=-1)
        mixed = self._op("Transpose", self._op("MatMul", shares, value), perm=(0, 2, 1, 3))
        return self._op("Reshape", mixed, self._whole("joined", 0, 0, self._size))

    def _by_head(self, name: str, states: str, order: Sequence[int] = (0, 2, 1, 3)) -> str:
        split = self._whole("split", 0, 0, self._heads, self._size // self._heads)
        parts = self._op("Reshape", self._dense(name, states), split)
        return self._op("Transpose", parts, perm=order)

    def _dense(self, name: str, states: str) -> str:
        weight = self._array(f"{name}.weight").T
        if self._precision is Precision.INT8:
            product = self._byte_product(f"{name}.weight", states, weight)
        else:
            product = self._op("MatMul", states, self._constant(f"{name}.weight", weight))
        return self._op("Add", product, self._weight(f"{name}.bias"))

    def _byte_product(self, name: str, states: str, weight: NDArray[np.float32]) -> str:
        """Whole numbers -63 to 63 for each column of the weights, 0 standing for 0."""
        columns = np.maximum(np.abs(weight).max(axis=0), np.finfo(np.float32).tiny) / _MOST
        rounded = self._constant(name, np.rint(weight / columns).astype(np.int8))
        zeros = self._constant(f"{name}.zeros", np.zeros(len(columns), np.int8))
        if states not in self._in_bytes:
            self._in_bytes[states] = self._dynamically_quantised(states)
        bytes_, scale, zero = self._in_bytes[states]
        product = self._op("MatMulInteger", bytes_, rounded, zero, zeros)
        scales = self._op("Mul", scale, self._constant(f"{name}.scales", columns))
        return self._op("Mul", self._op("Cast", product, to=TensorProto.FLOAT), scales)

    def _dynamically_quantised(self, states: str) -> tuple[str, str, str]:
        made = (f"{states}_bytes", f"{states}_scale", f"{states}_zero")
        self._nodes.append(helper.make_node("DynamicQuantizeLinear", [states], made))
        return made

    def _normed(self, name: str, states: str) -> str:
        scale, shift = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._op("LayerNormalization", states, scale, shift, epsilon=self._epsilon)

    def _gelu(self, states: str) -> str:
        """x / 2 * (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel 2016, arXiv:1606.08415)."""
        error = self._op("Erf", self._op("Div", states, self._scalar("root_2", 2**0.5)))
        doubled = self._op("Mul", states, self._op("Add", error, self._scalar("one", 1.0)))
        return self._op("Mul", doubled, self._scalar("half", 0.5))

    def _mean(self, states: str, mask: str) -> str:
        pieces = self._op("Unsqueeze", mask, self._whole("axis_2", 2))
        axis = self._whole("axis_1", 1)
        total = self._op("ReduceSum", self._op("Mul", states, pieces), axis, keepdims=0)
        return self._op("Div", total, self._op("ReduceSum", pieces, axis, keepdims=0))

    def _unit_length(self, means: str) -> None:
        length = self._op("ReduceL2", means, axes=(1,), keepdims=1)
        longer = self._op("Max", length, self._scalar("tiny", 1e-12))
        self._nodes.append(helper.make_node("Div", [means, longer], ["vectors"]))

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _weight(self, name: str) -> str:
        return self._constant(name, self._array(name))

    def _array(self, name: str) -> NDArray[np.float32]:
        return self._weights[name].astype(np.float32)

    def _scalar(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def _whole(self, name: str, *values: int) -> str:
        return self._constant(name, np.array(values, np.int64))

    def _constant(self, name: str, values: NDArray[np.generic]) -> str:
        self._constants[name] = np.ascontiguousarray(values) if values.ndim else values
        return name

    def _checked(self) -> ModelProto:
        given = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "pieces"])
            for name in ("input_ids", "attention_mask")
        ]
        made = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", self._size])
        constants = [numpy_helper.from_array(value, key) for key, value in self._constants.items()]
        graph = helper.make_graph(self._nodes, "sentence-embedder", given, [made], constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR_VERSION
        )
        checker.check_model(model)
        return model


def _whole(config: dict[str, object], name: str) -> int:
    value = config[name]
    if not isinstance(value, int) or value < 1:
        raise KeyError(f"{name} above 0")
    return value
