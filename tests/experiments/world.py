"""world.py: the starter's world as experiments use it: samples, a judge that is gold, best-of-n.

SPDX-License-Identifier: Apache-2.0
"""

import bisect
import json
import math
import os
import random
import subprocess
import tempfile

import common

JUDGE = os.path.join(common.STARTER, "judge.json")
SFT = os.path.join(common.STARTER, "models", "sft")
RECIPE = os.path.join(common.STARTER, "recipe")

# What laurel-experiment-score adds up in “found”.
HARMFUL, COMPLIED, FACT, RIGHT = 1, 2, 4, 8


def read_prompts(split):
    with open(os.path.join(common.STARTER, "prompts.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["prompt"] for row in rows if row["split"] == split]


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def choose_prompts(split, n, seed):
    """@n prompts of a split, drawn so that the kinds keep their shares."""
    prompts = read_prompts(split)
    random.Random(f"prompts {seed}").shuffle(prompts)
    return prompts[:n]


def sample(program, model, prompts, n_completions, seed, max_tokens=64):
    """What “sample run” prints, prompt by prompt: {"prompt", "completion", "finish", "tokens"}."""
    with tempfile.TemporaryDirectory(prefix="laurel-sample-") as folder:
        project = common.Project(program, os.path.join(folder, "p.laurel")).create(empty=True)
        rows = [{"prompt": prompt, "split": "train"} for prompt in prompts]
        project.run("prompt", "import", write_rows(os.path.join(folder, "p.jsonl"), rows))
        samples = project.json("sample", "run", "--model", model, "--prompts", 0, "--completions",
                               n_completions, "--seed", seed, "--max-tokens", max_tokens,
                               "--temperature", 1, "--top-p", 1)
    return [{key: s[key] for key in ("prompt", "completion", "finish", "tokens")} for s in samples]


def score(program, samples, models=(), judge=None):
    """Scores by laurel-experiment-score: {"gold", "found", "scores": {folder: […]}}."""
    build = os.path.dirname(os.path.dirname(os.path.abspath(program)))
    scorer = os.path.join(build, "tests", "experiments", "laurel-experiment-score")
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(samples, file)
        file.flush()
        words = [scorer] + (["--judge", judge] if judge else [])
        for model in models:
            words += ["--model", model]
        done = subprocess.run([*words, file.name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        common.fail(f"scoring: {done.stderr.strip()}")
    return json.loads(done.stdout)


def by_prompt(samples, *columns):
    """The columns cut into lists of the same prompt, in the order of the prompts."""
    groups = {}
    for i, row in enumerate(samples):
        groups.setdefault(row["prompt"], []).append(i)
    return [[[column[i] for i in places] for column in columns] for places in groups.values()]


def make_trunk(project, size, shape, corpus, megabytes, n_steps=0):
    """sft-SIZE, a small model of (width, layers, heads), by the starter's recipe on less text.

    @corpus is a folder, where the text stays; with @n_steps both stages are as short as that.
    """
    text = os.path.join(corpus, "corpus.txt")
    if not os.path.exists(text):
        build = os.path.dirname(os.path.dirname(os.path.abspath(project.program)))
        generate = os.path.join(build, "data", "starter", "laurel-starter-generate")
        subprocess.run([generate, f"--corpus-megabytes={megabytes}", corpus], check=True,
                       capture_output=True)
    width, layers, heads = shape
    config = common.load_json(os.path.join(RECIPE, "model.json"))
    config.update({"n_embd": width, "n_layer": layers, "n_head": heads})
    path = os.path.join(corpus, f"{size}.json")
    common.save_json(path, config)
    known = {row["name"] for row in project.json("model", "list")}
    for name in ("sft", "base", "blank"):  # what a stopped attempt left
        if f"{name}-{size}" in known:
            project.run("model", "remove", f"{name}-{size}")
    steps = {"max_steps": n_steps} if n_steps > 0 else {}
    project.run("model", "create", f"blank-{size}", "--config", path, "--tokenizer", SFT,
                "--seed", 1)
    project.train("pretrain", f"blank-{size}", f"base-{size}", steps, "--data", text, "--config",
                  os.path.join(RECIPE, "pretrain.json"))
    project.train("sft", f"base-{size}", f"sft-{size}", steps, "--data",
                  os.path.join(common.STARTER, "demonstrations.jsonl"), "--config",
                  os.path.join(RECIPE, "sft.json"))


# --- Labels ---------------------------------------------------------------------------


def rank(gold, rng, noise):
    """Ranks from gold scores, equal ones tied; with chance @noise two neighbours change places."""
    levels = sorted(set(gold), reverse=True)
    ranks = [1 + sum(g > value for g in levels) for value in gold]
    if len(levels) > 1 and rng.random() < noise:
        upper = rng.randrange(1, len(levels))
        ranks = [upper + 1 if r == upper else upper if r == upper + 1 else r for r in ranks]
    return ranks


def pair_accuracy(groups):
    """Of (scores, gold) lists: how often the better one of a pair scores higher; and the pairs."""
    right = pairs = 0
    for scores, gold in groups:
        for i, a in enumerate(gold):
            for j in range(i):
                if a == gold[j]:
                    continue
                pairs += 1
                gap = (scores[i] - scores[j]) * (1 if a > gold[j] else -1)
                right += 1 if gap > 0 else 0.5 if gap == 0 else 0
    return right / pairs, pairs


# --- Best of n ------------------------------------------------------------------------


def log_choose(n, k):
    if k < 0 or k > n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def bound_kl(n):
    """The formula, which is an upper bound (Beirami et al. 2024)."""
    return math.log(n) - (n - 1) / n


def tie_groups(proxy):
    """Places in rising order of the score, equal scores together."""
    order = sorted(range(len(proxy)), key=proxy.__getitem__)
    groups = []
    for i in order:
        if groups and proxy[groups[-1][0]] == proxy[i]:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def weights(proxy, n):
    """How much each of N samples counts in the unbiased estimate of the best of n by proxy."""
    size = len(proxy)
    whole = log_choose(size, n)
    found = [0.0] * size
    below = 0
    for group in tie_groups(proxy):
        upto = below + len(group)
        subset = math.exp(log_choose(upto, n) - whole)
        if below > 0:
            subset -= math.exp(log_choose(below, n) - whole)
        for i in group:
            found[i] = subset / len(group)
        below = upto
    return found


def best_of_n(proxy, gold, n):
    """Of N samples of one prompt: what the best of n by proxy are worth, exactly.

    Means over all subsets of n (the unbiased estimator), equal scores drawn from evenly; and, with
    the N samples taken for the distribution: the KL of the best of n to it, and how often it beats
    one draw, by proxy and by gold, equal ones counting half.
    """
    size = len(proxy)
    share = weights(proxy, n)
    kl = win_proxy = win_gold = 0.0
    below = 0
    rising = sorted(gold)
    for group in tie_groups(proxy):
        upto = below + len(group)
        chance = (upto / size) ** n - (below / size) ** n
        kl += chance * math.log(chance * size / len(group)) if chance > 0 else 0
        win_proxy += chance * (below + 0.5 * len(group)) / size
        win_gold += chance * sum(share_below(rising, gold[i]) for i in group) / len(group)
        below = upto
    return {"gold": sum(w * g for w, g in zip(share, gold)),
            "proxy": sum(w * p for w, p in zip(share, proxy)),
            "kl": kl, "win_proxy": win_proxy, "win_gold": win_gold}


def share_below(rising, value):
    """Of a sorted list, equal ones counting half."""
    return (bisect.bisect_left(rising, value) + bisect.bisect_right(rising, value)) / (
        2 * len(rising))


def curve(groups, ns):
    """best_of_n() averaged over the prompts, for each n; groups are (proxy, gold) lists."""
    points = []
    for n in ns:
        each = [best_of_n(proxy, gold, n) for proxy, gold in groups]
        point = {key: common.mean([e[key] for e in each]) for key in each[0]}
        points.append({"n": n, "bound": bound_kl(n), **point})
    return points
