#!/usr/bin/env python3
"""DPO in plain PyTorch, in float64, on the small language model of gpt2_vectors.py.

Writes gpt2-tiny/dpo.json: for each kind of loss what every step of AdamW finds, the length of the
gradient included. Written from the papers (Rafailov et al. 2023, Azar et al. 2023); it uses no
training library and nothing of Laurel.

SPDX-License-Identifier: Apache-2.0
"""

import json
import math
import struct

import torch
from gpt2_vectors import HERE, LM, hidden_states, write_json

ADAMW = dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.1, n_steps=20)
LOSSES = {
    "sigmoid": dict(loss_type="sigmoid", beta=0.1, label_smoothing=0.0),
    "smoothed": dict(loss_type="sigmoid", beta=0.5, label_smoothing=0.2),
    "ipo": dict(loss_type="ipo", beta=0.2, label_smoothing=0.0),
}
# Lengths of the prompt and of each completion, and the completions' ranks; one ranking has a tie.
RANKINGS = [(5, [4, 6, 3], [1, 2, 3]), (3, [5, 5, 2, 7], [2, 1, 2, 3]), (7, [9, 1], [2, 1])]


def make_rankings():
    """Tokens by a formula: each is 31 further than the one before it, each list starts elsewhere."""
    rankings, start = [], 0

    def tokens(n):
        nonlocal start
        start += 11
        return [(start + 31 * i) % LM["vocab_size"] for i in range(n)]

    for n_prompt, lengths, ranks in RANKINGS:
        prompt = tokens(n_prompt)
        rankings.append(dict(prompt=prompt, completions=[tokens(n) for n in lengths], ranks=ranks))
    return rankings


def read_model(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    parameters = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__" or name.endswith(".attn.bias"):
            continue
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        values = struct.unpack(f"<{(last - first) // 4}f", data[first:last])
        parameters[name] = torch.tensor(values).reshape(entry["shape"]).requires_grad_()
    return parameters


def response_logprob(prompt, completion, p):
    tokens = torch.tensor(prompt + completion)
    rows = torch.log_softmax(hidden_states(tokens, p, LM) @ p["wte.weight"].T, dim=1)
    return rows[len(prompt) - 1 : -1].gather(1, tokens[len(prompt) :, None]).sum()


def logprobs(rankings, p):
    return [[response_logprob(r["prompt"], c, p) for c in r["completions"]] for r in rankings]


def pair_loss(kind, better, worse, n_better, n_worse):
    beta, epsilon = kind["beta"], kind["label_smoothing"]
    if kind["loss_type"] == "ipo":
        return (better / n_better - worse / n_worse - 1 / (2 * beta)) ** 2
    h = beta * (better - worse)
    log_sigmoid = torch.nn.functional.logsigmoid
    return -(1 - epsilon) * log_sigmoid(h) - epsilon * log_sigmoid(-h)


def measure(kind, rankings, policy, reference):
    """The mean over rankings of the mean over their strict pairs, and the averages over all pairs."""
    losses, pairs = [], []
    for ranking, now, before in zip(rankings, policy, reference):
        mine = []
        for i, rank in enumerate(ranking["ranks"]):
            for j, other in enumerate(ranking["ranks"]):
                if rank >= other:
                    continue
                gains = now[i] - before[i], now[j] - before[j]
                lengths = (len(ranking["completions"][k]) for k in (i, j))
                mine.append(pair_loss(kind, *gains, *lengths))
                pairs.append((*(kind["beta"] * gain.item() for gain in gains), now[i].item(), now[j].item()))
        losses.append(sum(mine) / len(mine))
    chosen, rejected, logps_chosen, logps_rejected = (sum(c) / len(pairs) for c in zip(*pairs))
    return sum(losses) / len(losses), {
        "rewards/chosen": chosen,
        "rewards/rejected": rejected,
        "rewards/margins": chosen - rejected,
        "rewards/accuracies": sum((c > r) + 0.5 * (c == r) for c, r, *_ in pairs) / len(pairs),
        "logps/chosen": logps_chosen,
        "logps/rejected": logps_rejected,
    }


def train(kind, rankings, start):
    p = {name: value.detach().clone().requires_grad_() for name, value in start.items()}
    with torch.no_grad():
        reference = logprobs(rankings, start)
    optimizer = torch.optim.AdamW(
        [
            dict(params=[v for v in p.values() if v.dim() == 2], weight_decay=ADAMW["weight_decay"]),
            dict(params=[v for v in p.values() if v.dim() == 1], weight_decay=0.0),
        ],
        lr=ADAMW["learning_rate"],
        betas=(ADAMW["beta1"], ADAMW["beta2"]),
        eps=ADAMW["epsilon"],
    )
    curves = {}
    for _ in range(ADAMW["n_steps"]):
        optimizer.zero_grad()
        loss, found = measure(kind, rankings, logprobs(rankings, p), reference)
        loss.backward()
        found["loss"] = loss.item()
        found["grad_norm"] = math.sqrt(sum((v.grad**2).sum().item() for v in p.values()))
        for key, value in found.items():
            curves.setdefault(key, []).append(value)
        optimizer.step()
    return dict(settings=kind, curves=curves)


if __name__ == "__main__":
    rankings = make_rankings()
    parameters = read_model(HERE / "gpt2-tiny" / "model.safetensors")
    write_json(
        HERE / "gpt2-tiny" / "dpo.json",
        dict(
            torch=torch.__version__,
            adamw=ADAMW,
            rankings=rankings,
            **{name: train(kind, rankings, parameters) for name, kind in LOSSES.items()},
        ),
    )
