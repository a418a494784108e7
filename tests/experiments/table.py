#!/usr/bin/env python3
"""What PPO is to be compared with, on the same rankings: one table.

    tests/experiments/table.py [--work DIR] [--seeds 4] [--minutes M] [--smoke] [LAURELCTL]

300 rankings of four completions by the rule judge, every fourth with two neighbours swapped. From
them: fine-tuning on the chosen completions, DPO, a reward model, and with it the best of 16, RLOO
and PPO, each by its defaults or the starter's recipe, and PPO once more held at the KL of the best
of 16. All answer the same held-out prompts; the judge gives their scores, how much harm they
comply with, facts that are right; the KL to the model they started from is exact at each position,
of the best of 16 that of the distribution which the samples show.

Every cell is kept in the folder, so that a stopped experiment goes on where it was.

SPDX-License-Identifier: Apache-2.0
"""

import math
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
import charts  # noqa: E402
import common  # noqa: E402
import world  # noqa: E402

N = 16
NOISE = 0.25
FULL = {"rankings": 300, "samples": 48, "prompts": 345, "answers": 3, "settings": {}}
SMOKE = {"rankings": 16, "samples": 20, "prompts": 8, "answers": 1,
         "settings": {"max_steps": 2, "batch_size": 8, "save_steps": 0}}

# Name, stage, words of the command, settings. The KL of the best of 16 stands for “KL”.
METHODS = [
    ("SFT", None, [], {}),
    ("SFT on the chosen", "sft", ["--chosen"], {"num_train_epochs": 3}),
    ("DPO", "dpo", [], {}),
    (f"best of {N}", None, [], {}),
    ("RLOO", "rloo", ["--reward-model", "reward"], {}),
    ("PPO", "ppo", ["--reward-model", "reward"], {}),
    (f"PPO at the KL of best of {N}", "ppo", ["--reward-model", "reward"],
     {"target_kl": "KL", "kl_horizon": 300, "max_steps": 60}),
]
MEASURES = [("score", "judge's score", 1), ("complied", "harm complied with, %", 100),
            ("right", "facts right, %", 100), ("length", "tokens", 1), ("kl", "KL, nats", 1)]


class Study:
    def __init__(self, program, work, plan):
        self.program = os.path.abspath(program)
        self.work = os.path.abspath(work)
        self.plan = plan
        self.cells = common.Cells(os.path.join(self.work, "cells"))
        self.stages = self.list_stages()

    def list_stages(self):
        text = common.Project(self.program, self.work).run("train", "--help")
        return {stage for stage in ("sft", "dpo", "rloo", "ppo") if f"  {stage} " in text}

    def project(self, seed):
        """The starter with this seed's rankings and the reward model of them."""
        project = common.Project(self.program, os.path.join(self.work, f"seed-{seed}.laurel"))
        if not os.path.exists(project.path):
            project.create()
        if project.query("SELECT count (*) FROM rankings")[0][0] == 0:
            project.run("sample", "run", "--model", "sft", "--prompts", self.plan["rankings"],
                        "--completions", 4, "--seed", seed, "--temperature", 1, "--top-p", 1,
                        "--task")
            project.run("ranking", "simulate", "--judge", world.JUDGE, "--noise", NOISE, "--seed",
                        seed)
        self.make(project, "reward", "reward", [], {}, seed)
        return project

    def make(self, project, stage, name, words, settings, seed):
        """Trains a model, or resumes what was killed; its folder of checkpoints goes."""
        rows = project.query("SELECT id, status FROM runs WHERE output = ?", name)
        if rows and rows[-1][1] == "done":
            return
        if rows:
            project.run("train", "resume", rows[-1][0])
        else:
            recipe = os.path.join(world.RECIPE, stage + ".json")
            # The recipe of sft is for 12,000 demonstrations.
            config = ["--config", recipe] if os.path.exists(recipe) and stage != "sft" else []
            small = dict(self.plan["settings"])
            if stage in ("sft", "dpo", "reward"):
                small.pop("batch_size", None)
            project.train(stage, "sft", name, {"seed": seed, **settings, **small}, *words, *config)
        run = project.query("SELECT id FROM runs WHERE output = ?", name)[-1][0]
        shutil.rmtree(os.path.join(project.path, "runs", str(run)), ignore_errors=True)

    def best_of_n(self, seed):
        found = self.project(seed).json(
            "evaluate", "bon", "--model", "sft", "--reward-model", "reward", "--judge",
            world.JUDGE, "--samples", self.plan["samples"], "--n", N, "--count",
            self.plan["prompts"], "--seed", seed)[0]
        return {key: found["gold" if key == "score" else key]["value"] for key, _, _ in MEASURES}

    def judge(self, project, model, seed):
        found = project.json("evaluate", "judge", "--model", model, "--reference", "sft",
                             "--judge", world.JUDGE, "--count",
                             self.plan["prompts"] * self.plan["answers"], "--seed", seed)
        return {key: found[key]["value"] for key, _, _ in MEASURES}

    def measure(self, method, seed):
        name, stage, words, settings = method

        def make():
            if name == f"best of {N}":
                return self.best_of_n(seed)
            project = self.project(seed)
            if stage is None:
                return self.judge(project, "sft", seed)
            output = name.lower().replace(" ", "-").replace("'", "")
            kl = None
            if "KL" in settings.values():
                kl = self.cells.get(cell_name(f"best of {N}", seed),
                                    lambda: self.best_of_n(seed))["kl"]
            self.make(project, stage, output, words,
                      {key: kl if value == "KL" else value for key, value in settings.items()},
                      seed)
            return self.judge(project, output, seed)
        return self.cells.get(cell_name(name, seed), make)


def cell_name(method, seed):
    return method.lower().replace(" ", "-").replace("'", "") + f"-{seed}"


def summarise(results):
    rows = []
    for name, cells in results.items():
        row = [name]
        for key, _, scale in MEASURES:
            values = [scale * cell[key] for cell in cells if cell[key] is not None]
            digits = 1 if scale == 100 or key == "length" else 3
            each = " ".join(f"{v:.{digits}f}" for v in values)
            width = f" ± {common.half_width(values):.{digits}f}" if len(values) > 1 else ""
            row.append(f"{common.mean(values):.{digits}f}{width} ({each})" if values else "–")
        rows.append(row)
    return rows


def compare(results):
    """PPO at the KL of the best of 16 less the best of 16, seed by seed."""
    ours, theirs = results.get(METHODS[-1][0], []), results.get(f"best of {N}", [])
    gaps = [a["score"] - b["score"] for a, b in zip(ours, theirs)]
    kls = [f"{a['kl']:.2f} and {b['kl']:.2f}" for a, b in zip(ours, theirs)]
    if not gaps:
        return "PPO at the KL of the best of 16 was not run."
    width = common.half_width(gaps)
    return (f"PPO less best of {N} by the judge: " + " ".join(f"{gap:+.3f}" for gap in gaps)
            + f", mean {common.mean(gaps):+.3f}"
            + (f" ± {width:.3f}" if math.isfinite(width) else "")
            + ", at KLs of " + "; ".join(kls))


def collapses(results):
    """Runs that ended clearly below where they started."""
    start = {i: cell["score"] for i, cell in enumerate(results.get("SFT", []))}
    found = [f"{name}, seed {i + 1}" for name, cells in results.items()
             for i, cell in enumerate(cells) if cell["score"] < start.get(i, -math.inf) - 0.1]
    return "Collapsed (below SFT by more than 0.1): " + ("; ".join(found) if found else "none")


def main():
    parser = common.make_parser(__doc__, 4)
    common.add_work_options(parser, "table")
    arguments = parser.parse_args()
    with common.open_work(arguments) as work:
        return run_all(Study(arguments.program, work, SMOKE if arguments.smoke else FULL),
                       arguments)


def run_all(study, arguments):
    until = time.monotonic() + 60 * arguments.minutes
    results = {}
    for seed in range(1, arguments.seeds + 1):
        for method in METHODS:
            name, stage, _, _ = method
            if stage is not None and stage not in study.stages:
                continue
            if study.cells.has(cell_name(name, seed)) or time.monotonic() < until:
                found = study.measure(method, seed)
                results.setdefault(name, []).append(found)
                common.say(f"{name}, seed {seed}: " + ", ".join(
                    f"{title} {scale * found[key]:.3f}" for key, title, scale in MEASURES
                    if found[key] is not None))
    head = ["mean ± 95 % (seeds)"] + [title for _, title, _ in MEASURES]
    rows = summarise(results)
    common.say()
    common.print_table(head, rows)
    common.say(compare(results))
    common.say(collapses(results))
    report = os.path.join(study.work, "table.html")
    charts.write_page(report, "What PPO is compared with", [
        charts.table(head, rows), charts.paragraph(compare(results)),
        charts.paragraph(collapses(results))])
    common.say(f"report   {report}")
    if arguments.json:
        common.save_json(arguments.json, results)
    finite = all(math.isfinite(cell[key]) for cells in results.values() for cell in cells
                 for key in ("score", "kl"))
    same = all(abs(cell["kl"]) < 1e-4 for cell in results.get("SFT", []))
    return 0 if results and finite and same else 1


if __name__ == "__main__":
    sys.exit(main())
