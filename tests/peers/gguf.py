"""gguf.py: a random model of GPT-2's shape as a GGUF file, for llama.cpp to be timed on.

Numbers are float32, or bfloat16 in the matrices, as llama.cpp's own converter has them.

The layout is the published one of GGUF version 3: a header, typed key-value
pairs, the tensors' table, then their bytes, each at a multiple of 32.

SPDX-License-Identifier: Apache-2.0"""
import array
import random
import struct

UINT32, FLOAT32, STRING = 4, 6, 8
# Types of tensors, and of files whose matrices are of them.
TENSOR_F32, TENSOR_BF16 = 0, 30
FILE_F32, FILE_BF16 = 0, 32
ALIGNMENT = 32
# Random numbers are drawn once and repeated: what a product takes does not depend on its values.
N_DRAWN = 1 << 18


def pack_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def pack_value(kind, value):
    if kind == STRING:
        return struct.pack("<I", kind) + pack_string(value)
    return struct.pack("<I" + ("f" if kind == FLOAT32 else "I"), kind, value)


def list_metadata(layers, heads, width, vocabulary, context, bf16):
    return [
        ("general.architecture", STRING, "gpt2"),
        ("general.name", STRING, "random"),
        ("general.file_type", UINT32, FILE_BF16 if bf16 else FILE_F32),
        ("gpt2.context_length", UINT32, context),
        ("gpt2.embedding_length", UINT32, width),
        ("gpt2.feed_forward_length", UINT32, 4 * width),
        ("gpt2.block_count", UINT32, layers),
        ("gpt2.attention.head_count", UINT32, heads),
        ("gpt2.attention.layer_norm_epsilon", FLOAT32, 1e-5),
        ("gpt2.vocab_size", UINT32, vocabulary),
        ("tokenizer.ggml.model", STRING, "no_vocab"),
    ]


def list_tensors(layers, width, vocabulary, context):
    """Names and shapes, the fastest-running dimension first."""
    C = width
    tensors = [
        ("token_embd.weight", (C, vocabulary)),
        ("position_embd.weight", (C, context)),
        ("output_norm.weight", (C,)),
        ("output_norm.bias", (C,)),
        ("output.weight", (C, vocabulary)),
    ]
    for layer in range(layers):
        for name, shape in [
            ("attn_norm", (C,)),
            ("attn_qkv", (C, 3 * C)),
            ("attn_output", (C, C)),
            ("ffn_norm", (C,)),
            ("ffn_up", (C, 4 * C)),
            ("ffn_down", (4 * C, C)),
        ]:
            tensors.append((f"blk.{layer}.{name}.weight", shape))
            tensors.append((f"blk.{layer}.{name}.bias", shape[-1:]))
    return tensors


def count(shape):
    n = 1
    for size in shape:
        n *= size
    return n


def align(n):
    return (n + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def is_bf16(name, shape):
    return len(shape) == 2 and not name.startswith("position")


def write_random(path, layers, heads, width, vocabulary, context, bf16=False):
    metadata = list_metadata(layers, heads, width, vocabulary, context, bf16)
    tensors = list_tensors(layers, width, vocabulary, context)
    draw = random.Random(1)
    floats = array.array("f", (draw.gauss(0, 0.02) for _ in range(N_DRAWN))).tobytes()
    # The upper half of a little-endian float32.
    halves = b"".join(floats[i + 2 : i + 4] for i in range(0, len(floats), 4))
    kinds = [TENSOR_BF16 if bf16 and is_bf16(*tensor) else TENSOR_F32 for tensor in tensors]
    sizes = [(2 if kind == TENSOR_BF16 else 4) * count(shape) for kind, (_, shape) in zip(kinds, tensors)]

    with open(path, "wb") as file:
        file.write(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)))
        for key, kind, value in metadata:
            file.write(pack_string(key) + pack_value(kind, value))
        offset = 0
        for (name, shape), kind, size in zip(tensors, kinds, sizes):
            file.write(pack_string(name) + struct.pack("<I", len(shape)))
            file.write(struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset))
            offset += align(size)
        file.write(bytes(align(file.tell()) - file.tell()))
        for kind, size in zip(kinds, sizes):
            drawn, left = halves if kind == TENSOR_BF16 else floats, size
            while left > 0:
                left -= file.write(drawn[: min(left, len(drawn))])
            file.write(bytes(align(size) - size))
