#!/usr/bin/env python3
"""GPT-2 in plain PyTorch, in float64, and what it makes of two small random models.

Writes, beside this file, gpt2-tiny (a language model) and gpt2-tiny-score (a reward model): the
model as a Hugging Face directory, and the figures that Laurel must reproduce. Written from the
published description of GPT-2; it uses no model library and nothing of Laurel.

SPDX-License-Identifier: Apache-2.0
"""

import json
import math
import pathlib
import struct

import torch

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent

LM = dict(vocab_size=97, n_positions=32, n_embd=48, n_layer=2, n_head=4)
SCORE = dict(vocab_size=61, n_positions=24, n_embd=32, n_layer=1, n_head=2)
LENGTHS = [11, 32, 2]  # ragged: one sequence fills the context, one is as short as can be
SCORE_LENGTHS = [7, 24, 1]
SCORE_COEFFICIENTS = [1.0, -2.0, 0.5]
TEMPERATURE = 0.7
ADAMW = dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.1, n_steps=50)


# --- The model ---------------------------------------------------------------


def shapes(config):
    """Names and shapes of the trunk, in Hugging Face's Conv1D layout: (inputs, outputs)."""
    c = config["n_embd"]
    inner = config.get("n_inner", 4 * c)
    yield "wte.weight", (config["vocab_size"], c)
    yield "wpe.weight", (config["n_positions"], c)
    for layer in range(config["n_layer"]):
        h = f"h.{layer}."
        yield h + "ln_1.weight", (c,)
        yield h + "ln_1.bias", (c,)
        yield h + "attn.c_attn.weight", (c, 3 * c)
        yield h + "attn.c_attn.bias", (3 * c,)
        yield h + "attn.c_proj.weight", (c, c)
        yield h + "attn.c_proj.bias", (c,)
        yield h + "ln_2.weight", (c,)
        yield h + "ln_2.bias", (c,)
        yield h + "mlp.c_fc.weight", (c, inner)
        yield h + "mlp.c_fc.bias", (inner,)
        yield h + "mlp.c_proj.weight", (inner, c)
        yield h + "mlp.c_proj.bias", (c,)
    yield "ln_f.weight", (c,)
    yield "ln_f.bias", (c,)


def random_parameters(config, generator):
    """Larger than a trained start would be, so that attention is uneven and every gradient counts.

    Values are rounded to float32: what is computed with is exactly what the file holds.
    """
    parameters = {}
    for name, shape in shapes(config):
        noise = torch.randn(shape, generator=generator)
        if "ln_" in name and name.endswith("weight"):
            value = 1 + 0.1 * noise
        elif name.endswith("bias"):
            value = 0.05 * noise
        else:
            value = 0.15 * noise
        parameters[name] = value.float().double().requires_grad_()
    return parameters


def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + epsilon) * weight + bias


def gelu_new(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def attention(x, p, h, n_head):
    t, c = x.shape
    size = c // n_head
    q, k, v = (x @ p[h + "attn.c_attn.weight"] + p[h + "attn.c_attn.bias"]).split(c, dim=1)
    out = []
    future = torch.ones(t, t).triu(1).bool()
    for head in range(n_head):
        part = slice(head * size, (head + 1) * size)
        scores = q[:, part] @ k[:, part].T / math.sqrt(size)
        weights = torch.softmax(scores.masked_fill(future, -math.inf), dim=1)
        out.append(weights @ v[:, part])
    return torch.cat(out, dim=1) @ p[h + "attn.c_proj.weight"] + p[h + "attn.c_proj.bias"]


def mlp(x, p, h):
    x = gelu_new(x @ p[h + "mlp.c_fc.weight"] + p[h + "mlp.c_fc.bias"])
    return x @ p[h + "mlp.c_proj.weight"] + p[h + "mlp.c_proj.bias"]


def hidden_states(tokens, p, config):
    def norm(x, name):
        epsilon = config.get("layer_norm_epsilon", 1e-5)
        return layer_norm(x, p[name + ".weight"], p[name + ".bias"], epsilon)

    x = p["wte.weight"][tokens] + p["wpe.weight"][: len(tokens)]
    for layer in range(config["n_layer"]):
        h = f"h.{layer}."
        x = x + attention(norm(x, h + "ln_1"), p, h, config["n_head"])
        x = x + mlp(norm(x, h + "ln_2"), p, h)
    return norm(x, "ln_f")


# --- The figures -------------------------------------------------------------


def random_sequences(config, lengths, generator):
    return [torch.randint(config["vocab_size"], (n,), generator=generator) for n in lengths]


def all_logits(sequences, p, config):
    head = p["lm_head.weight" if "lm_head.weight" in p else "wte.weight"]
    return [hidden_states(s, p, config) @ head.T for s in sequences]


def label_rows(sequences, logits, temperature):
    """Log-probabilities and entropies where there is a next token to predict."""
    logprobs, entropies = [], []
    for tokens, rows in zip(sequences, logits):
        logp = torch.log_softmax(rows[:-1] / temperature, dim=1)
        logprobs.append(logp.gather(1, tokens[1:, None])[:, 0])
        entropies.append(-(logp.exp() * logp).sum(1))
    return torch.cat(logprobs), torch.cat(entropies)


def mean_loss(sequences, p, config):
    return -label_rows(sequences, all_logits(sequences, p, config), 1.0)[0].mean()


def loss_curve(sequences, start, config, a):
    """The loss before each step of AdamW; decay falls on matrices alone, embeddings included."""
    p = {name: value.detach().clone().requires_grad_() for name, value in start.items()}
    optimizer = torch.optim.AdamW(
        [
            dict(params=[v for v in p.values() if v.dim() == 2], weight_decay=a["weight_decay"]),
            dict(params=[v for v in p.values() if v.dim() == 1], weight_decay=0.0),
        ],
        lr=a["learning_rate"],
        betas=(a["beta1"], a["beta2"]),
        eps=a["epsilon"],
    )
    curve = []
    for _ in range(a["n_steps"]):
        optimizer.zero_grad()
        loss = mean_loss(sequences, p, config)
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
    return curve


# --- Files -------------------------------------------------------------------


def write_safetensors(path, tensors):
    """8 bytes of length, a JSON header, the data in little-endian float32."""
    header, data = {"__metadata__": {"format": "pt"}}, bytearray()
    for name, tensor in tensors.items():
        values = tensor.detach().float().contiguous()
        block = struct.pack(f"<{values.numel()}f", *values.flatten().tolist())
        header[name] = dict(
            dtype="F32", shape=list(values.shape), data_offsets=[len(data), len(data) + len(block)]
        )
        data += block
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))


def write_json(path, value):
    """One member a line."""
    lines = [f" {json.dumps(key)}: {json.dumps(member)}" for key, member in value.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def config_json(config, architecture, **more):
    return dict(
        architectures=[architecture],
        model_type="gpt2",
        activation_function="gelu_new",
        layer_norm_epsilon=1e-5,
        initializer_range=0.02,
        n_inner=None,
        bos_token_id=0,
        eos_token_id=0,
        **config,
        **more,
    )


def batch_json(sequences):
    return [s.tolist() for s in sequences]


def write_language_model():
    folder = HERE / "gpt2-tiny"
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(20240501)
    p = random_parameters(LM, generator)
    sequences = random_sequences(LM, LENGTHS, generator)

    logits = all_logits(sequences, p, LM)
    logprobs, entropies = label_rows(sequences, logits, 1.0)
    cool_logprobs, cool_entropies = label_rows(sequences, logits, TEMPERATURE)
    loss = mean_loss(sequences, p, LM)
    loss.backward()

    # The names of GPT-2's first checkpoint, without “transformer.”, and with the causal
    # masks it carries, which are no parameters.
    masks = {
        f"h.{layer}.attn.bias": torch.ones(32, 32).tril().view(1, 1, 32, 32) for layer in range(LM["n_layer"])
    }
    write_safetensors(folder / "model.safetensors", {**p, **masks})
    write_json(folder / "config.json", config_json(LM, "GPT2LMHeadModel", tie_word_embeddings=True))
    expected = {"logits": torch.cat(logits)}
    expected.update({"gradient." + name: value.grad for name, value in p.items()})
    write_safetensors(folder / "expected.safetensors", expected)
    write_json(
        folder / "expected.json",
        dict(
            torch=torch.__version__,
            sequences=batch_json(sequences),
            loss=loss.item(),
            logprobs=logprobs.tolist(),
            entropies=entropies.tolist(),
            temperature=TEMPERATURE,
            temperature_logprobs=cool_logprobs.tolist(),
            temperature_entropies=cool_entropies.tolist(),
            adamw=ADAMW,
            loss_curve=loss_curve(sequences, p, LM, ADAMW),
        ),
    )


def write_score_model():
    folder = HERE / "gpt2-tiny-score"
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(20240502)
    p = random_parameters(SCORE, generator)
    head = (0.3 * torch.randn(1, SCORE["n_embd"], generator=generator)).float().double().requires_grad_()
    sequences = random_sequences(SCORE, SCORE_LENGTHS, generator)

    scores = torch.stack([(hidden_states(s, p, SCORE)[-1] @ head.T)[0] for s in sequences])
    (torch.tensor(SCORE_COEFFICIENTS) * scores).sum().backward()

    named = {"transformer." + name: value for name, value in p.items()}
    named["score.weight"] = head
    write_safetensors(folder / "model.safetensors", named)
    write_json(
        folder / "config.json",
        config_json(SCORE, "GPT2ForSequenceClassification", id2label={"0": "reward"}, pad_token_id=0),
    )
    write_safetensors(
        folder / "expected.safetensors", {"gradient." + name: value.grad for name, value in named.items()}
    )
    write_json(
        folder / "expected.json",
        dict(
            torch=torch.__version__,
            sequences=batch_json(sequences),
            scores=scores.tolist(),
            coefficients=SCORE_COEFFICIENTS,
        ),
    )


if __name__ == "__main__":
    write_language_model()
    write_score_model()
