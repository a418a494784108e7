#!/usr/bin/env python3
"""Larger shapes, GPT-2 124M's among them, whose weights are a formula.

Both sides work out weights and tokens from the formula below, so that only what follows from them
is kept, in shapes/NAME.json: log-probabilities and entropies of every label, some logits of every
token, each gradient tensor's length and its products with four random vectors of signs, and the
loss before each step of AdamW. The model itself is that of gpt2_vectors.py: PyTorch in float64.

SPDX-License-Identifier: Apache-2.0
"""

import json
import math
import sys

import numpy
import torch

from gpt2_vectors import HERE, label_rows, all_logits, loss_curve, shapes, write_json

ADAMW = dict(beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.1, n_steps=50)
N_LOGITS = 8  # of each token
N_SIGNS = 4  # vectors of signs for each gradient tensor

# Untied, and nothing a round number; the shape of a small model that is trained here; GPT-2's.
SHAPES = {
    "odd": dict(
        config=dict(
            vocab_size=1009,
            n_positions=70,
            n_embd=60,
            n_layer=3,
            n_head=5,
            n_inner=100,
            layer_norm_epsilon=1e-3,
            tie_word_embeddings=False,
        ),
        lengths=[70, 1, 13, 33],
        matrix_std=0.13,
        learning_rate=1e-3,
    ),
    "small256": dict(
        config=dict(vocab_size=4096, n_positions=256, n_embd=256, n_layer=6, n_head=8),
        lengths=[256, 17, 64],
        matrix_std=0.06,
        learning_rate=2e-4,
    ),
    "gpt2-124m": dict(
        config=dict(vocab_size=50257, n_positions=1024, n_embd=768, n_layer=12, n_head=12),
        lengths=[129, 31, 2],
        matrix_std=0.04,
        learning_rate=3e-4,
    ),
}


# --- The formula -------------------------------------------------------------


def mix(x):
    """The finishing step of SplitMix64 (Steele, Lea and Flood 2014), on arrays of 64 bits."""
    x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return x ^ (x >> numpy.uint64(31))


def draws(stream, n):
    """Draw i of a stream is mix(mix(stream) + i)."""
    key = mix(numpy.array([stream], dtype=numpy.uint64))
    return mix(key + numpy.arange(n, dtype=numpy.uint64))


def normal_draws(stream, n):
    """The sum of a draw's four 16-bit parts, as nearly normal as is needed: whole numbers, exact."""
    bits = draws(stream, n)
    parts = [(bits >> numpy.uint64(16 * i)) & numpy.uint64(0xFFFF) for i in range(4)]
    return (sum(parts).astype(numpy.int64) - 131070) / 37837.0


TOKENS, LOGITS, WEIGHTS, SIGNS = 1, 2, 1000, 1000000  # streams; tensor i adds i to the last two


def make_parameters(shape):
    tensors = list(shapes(shape["config"]))
    if not shape["config"].get("tie_word_embeddings", True):
        tensors.append(("lm_head.weight", tensors[0][1]))
    parameters = {}
    for i, (name, size) in enumerate(tensors):
        noise = normal_draws(WEIGHTS + i, math.prod(size))
        if "ln_" in name and name.endswith("weight"):
            value = 1 + 0.1 * noise
        elif name.endswith("bias"):
            value = 0.05 * noise
        else:
            value = shape["matrix_std"] * noise
        value = value.astype(numpy.float32).astype(numpy.float64)
        parameters[name] = torch.from_numpy(value.reshape(size)).requires_grad_()
    return parameters


def make_sequences(shape):
    n = sum(shape["lengths"])
    tokens = draws(TOKENS, n) % numpy.uint64(shape["config"]["vocab_size"])
    return list(torch.from_numpy(tokens.astype(numpy.int64)).split(shape["lengths"]))


# --- The figures -------------------------------------------------------------


def short(values):
    """Ten digits: a thousand times finer than what is compared."""
    return [float(f"{value:.10g}") for value in values]


def sample_logits(logits, shape):
    rows = torch.cat(logits).detach().numpy()
    at = draws(LOGITS, rows.shape[0] * N_LOGITS) % numpy.uint64(shape["config"]["vocab_size"])
    at = at.astype(numpy.int64).reshape(-1, N_LOGITS)
    return short(numpy.take_along_axis(rows, at, axis=1).flatten().tolist())


def summarise_gradient(gradient, i):
    """Its length, then its products with the vectors of signs: bit j of draw k is the sign of
    element k in vector j."""
    flat = gradient.numpy().flatten()
    bits = draws(SIGNS + i, flat.size)
    figures = [math.sqrt((flat * flat).sum())]
    for j in range(N_SIGNS):
        minus = ((bits >> numpy.uint64(j)) & numpy.uint64(1)).astype(bool)
        figures.append(flat.sum() - 2 * flat[minus].sum())
    return short(figures)


def write_shape(name, shape):
    config = shape["config"]
    p = make_parameters(shape)
    sequences = make_sequences(shape)
    logits = all_logits(sequences, p, config)
    logprobs, entropies = label_rows(sequences, logits, 1.0)
    loss = -logprobs.mean()
    loss.backward()
    adamw = dict(learning_rate=shape["learning_rate"], **ADAMW)
    (HERE / "shapes").mkdir(exist_ok=True)
    write_json(
        HERE / "shapes" / f"{name}.json",
        dict(
            torch=torch.__version__,
            config=config,
            lengths=shape["lengths"],
            matrix_std=shape["matrix_std"],
            logits=sample_logits(logits, shape),
            logprobs=short(logprobs.tolist()),
            entropies=short(entropies.tolist()),
            loss=loss.item(),
            gradients={key: summarise_gradient(value.grad, i) for i, (key, value) in enumerate(p.items())},
            adamw=adamw,
            loss_curve=short(loss_curve(sequences, p, config, adamw)),
        ),
    )


for name in sys.argv[1:] or SHAPES:
    write_shape(name, SHAPES[name])
