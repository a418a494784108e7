#!/usr/bin/env python3
"""Whether PPO's steps on the starter are as large as those of a published run, and honestly paid.

    tests/experiments/ranges.py [--work DIR] [--seeds 4] [--minutes M] [--smoke] [LAURELCTL]

300 rankings of four completions by the rule judge, every tenth with two neighbours swapped; from
them a reward model and a PPO run by the preset “starter”, one of each a seed. Reported are step
size, clipped ratios and ratio beside what Huang et al. 2024 (N+) print for four epochs on a batch,
and the audit line, which no mean score may be above. Asserted are the mean step size within N+'s
range, no step above 0.03, and the audit line.

Every cell is kept in the folder, so that a stopped experiment goes on where it was.

SPDX-License-Identifier: Apache-2.0
"""

import math
import os
import sys
import time

sys.dont_write_bytecode = True
import common  # noqa: E402
import world  # noqa: E402

NOISE = 0.1
FULL = {"rankings": 300, "max_tokens": 64, "settings": {}}
SMOKE = {"rankings": 16, "max_tokens": 16,
         "settings": {"max_steps": 2, "batch_size": 8, "response_length": 16, "eval_steps": 0}}
STEP, CLIPPED, RATIO = "policy/approxkl_avg", "policy/clipfrac_avg", "val/ratio"
RANGES = {STEP: (0.003, 0.008), CLIPPED: (0.025, 0.073), RATIO: (0.9987, 1.0022)}
ALARM = 0.03  # of the step size
KEYS = [*RANGES, "objective/scores", "objective/kl", "objective/audit_bound", "eval/gold"]


def run_ppo(program, work, plan, seed):
    """The metrics of one seed's run, iteration by iteration."""
    project = common.Project(program, os.path.join(work, f"seed-{seed}.laurel"))
    if not os.path.exists(project.path):
        project.create()
    if project.query("SELECT count (*) FROM rankings")[0][0] == 0:
        project.run("sample", "run", "--model", "sft", "--prompts", plan["rankings"],
                    "--completions", 4, "--temperature", 1, "--max-tokens", plan["max_tokens"],
                    "--seed", seed, "--task")
        project.run("ranking", "simulate", "--judge", world.JUDGE, "--noise", NOISE, "--seed", seed)
    make(project, "reward", [], {"seed": seed})
    run = make(project, "ppo", ["--reward-model", "reward", "--gold", world.JUDGE],
               {"seed": seed, **plan["settings"]})
    return {key: [value for value, in project.query(
        "SELECT value FROM metrics WHERE run_id = ? AND key = ? ORDER BY step", run, key)]
        for key in KEYS}


def make(project, stage, words, settings):
    """The number of the run, which goes on when it was killed."""
    rows = project.query("SELECT id, status FROM runs WHERE output = ?", stage)
    if not rows:
        return project.train(stage, "sft", stage, settings, "--preset", "starter", *words)
    if rows[-1][1] != "done":
        project.run("train", "resume", rows[-1][0])
    return rows[-1][0]


def summarise(seed, metrics):
    row = [seed]
    for key in RANGES:
        values = metrics[key]
        half = values[:(len(values) + 1) // 2]
        digits = 4 if key != CLIPPED else 3
        row.append(f"{common.mean(values):.{digits}f} ({common.mean(half):.{digits}f}), "
                   f"{min(values):.{digits}f} to {max(values):.{digits}f}")
    gap = min(b - s for b, s in zip(metrics["objective/audit_bound"], metrics["objective/scores"]))
    row.append(f"{gap:.2f}")
    row.append(f"{common.mean(metrics['objective/kl'][-5:]):.2f}")
    row.append(" ".join(f"{v:.2f}" for v in metrics["eval/gold"]) or "–")
    return row


HEAD = ["seed", "step size: mean (first half), extremes", "clipped ratios", "ratio",
        "least gap to the audit line", "KL at the end", "gold"]


def check(results, smoke):
    """What must hold; the text of what does not."""
    wrong = []
    for seed, metrics in results.items():
        if any(score > bound for score, bound in zip(metrics["objective/scores"],
                                                     metrics["objective/audit_bound"])):
            wrong.append(f"seed {seed}: a mean score is above the audit line")
        steps = metrics[STEP]
        low, high = RANGES[STEP]
        if not smoke and not low <= common.mean(steps) <= high:
            wrong.append(f"seed {seed}: the mean step size is {common.mean(steps):.4f}")
        if not smoke and max(steps) > ALARM:
            wrong.append(f"seed {seed}: a step size is {max(steps):.4f}")
        if len(metrics["objective/audit_bound"]) != len(steps) or len(steps) < 2:
            wrong.append(f"seed {seed}: {len(steps)} iterations with step sizes")
    return wrong


def main():
    parser = common.make_parser(__doc__, 4)
    common.add_work_options(parser, "ranges")
    arguments = parser.parse_args()
    with common.open_work(arguments) as work:
        return run_all(arguments, os.path.abspath(work))


def run_all(arguments, work):
    plan = SMOKE if arguments.smoke else FULL
    cells = common.Cells(os.path.join(work, "cells"))
    until = time.monotonic() + 60 * arguments.minutes
    program, results = os.path.abspath(arguments.program), {}
    for seed in range(1, arguments.seeds + 1):
        if cells.has(str(seed)) or time.monotonic() < until:
            results[seed] = cells.get(str(seed), lambda s=seed: run_ppo(program, work, plan, s))
    common.print_table(HEAD, [summarise(seed, metrics) for seed, metrics in results.items()])
    common.say("N+: " + ", ".join(f"{key} {low} to {high}" for key, (low, high) in RANGES.items()))
    if arguments.json:
        common.save_json(arguments.json, results)
    wrong = check(results, arguments.smoke)
    for line in wrong:
        common.say(f"WRONG: {line}")
    return 1 if wrong or not results else 0


if __name__ == "__main__":
    sys.exit(main())
