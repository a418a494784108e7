#!/usr/bin/env python3
"""Losses of rankings, and figures of an evaluation of a reward model, by other means.

Writes reward/losses.json and reward/evaluation.json beside this file. The losses are computed from
their definitions, a tie as the explicit list of all orders of the tied, and differentiated by
PyTorch's autograd in float64. The evaluation's figures come from numpy: bins filled one by one,
partial correlation as the correlation of two least-squares residuals, the calibration slope by
a search. Uses nothing of Laurel.

SPDX-License-Identifier: Apache-2.0
"""

import itertools
import json
import pathlib

import numpy
import torch

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent / "reward"


# --- Losses ------------------------------------------------------------------


def merge(scores, ranks, twins):
    """One candidate a text: the mean score and the mean rank of its copies."""
    texts = {}
    for i, twin in enumerate(twins):
        texts.setdefault(twin, []).append(i)
    members = list(texts.values())
    merged = [torch.stack([scores[i] for i in m]).mean() for m in members]
    return merged, [sum(ranks[i] for i in m) / len(m) for m in members]


def log_prob_of_order(scores, order):
    """Plackett and Luce: the first of all, then the first of the rest, and so on."""
    total = torch.zeros(())
    for k in range(len(order)):
        rest = torch.stack([scores[i] for i in order[k:]])
        total = total + scores[order[k]] - torch.logsumexp(rest, 0)
    return total


def all_orders(ranks):
    """Every total order that keeps what the ranks say."""
    groups = [[i for i, r in enumerate(ranks) if r == rank] for rank in sorted(set(ranks))]
    for parts in itertools.product(*(itertools.permutations(g) for g in groups)):
        yield [i for part in parts for i in part]


def plackett_luce(scores, ranks, ties):
    logs = torch.stack([log_prob_of_order(scores, order) for order in all_orders(ranks)])
    worst = sum(r == max(ranks) for r in ranks)
    if ties == "drop":
        count = len(ranks) - worst
        return (-torch.logsumexp(logs, 0) / count, count) if count else (None, 0)
    return (-logs.mean() / (len(ranks) - 1), len(ranks) - 1) if len(ranks) > 1 else (None, 0)


def pick_best(scores, ranks, ties):
    best = [i for i, r in enumerate(ranks) if r == min(ranks)]
    if len(ranks) < 2 or (ties == "drop" and len(best) > 1):
        return None, 0
    logs = torch.log_softmax(torch.stack(scores), 0)
    return -sum(logs[i] for i in best) / len(best), 1


def pairwise(scores, ranks, twins, ties):
    losses = []
    for i, j in itertools.combinations(range(len(ranks)), 2):
        forward = -torch.nn.functional.logsigmoid(scores[i] - scores[j])
        backward = -torch.nn.functional.logsigmoid(scores[j] - scores[i])
        if ranks[i] == ranks[j] or twins[i] == twins[j]:
            if ties == "half":
                losses.append((forward + backward) / 2)
        else:
            losses.append(forward if ranks[i] < ranks[j] else backward)
    return (sum(losses) / len(losses), len(losses)) if losses else (None, 0)


def loss_case(name, ties, scores, ranks, twins):
    leaf = torch.tensor(scores, requires_grad=True)
    parts = [leaf[i] for i in range(len(scores))]
    if name == "pairwise":
        loss, count = pairwise(parts, ranks, twins, ties)
    else:
        merged, merged_ranks = merge(parts, ranks, twins)
        loss, count = (pick_best if name == "pick_best" else plackett_luce)(merged, merged_ranks, ties)
    if loss is not None and loss.requires_grad:
        loss.backward()
    gradient = leaf.grad if leaf.grad is not None else torch.zeros(len(scores))
    return dict(
        loss_name=name,
        ties=ties,
        scores=scores,
        ranks=ranks,
        twins=twins,
        loss=loss.item() if loss is not None else 0.0,
        count=count,
        gradient=gradient.tolist(),
    )


def write_losses():
    generator = numpy.random.default_rng(20251122)
    cases = []
    for n in (2, 3, 4, 5, 6):
        for shape in ("strict", "tied", "all tied", "twins"):
            scores = [float(numpy.float32(x)) for x in 1.5 * generator.standard_normal(n)]
            ranks = {
                "strict": list(map(int, generator.permutation(n) + 1)),
                "all tied": [1] * n,
            }.get(shape) or list(map(int, generator.integers(1, max(2, n - 1), n)))
            twins = list(range(n))
            if shape == "twins" and n > 2:
                twins[n - 1] = 0
            for name in ("pairwise", "pick_best", "plackett_luce"):
                for ties in ("drop", "half"):
                    cases.append(loss_case(name, ties, scores, ranks, twins))
    (HERE / "losses.json").write_text(json.dumps(cases) + "\n")


# --- Evaluation ----------------------------------------------------------------


def random_rankings(generator):
    """Rankings of 3 to 5 completions whose scores follow rank and length, with ties."""
    rankings = []
    for prompt in range(60):
        n = int(generator.integers(3, 6))
        gold = generator.standard_normal(n)
        order = numpy.argsort(numpy.argsort(-gold)) + 1
        if generator.random() < 0.3:
            order = (order + 1) // 2
        lengths = generator.integers(3, 40, n)
        scores = gold + 0.05 * lengths + 1.2 * generator.standard_normal(n)
        rankings.append(
            dict(
                prompt=int(generator.integers(0, 40)),
                labeler=int(generator.integers(0, 3)),
                scores=[float(s) for s in scores],
                ranks=[int(r) for r in order],
                lengths=[int(x) for x in lengths],
            )
        )
    return rankings


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def list_pairs(ranking):
    for i, j in itertools.permutations(range(len(ranking["ranks"])), 2):
        if ranking["ranks"][i] < ranking["ranks"][j]:
            yield ranking["scores"][i] - ranking["scores"][j], ranking["lengths"][i] - ranking["lengths"][j]


def expected_calibration_error(margins, gain):
    sure = sigmoid(numpy.abs(margins) / gain)
    right = margins > 0
    error = 0
    for b in range(10):
        inside = (sure >= 0.5 + 0.05 * b) & ((sure < 0.55 + 0.05 * b) | (b == 9))
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    return error


def best_slope(logits):
    """Golden-section search of the largest mean log σ(a · logit)."""
    low, high = -10.0, 10.0
    ratio = (5**0.5 - 1) / 2
    value = lambda a: -numpy.logaddexp(0, -a * logits).mean()
    for _ in range(200):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if value(a) > value(b) else (a, high)
    return (low + high) / 2


def residual(y, x):
    return y - x * (x @ y) / (x @ x)


def correlation(x, y):
    return (x @ y) / numpy.sqrt((x @ x) * (y @ y))


def write_evaluation():
    generator = numpy.random.default_rng(7)
    rankings = random_rankings(generator)
    gain = 0.8
    pairs = [pair for r in rankings for pair in list_pairs(r)]
    margins = numpy.array([m for m, _ in pairs])
    gaps = numpy.array([g for _, g in pairs])
    centred = lambda key: numpy.concatenate([numpy.array(r[key]) - numpy.mean(r[key]) for r in rankings])
    score, length, rank = centred("scores"), centred("lengths"), centred("ranks")
    every = numpy.concatenate(
        [[(a - b) / gain for a, b in itertools.combinations(r["scores"], 2)] for r in rankings]
    )
    z = numpy.linspace(-12, 12, 400001)
    density = numpy.exp(-z * z / 2) / numpy.sqrt(2 * numpy.pi)
    ceiling = lambda s: numpy.trapz(sigmoid(numpy.abs(numpy.sqrt(2) * s * z)) * density, z)
    figures = dict(
        rankings=rankings,
        gain=gain,
        prompts=len({r["prompt"] for r in rankings}),
        pairs=len(pairs),
        ties=len(every) - len(pairs),
        accuracy=(margins > 0).mean(),
        accuracy_longer=(margins[gaps >= 16] > 0).mean(),
        median_margin=numpy.median(margins),
        ece=expected_calibration_error(margins, gain),
        slope=best_slope(margins / gain),
        score_length=correlation(score, length),
        rank_length=correlation(rank, length),
        partial_length=correlation(residual(score, rank), residual(length, rank)),
        spread=numpy.sqrt((every**2).mean() / 2),
        ceilings=[[s, ceiling(s)] for s in (0.5, 1.0, 2.0, 4.0)],
    )
    figures = {k: v.item() if hasattr(v, "item") else v for k, v in figures.items()}
    (HERE / "evaluation.json").write_text(json.dumps(figures) + "\n")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    write_losses()
    write_evaluation()
