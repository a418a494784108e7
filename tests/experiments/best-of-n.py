#!/usr/bin/env python3
"""Best-of-n against its theory: the KL, the win rate, and the unbiased estimator.

    tests/experiments/best-of-n.py [--seeds 4] [--smoke] [LAURELCTL]

The best of n draws is at a KL of at most log n − (n − 1)/n from the one that draws (Beirami et al.
2024), and beats one draw at most n/(n + 1) of the time by the score that chooses.

First where all can be counted: a random transformer of 8 tokens and 3 steps, whose 400 responses
are enumerated with the probabilities that “evaluate logprobs” gives them. The exact KL, worth and
win rate are held against the bounds, and what the estimator makes of drawn samples against the
exact values. Then on the starter, by “evaluate bon”: reward models of 300 rankings, every fourth
with a mistake, choose among samples for held-out prompts; another model and other samples a seed.

SPDX-License-Identifier: Apache-2.0
"""

import json
import math
import os
import random
import struct
import sys
import tempfile

sys.dont_write_bytecode = True
import common  # noqa: E402
import world  # noqa: E402

VOCABULARY, STEPS, END = 8, 3, 7
TOY_NS = [1, 2, 4, 16, 64, 256]
FULL = {"ns": [1, 2, 4, 8, 16, 32, 64], "prompts": 64, "samples": 256, "rankings": 300,
        "draws": 2048, "repeats": 20, "settings": {}}
SMOKE = {"ns": [1, 2, 4, 8], "prompts": 6, "samples": 24, "rankings": 16, "draws": 512,
         "repeats": 6, "settings": {"num_train_epochs": 1}}
NOISE = 0.25


# --- The toy ----------------------------------------------------------------------------


def write_toy(folder, seed):
    """A GPT-2 of random weights, large enough that its distribution is far from flat."""
    width, layers = 32, 2
    rng = random.Random(f"toy {seed}")
    shapes = {"wte.weight": [VOCABULARY, width], "wpe.weight": [1 + STEPS, width]}
    for i in range(layers):
        shapes.update({
            f"h.{i}.ln_1.weight": [width], f"h.{i}.ln_1.bias": [width],
            f"h.{i}.attn.c_attn.weight": [width, 3 * width], f"h.{i}.attn.c_attn.bias": [3 * width],
            f"h.{i}.attn.c_proj.weight": [width, width], f"h.{i}.attn.c_proj.bias": [width],
            f"h.{i}.ln_2.weight": [width], f"h.{i}.ln_2.bias": [width],
            f"h.{i}.mlp.c_fc.weight": [width, 4 * width], f"h.{i}.mlp.c_fc.bias": [4 * width],
            f"h.{i}.mlp.c_proj.weight": [4 * width, width], f"h.{i}.mlp.c_proj.bias": [width]})
    shapes.update({"ln_f.weight": [width], "ln_f.bias": [width]})
    header, data = {}, b""
    for name, shape in shapes.items():
        n = math.prod(shape)
        if ".ln_" in name or name.startswith("ln_"):
            values = [1.0 if name.endswith("weight") else 0.0] * n
        else:
            values = [rng.gauss(0, 0.2) for _ in range(n)]
        header["transformer." + name] = {"dtype": "F32", "shape": shape,
                                         "data_offsets": [len(data), len(data) + 4 * n]}
        data += struct.pack(f"<{n}f", *values)
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    common.save_json(os.path.join(folder, "config.json"), {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": VOCABULARY,
        "n_positions": 1 + STEPS, "n_embd": width, "n_layer": layers, "n_head": 4,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": True, "eos_token_id": END})


def responses():
    """Up to STEPS tokens, ended by END or by the limit."""
    found, open_ones = [], [[]]
    while open_ones:
        longer = [r + [v] for r in open_ones for v in range(VOCABULARY)]
        found += [r for r in longer if r[-1] == END or len(r) == STEPS]
        open_ones = [r for r in longer if r[-1] != END and len(r) < STEPS]
    return found


def probabilities(program, folder):
    """Of every response after the prompt of token 0."""
    path = os.path.join(folder, "ids.json")
    common.save_json(path, [[0] + response for response in responses()])
    output = common.Project(program, folder).json("evaluate", "logprobs", path, "--model", folder)
    values = [math.exp(sum(row)) for row in output]
    total = sum(values)
    if abs(total - 1) > 1e-5:  # float32 log-probabilities
        common.fail(f"the toy's probabilities sum to {total}")
    return [value / total for value in values]


def exact(chances, proxy, gold, n):
    """The best of n draws by enumeration; no two scores are equal."""
    order = sorted(range(len(proxy)), key=proxy.__getitem__)
    below = kl = worth = win = 0.0
    for i in order:
        upto = min(below + chances[i], 1.0)
        chance = upto ** n - below ** n
        kl += chance * math.log(chance / chances[i]) if chance > 0 else 0
        worth += chance * gold[i]
        win += chance * (below + 0.5 * chances[i])
        below = upto
    return {"kl": kl, "gold": worth, "win": win}


def try_toy(program, seed, plan):
    with tempfile.TemporaryDirectory(prefix="laurel-toy-") as folder:
        write_toy(folder, seed)
        chances = probabilities(program, folder)
    rng = random.Random(f"toy scores {seed}")
    proxy = [rng.gauss(0, 1) for _ in chances]
    gold = [0.6 * p + 0.8 * rng.gauss(0, 1) for p in proxy]  # correlated by 0.6
    draws = [rng.choices(range(len(chances)), chances, k=plan["draws"])
             for _ in range(plan["repeats"])]
    rows = []
    for n in TOY_NS:
        true = exact(chances, proxy, gold, n)
        found = [world.best_of_n([proxy[i] for i in d], [gold[i] for i in d], n) for d in draws]
        worths = [f["gold"] for f in found]
        rows.append({
            "seed": seed, "n": n, "bound": world.bound_kl(n), **true,
            "win_bound": n / (n + 1), "estimate": common.mean(worths),
            "error": common.deviation(worths) / math.sqrt(len(worths)),
            "kl_estimate": common.mean([f["kl"] for f in found])})
    return rows


def check_toy(rows):
    wrong = []
    for r in rows:
        where = f"toy, seed {r['seed']}, n = {r['n']}"
        if r["kl"] > r["bound"] + 1e-9:
            wrong.append(f"{where}: KL {r['kl']} is above the formula's {r['bound']}")
        if r["win"] > r["win_bound"] + 1e-9:
            wrong.append(f"{where}: win rate {r['win']} is above {r['win_bound']}")
        # Four standard errors, and the rounding of a deviation of 0 at large n.
        if abs(r["estimate"] - r["gold"]) > 4 * r["error"] + 1e-9:
            wrong.append(f"{where}: the estimator gives {r['estimate']} where {r['gold']} is exact")
    return wrong


# --- The starter ----------------------------------------------------------------------------


def make_project(program, folder, seed, plan):
    """The starter with “reward”, trained on rankings that this seed draws."""
    project = common.Project(program, os.path.join(folder, f"seed-{seed}.laurel")).create()
    project.run("sample", "run", "--model", "sft", "--prompts", plan["rankings"], "--completions",
                4, "--seed", seed, "--temperature", 1, "--top-p", 1, "--task")
    project.run("ranking", "simulate", "--judge", world.JUDGE, "--noise", NOISE, "--seed", seed)
    project.train("reward", "sft", "reward", {"seed": seed, "eval_split": 0, **plan["settings"]},
                  "--config", os.path.join(world.RECIPE, "reward.json"))
    return project


def try_starter(project, seed, plan):
    """“evaluate bon”, with what it says of each n."""
    rows = project.json("evaluate", "bon", "--model", "sft", "--reward-model", "reward", "--judge",
                        world.JUDGE, "--samples", plan["samples"], "--count", plan["prompts"],
                        "--n", ",".join(map(str, plan["ns"])), "--seed", seed)
    return [{"seed": seed, **row} for row in rows]


def check_starter(rows):
    wrong = []
    for r in rows:
        where = f"starter, seed {r['seed']}, n = {r['n']}"
        if abs(r["kl_bound"] - world.bound_kl(r["n"])) > 1e-9:
            wrong.append(f"{where}: the formula is {r['kl_bound']}")
        if r["kl"]["value"] > r["kl_bound"] + 1e-9:
            wrong.append(f"{where}: KL {r['kl']['value']} is above the formula's {r['kl_bound']}")
        for key in ("win_rate", "proxy_win_rate"):
            # Without bias, so above the bound by chance; never by all of its interval.
            if r[key]["value"] is not None and r[key]["low"] > r["n"] / (r["n"] + 1) + 1e-9:
                wrong.append(f"{where}: {key} {r[key]} is above n/(n + 1)")
    return wrong


def with_interval(row, key):
    cell = row[key]
    if cell["value"] is None:
        return "–"
    return f"{cell['value']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"


def main():
    parser = common.make_parser(__doc__, 4)
    parser.add_argument("--smoke", action="store_true", help="the smallest that shows it works")
    arguments = parser.parse_args()
    plan = SMOKE if arguments.smoke else FULL
    program = os.path.abspath(arguments.program)
    seeds = range(1, arguments.seeds + 1)
    toy = [row for seed in seeds for row in try_toy(program, seed, plan)]
    common.print_table(
        ["toy, seed", "n", "KL", "formula", "KL of draws", "win rate", "n/(n+1)", "worth",
         "estimate", "s.e."],
        [[r["seed"], r["n"], f"{r['kl']:.4f}", f"{r['bound']:.4f}", f"{r['kl_estimate']:.4f}",
          f"{r['win']:.4f}", f"{r['win_bound']:.4f}", f"{r['gold']:.4f}", f"{r['estimate']:.4f}",
          f"{r['error']:.4f}"] for r in toy])
    common.say()
    starter = []
    with tempfile.TemporaryDirectory(prefix="laurel-bon-") as folder:
        for seed in seeds:
            starter += try_starter(make_project(program, folder, seed, plan), seed, plan)
    common.print_table(
        ["starter, seed", "n", "KL [95 %]", "formula", "win rate by proxy", "by the judge",
         "n/(n+1)", "judge's score"],
        [[r["seed"], r["n"], with_interval(r, "kl"), f"{r['kl_bound']:.3f}",
          with_interval(r, "proxy_win_rate"), with_interval(r, "win_rate"),
          f"{r['n'] / (r['n'] + 1):.3f}", with_interval(r, "gold")] for r in starter])
    if arguments.json:
        common.save_json(arguments.json, {"toy": toy, "starter": starter})
    wrong = check_toy(toy) + check_starter(starter)
    for line in wrong:
        common.say(f"WRONG: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
