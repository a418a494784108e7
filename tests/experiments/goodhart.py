#!/usr/bin/env python3
"""Over-optimisation on the starter's world: gold against the distance from the reference.

    tests/experiments/goodhart.py [--work DIR] [--seeds 4] [--ppo 8] [--minutes M] [LAURELCTL]

After Gao et al. 2022 (arXiv 2210.10760), at a size for a desktop. Gold is the rule judge, which no
model has seen. Proxies are reward models of three sizes, each trained on three numbers of rankings
of four completions with a swap of neighbours in every fourth. They are optimised by best-of-n, n up
to 256, with the unbiased estimator, and by PPO without a KL penalty and with a small one, on
prompts that no ranking is of. d is the root of the KL to the reference: of best-of-n the exact one
of the samples' own distribution, beside the formula; of PPO the exact one of the rollouts. Fitted
are d(α − βd) and d(α − β log d) to both; of best-of-n also on n ≤ 64 alone, to foretell n = 256.

The largest reward model has the starter's trunk; the smaller ones' are pretrained and fine-tuned
here by the starter's recipe, on a quarter of its text. A seed is another draw of the completions
that are ranked, of the mistakes, of the head and of the order; the samples that best-of-n chooses
from are drawn once and scored by all.

Every cell is kept in the folder, so that a stopped experiment goes on where it was and a longer one
continues a short one; --minutes begins no new cell after so long. Its goodhart.html shows all that
is there.

SPDX-License-Identifier: Apache-2.0
"""

import json
import math
import os
import shutil
import struct
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import charts  # noqa: E402
import common  # noqa: E402
import world  # noqa: E402

FULL = {
    "sizes": {"0.25M": (64, 2, 4), "0.9M": (128, 3, 8), "3.75M": None},  # width, layers, heads
    "labels": [64, 256, 1024],
    "ns": [1, 2, 4, 8, 16, 32, 64, 128, 256],
    "fit_to": 64,
    "prompts": 48,
    "samples": 512,
    "corpus_megabytes": 6,
    "trunk_steps": 0,
    "ppo": {"learning_rate": 1e-4, "lr_scheduler_type": "constant", "value_learning_rate": 2e-4,
            "batch_size": 64, "max_steps": 60, "save_steps": 0},
    "betas": [0, 0.05],
    "max_tokens": 64,
}
SMOKE = {
    "sizes": {"0.25M": (64, 2, 4), "3.75M": None},
    "labels": [8, 24],
    "ns": [1, 2, 4, 8, 16],
    "fit_to": 8,
    "prompts": 4,
    "samples": 32,
    "corpus_megabytes": 1,
    "trunk_steps": 10,
    "ppo": {"learning_rate": 1e-4, "batch_size": 8, "max_steps": 2, "num_ppo_epochs": 1,
            "num_mini_batches": 1, "save_steps": 0},
    "betas": [0],
    "max_tokens": 24,
}
NOISE = 0.25
PENALTY = 1.0  # PPO's missing_eos_penalty, so that both ways optimise the same score
AUDIT = [0.05 * 1.35 ** i for i in range(20)]  # the b of the Donsker–Varadhan bound


class World:
    """The folder with everything that is shared between cells."""

    def __init__(self, program, work, plan):
        self.program = os.path.abspath(program)
        self.work = os.path.abspath(work)
        self.plan = plan
        self.cells = common.Cells(os.path.join(self.work, "cells"))

    def path(self, *names):
        return os.path.join(self.work, *names)

    def base(self):
        """The starter with a small trunk of each size, fine-tuned."""
        project = common.Project(self.program, self.path("base.laurel"))
        if not os.path.exists(project.path):
            project.create()
        names = {row["name"] for row in project.json("model", "list")}
        for size, shape in self.plan["sizes"].items():
            if shape is not None and f"sft-{size}" not in names:
                common.say(f"pretraining and fine-tuning a trunk of {size} parameters")
                world.make_trunk(project, size, shape, self.path("corpus"),
                                 self.plan["corpus_megabytes"], self.plan["trunk_steps"])
        return project

    def prompts(self):
        return world.choose_prompts("heldout", self.plan["prompts"], 1)

    def pool(self):
        """What best-of-n chooses from, judged; the same for all cells."""
        def make():
            common.say(f"sampling {self.plan['samples']} completions for each of "
                       f"{self.plan['prompts']} prompts")
            samples = world.sample(self.program, world.SFT, self.prompts(), self.plan["samples"],
                                   7, self.plan["max_tokens"])
            return {"samples": samples,
                    "gold": world.score(self.program, samples, judge=world.JUDGE)["gold"]}
        return self.cells.get("pool", make)

    def seed_project(self, seed):
        """A copy of the base with this seed's completions to rank."""
        project = common.Project(self.program, self.path(f"seed-{seed}.laurel"))
        if os.path.exists(project.path):
            return project
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            fresh = self.base().copy(os.path.join(folder, "p.laurel"))
            wanted = max(self.plan["labels"])
            common.say(f"seed {seed}: sampling for {wanted} rankings")
            draw = 0
            while wanted > 0:
                n = min(wanted, len(world.read_prompts("train")))
                fresh.run("sample", "run", "--model", "sft", "--prompts", n, "--completions", 4,
                          "--seed", 1000 * seed + draw, "--max-tokens", self.plan["max_tokens"],
                          "--temperature", 1, "--top-p", 1, "--task")
                wanted -= n
                draw += 1
            os.rename(fresh.path, project.path)
        return project

    def reward_model(self, size, n_labels, seed):
        """The folder of the reward model, trained when it is not there."""
        name = f"rm-{size}-{n_labels}"
        project = self.seed_project(seed)
        ranked = project.query("SELECT count (*) FROM rankings")[0][0]
        if ranked < n_labels:
            project.run("ranking", "simulate", "--judge", world.JUDGE, "--noise", NOISE, "--seed",
                        seed, "--count", n_labels - ranked)
        elif ranked > n_labels and not os.path.exists(project.model(name)):
            common.fail(f"{project.path} has {ranked} rankings already, and {name} is not made; "
                        "remove the folder")
        if not self.is_made(project, name):
            project.train("reward", "sft" if self.plan["sizes"][size] is None else f"sft-{size}",
                          name, {"seed": seed, "eval_split": 0}, "--config",
                          os.path.join(world.RECIPE, "reward.json"))
            run = project.query("SELECT id FROM runs WHERE output = ?", name)[-1][0]
            shutil.rmtree(os.path.join(project.path, "runs", str(run)), ignore_errors=True)
        return project.model(name)

    def is_made(self, project, name):
        """A run that was killed left its row; it goes on."""
        rows = project.query("SELECT id, status FROM runs WHERE output = ?", name)
        if rows and rows[-1][1] != "done":
            project.run("train", "resume", rows[-1][0])
        return bool(rows)

    # --- Best of n

    def best_of_n(self, size, n_labels, seed):
        def make():
            model = self.reward_model(size, n_labels, seed)
            pool = self.pool()
            scores = world.score(self.program, pool["samples"], [model])["scores"][model]
            proxy = [s - (PENALTY if row["finish"] != "stop" else 0)
                     for s, row in zip(scores, pool["samples"])]
            groups = world.by_prompt(pool["samples"], proxy, pool["gold"])
            accuracy, n_pairs = world.pair_accuracy([(p[:64], g[:64]) for p, g in groups])
            return {"curve": world.curve(groups, self.plan["ns"]), "accuracy": accuracy,
                    "pairs": n_pairs,
                    "audit": [[b, common.mean([log_mean_exp(p, b) for p, _ in groups])]
                              for b in AUDIT]}
        return self.cells.get(f"bon-{size}-{n_labels}-{seed}", make)

    # --- PPO

    def ppo(self, size, n_labels, beta, seed):
        def make():
            model = self.reward_model(size, n_labels, seed)
            project = self.seed_project(seed)
            output = f"ppo-{size}-{n_labels}-{beta}"
            rows = [{"prompt": prompt} for prompt in self.prompts()]
            data = world.write_rows(self.path("ppo.jsonl"), rows)
            if not self.is_made(project, output):
                project.train("ppo", "sft", output,
                              {**self.plan["ppo"], "kl_coef": beta, "seed": seed,
                               "missing_eos_penalty": PENALTY,
                               "response_length": self.plan["max_tokens"]},
                              "--reward-model", model, "--data", data)
            points = self.read_rollouts(project, output)
            project.run("model", "remove", output)
            return {"points": points}
        return self.cells.get(f"ppo-{size}-{n_labels}-{beta}-{seed}", make)

    def read_rollouts(self, project, output):
        """For each iteration the mean exact KL, proxy and gold of its rollouts, then forgotten."""
        run = project.query("SELECT id FROM runs WHERE output = ?", output)[-1][0]
        rows = project.query("SELECT step, prompt, completion, finish, score, records FROM rollouts"
                             " WHERE run_id = ? ORDER BY step, row", run)
        samples = [{"prompt": r[1], "completion": r[2], "finish": r[3]} for r in rows]
        gold = world.score(self.program, samples, judge=world.JUDGE)["gold"]
        steps = {}
        for row, g in zip(rows, gold):
            # A token's record is 12 words; the fifth is its exact KL (core/base/rollout.h).
            kl = sum(struct.unpack_from("<f", row[5], 48 * t + 16)[0]
                     for t in range(len(row[5]) // 48))
            steps.setdefault(row[0], []).append((kl, row[4], g, len(row[5]) // 48))
        shutil.rmtree(os.path.join(project.path, "runs", str(run)), ignore_errors=True)
        return [dict(zip(("step", "kl", "proxy", "gold", "length"),
                         (step, *map(common.mean, zip(*values)))))
                for step, values in sorted(steps.items())]


def log_mean_exp(values, b):
    """b · log mean e^{r/b}."""
    top = max(values)
    return top + b * math.log(common.mean([math.exp((v - top) / b) for v in values]))


# --- Fits -------------------------------------------------------------------------------


def fit(ds, gains, form):
    """α and β of d(α − βd) or d(α − β log d) by least squares, and R² about the mean."""
    xs = [(d, -d * d if form == "d" else -d * math.log(d)) for d in ds]
    a11 = sum(x * x for x, _ in xs)
    a12 = sum(x * y for x, y in xs)
    a22 = sum(y * y for _, y in xs)
    b1 = sum(x * g for (x, _), g in zip(xs, gains))
    b2 = sum(y * g for (_, y), g in zip(xs, gains))
    determinant = a11 * a22 - a12 * a12
    if len(ds) < 3 or abs(determinant) < 1e-12 * a11 * a22:
        return None
    alpha = (b1 * a22 - b2 * a12) / determinant
    beta = (a11 * b2 - a12 * b1) / determinant
    middle = common.mean(gains)
    left = sum((g - alpha * x - beta * y) ** 2 for (x, y), g in zip(xs, gains))
    whole = sum((g - middle) ** 2 for g in gains)
    return {"alpha": alpha, "beta": beta, "r2": 1 - left / whole if whole > 0 else math.nan}


def predict(found, d, form):
    return d * (found["alpha"] - found["beta"] * (d if form == "d" else math.log(d)))


def gains_of(points):
    """(d, gain of gold) without the start, where d is 0."""
    start = points[0]["gold"]
    return [(math.sqrt(p["kl"]), p["gold"] - start) for p in points[1:] if p["kl"] > 1e-9]


def fit_both(pairs):
    ds, gains = [d for d, _ in pairs], [g for _, g in pairs]
    return {form: fit(ds, gains, form) for form in ("d", "log d")}


def mean_curve(curves):
    """Point by point over seeds."""
    return [{key: common.mean([c[i][key] for c in curves]) for key in curves[0][i]}
            for i in range(len(curves[0]))]


def audit_bound(audit, kl):
    """What no policy at this distance can be paid on average."""
    return min(b * kl + value for b, value in audit)


def study_bon(plan, cells):
    """All that is said of one size and number of rankings; @cells are its seeds'."""
    curves = [cell["curve"] for cell in cells]
    middle = mean_curve(curves)
    known = [p for p in middle if p["n"] <= plan["fit_to"]]
    early = fit_both(gains_of(known))
    last = math.sqrt(middle[-1]["kl"])
    errors = {}
    for form, found in early.items():
        each = []
        for c in curves:
            one = fit_both(gains_of([p for p in c if p["n"] <= plan["fit_to"]]))[form]
            if one is not None:
                each.append(predict(one, math.sqrt(c[-1]["kl"]), form)
                            - (c[-1]["gold"] - c[0]["gold"]))
        errors[form] = {
            "predicted": predict(found, last, form) if found else None,
            "error": common.mean(each) if each else None,
            "half_width": common.half_width(each) if len(each) > 1 else None,
        }
    return {
        "curve": middle, "fits": fit_both(gains_of(middle)), "early": early,
        "extrapolation": errors, "gain": middle[-1]["gold"] - middle[0]["gold"],
        "accuracy": [cell["accuracy"] for cell in cells],
        "peak_n": max(middle, key=lambda p: p["gold"])["n"],
        "peaks": [max(c, key=lambda p: p["gold"])["n"] for c in curves],
        "last": [c[-1]["gold"] for c in curves],
    }


# --- The report ---------------------------------------------------------------------------


def number(value, digits=3):
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def describe_fit(found):
    if found is None:
        return ["–"] * 3
    return [number(found["alpha"]), number(found["beta"]), number(found["r2"])]


def bon_rows(studies):
    rows = []
    for (size, n_labels), study in studies.items():
        curve = study["curve"]
        peak = max(curve, key=lambda p: p["gold"])
        rows.append([f"{size}, {n_labels}",
                     " ".join(f"{100 * a:.1f}" for a in study["accuracy"]),
                     number(curve[0]["gold"]), f"{number(peak['gold'])} (n {peak['n']:.0f})",
                     number(curve[-1]["gold"]), number(curve[-1]["proxy"], 2),
                     f"{number(curve[-1]['kl'], 2)} of {number(curve[-1]['bound'], 2)}",
                     *describe_fit(study["fits"]["d"]), *describe_fit(study["fits"]["log d"]),
                     *[describe_error(study["extrapolation"][form]) for form in ("d", "log d")]])
    return rows


def describe_error(extrapolation):
    if extrapolation["error"] is None:
        return "–"
    return f"{extrapolation['error']:+.3f} ± {number(extrapolation['half_width'])}"


BON_HEAD = ["size, rankings", "accuracy, % (seeds)", "gold n 1", "gold at its peak", "gold n max",
            "proxy n max", "KL of formula", "α (d)", "β", "R²", "α (log d)", "β", "R²",
            "error at n max, d", "log d"]
PPO_HEAD = ["size, rankings, KL coefficient, seed", "KL", "proxy", "gold first", "gold at its peak",
            "at KL", "gold last", "α (d)", "β", "R²", "α (log d)", "β", "R²", "above audit line"]


def smooth(points, width=5):
    """Means of neighbouring iterations, as one has the noise of its few rollouts."""
    return [{key: common.mean([p[key] for p in points[i:i + width]]) for key in points[0]}
            for i in range(0, len(points), width)]


def ppo_rows(runs, bons):
    rows = []
    for (size, n_labels, beta, seed), cell in runs.items():
        points = smooth(cell["points"])
        peak = max(points, key=lambda p: p["gold"])
        fits = fit_both(gains_of(points))
        bound = bons.get((size, n_labels, seed))
        above = "–" if bound is None else str(sum(
            p["proxy"] > audit_bound(bound["audit"], p["kl"]) for p in points))
        rows.append([f"{size}, {n_labels}, {beta}, {seed}", number(points[-1]["kl"], 1),
                     number(points[-1]["proxy"], 2), number(points[0]["gold"]),
                     number(peak["gold"]), number(peak["kl"], 1), number(points[-1]["gold"]),
                     *describe_fit(fits["d"]), *describe_fit(fits["log d"]), above])
    return rows


def bon_charts(plan, bons, studies):
    found = []
    for (size, n_labels), study in studies.items():
        chart = charts.Chart(f"{size} parameters, {n_labels} rankings", "√KL", "judge's score")
        for (s, n, _), cell in bons.items():
            if (s, n) == (size, n_labels):
                chart.add("", [(math.sqrt(max(p["kl"], 0)), p["gold"]) for p in cell["curve"]], 0,
                          0.8)
        points = study["curve"]
        chart.add("gold", [(math.sqrt(max(p["kl"], 0)), p["gold"]) for p in points], 0, dots=True)
        start = points[0]["gold"]
        for i, (form, one) in enumerate(study["early"].items()):
            if one is not None:
                chart.add(f"d(α − β{form if form == 'd' else ' log d'}), n ≤ {plan['fit_to']}",
                          [(d, start + predict(one, d, form))
                           for d, _ in gains_of(points)], 1 + i, 1.5, "5 4")
        found.append(chart)
    return found


def proxy_chart(studies):
    chart = charts.Chart("Proxy of the best of n", "√KL", "reward model's score")
    for i, ((size, n_labels), study) in enumerate(studies.items()):
        if n_labels == max(n for _, n in studies):
            chart.add(f"{size}", [(math.sqrt(max(p["kl"], 0)), p["proxy"])
                                  for p in study["curve"]], i // 3, dots=True)
    return chart


def ppo_charts(runs, bons):
    found = []
    for (size, n_labels) in dict.fromkeys((s, n) for s, n, _, _ in runs):
        gold = charts.Chart(f"PPO: {size}, {n_labels} rankings", "√KL", "judge's score")
        proxy = charts.Chart(f"PPO: {size}, {n_labels} rankings", "KL, nats",
                             "reward model's score")
        for (s, n, beta, seed), cell in runs.items():
            if (s, n) != (size, n_labels):
                continue
            points = smooth(cell["points"])
            colour = 0 if beta == 0 else 1
            gold.add(f"KL coefficient {beta}",
                     [(math.sqrt(max(p["kl"], 0)), p["gold"]) for p in points], colour, 1.5)
            proxy.add(f"KL coefficient {beta}", [(p["kl"], p["proxy"]) for p in points], colour,
                      1.5)
            if (s, n, seed) in bons:
                audit = bons[(s, n, seed)]["audit"]
                proxy.add("no policy is above", [(p["kl"], audit_bound(audit, p["kl"]))
                                                 for p in points], 4, 1, "2 3")
        found += [gold, proxy]
    return found


def write_report(path, plan, bons, runs, studies):
    n_seeds = len({seed for _, _, seed in bons})
    charts.write_page(path, "Over-optimisation on the starter's world", [
        charts.paragraph(
            f"Gold is the rule judge. {n_seeds} seeds of best-of-n, {len(runs)} PPO runs; "
            f"{plan['prompts']} prompts that no ranking is of, {plan['samples']} samples each. "
            "Thin lines are seeds, thick ones their mean, dashed ones the two forms fitted to "
            f"n ≤ {plan['fit_to']} and continued."),
        "<h2>Best of n</h2>\n", charts.grid(bon_charts(plan, bons, studies)),
        charts.grid([proxy_chart(studies)]) if studies else "",
        charts.table(BON_HEAD, bon_rows(studies)),
        "<h2>PPO</h2>\n", charts.grid(ppo_charts(runs, bons)),
        charts.table(PPO_HEAD, ppo_rows(runs, bons)),
    ])


# --- The program ----------------------------------------------------------------------------


def ppo_plan(plan, n_seeds):
    """PPO's cells, what matters most first, each with all seeds before the next."""
    sizes, labels = list(plan["sizes"]), plan["labels"]
    middle = labels[len(labels) // 2]
    pairs = [(sizes[-1], middle), (sizes[0], middle), (sizes[-1], labels[-1]),
             (sizes[-1], labels[0]), (sizes[len(sizes) // 2], middle)]
    pairs = list(dict.fromkeys(pairs + [(s, n) for n in labels for s in sizes]))
    return [(size, n, beta, seed) for size, n in pairs for seed in range(1, n_seeds + 1)
            for beta in plan["betas"]]


def fill(world_, n_seeds, n_ppo, until):
    """Makes cells while there is time; returns what there is."""
    plan = world_.plan
    bons, runs = {}, {}
    for seed in range(1, n_seeds + 1):
        for n_labels in plan["labels"]:  # rising, as rankings are added and never taken away
            for size in plan["sizes"]:
                key = (size, n_labels, seed)
                if time.monotonic() < until or world_.cells.has(f"bon-{size}-{n_labels}-{seed}"):
                    bons[key] = world_.best_of_n(*key)
                    common.say(f"best of n: {size}, {n_labels} rankings, seed {seed}: accuracy "
                               f"{100 * bons[key]['accuracy']:.1f} %, gold "
                               + " ".join(f"{p['gold']:.3f}" for p in bons[key]["curve"]))
    for key in ppo_plan(plan, n_seeds):
        name = "ppo-" + "-".join(map(str, key))
        if world_.cells.has(name) or (len(runs) < n_ppo and time.monotonic() < until
                                      and (key[0], key[1], key[3]) in bons):
            runs[key] = world_.ppo(*key)
            points = smooth(runs[key]["points"])
            common.say(f"PPO: {key[0]}, {key[1]} rankings, β {key[2]}, seed {key[3]}: gold "
                       + " ".join(f"{p['gold']:.2f}" for p in points) + ", KL "
                       + " ".join(f"{p['kl']:.1f}" for p in points))
    return bons, runs


def check(plan, bons, runs, report):
    """What must hold whatever comes out; the text of what does not."""
    wrong = []
    for (size, n_labels, seed), cell in bons.items():
        where = f"{size}, {n_labels}, seed {seed}"
        for p, q in zip(cell["curve"], cell["curve"][1:]):
            if q["proxy"] < p["proxy"] - 1e-9:
                wrong.append(f"{where}: the best of {q['n']} by proxy is worse than of {p['n']}")
        for p in cell["curve"]:
            if p["kl"] > p["bound"] + 1e-9:
                wrong.append(f"{where}: the KL at n = {p['n']} is above the formula")
            if p["win_proxy"] > p["n"] / (p["n"] + 1) + 1e-9:
                wrong.append(f"{where}: the win rate at n = {p['n']} is above n/(n + 1)")
    for key, cell in runs.items():
        if len(cell["points"]) != plan["ppo"]["max_steps"]:
            wrong.append(f"PPO {key} has {len(cell['points'])} iterations")
    with open(report, encoding="utf-8") as file:
        n_charts = file.read().count("<svg")
    if n_charts < len(plan["sizes"]) * len(plan["labels"]):
        wrong.append(f"the report has {n_charts} charts")
    return wrong


def main():
    parser = common.make_parser(__doc__, 4)
    common.add_work_options(parser, "goodhart")
    parser.add_argument("--ppo", type=int, default=8, help="how many PPO runs (8)")
    parser.add_argument("--report", help="the page (WORK/goodhart.html)")
    arguments = parser.parse_args()
    with common.open_work(arguments) as work:
        return study(arguments, work)


def study(arguments, work):
    plan = SMOKE if arguments.smoke else FULL
    here = World(arguments.program, work, plan)
    bons, runs = fill(here, arguments.seeds, arguments.ppo,
                      time.monotonic() + 60 * arguments.minutes)
    studies = {}
    for size in plan["sizes"]:
        for n_labels in plan["labels"]:
            cells = [cell for key, cell in bons.items() if key[:2] == (size, n_labels)]
            if cells:
                studies[(size, n_labels)] = study_bon(plan, cells)
    report = arguments.report or here.path("goodhart.html")
    write_report(report, plan, bons, runs, studies)
    common.say()
    common.print_table(BON_HEAD, bon_rows(studies))
    common.say()
    common.print_table(PPO_HEAD, ppo_rows(runs, bons))
    common.say(f"report   {report}")
    wrong = check(plan, bons, runs, report)
    if arguments.smoke and fill(here, arguments.seeds, 0, 0) != (bons, runs):
        wrong.append("a second start does not find the cells of the first")
    for line in wrong:
        common.say(f"WRONG: {line}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"bon": [{"size": s, "labels": n, **study}
                               for (s, n), study in studies.items()],
                       "ppo": [{"size": s, "labels": n, "beta": b, "seed": seed, **cell}
                               for (s, n, b, seed), cell in runs.items()]}, file, indent=1)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
