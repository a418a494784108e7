#!/usr/bin/env python3
"""How many rankings a reward model needs: chosen at random, or by what reward models make of them.

    tests/experiments/labels.py [--work DIR] [--seeds 4] [--minutes M] [--smoke] [LAURELCTL]

Tasks are four completions of a prompt by the starter's model, ranked by the rule judge with a swap
of neighbours in every fourth. All ways begin with the same few random tasks. Then, each time the
rankings double, the next ones are drawn at random, or taken by one of the queue's strategies
(core/label/selection.h) with three reward models of another head and order each, one task a prompt
and round, a quarter still at random. The accuracy is of pairs of held-out prompts, by the judge
without mistakes, and the mean of the three models. Reported is with how many rankings each way
reaches the accuracy of random choice.

Every cell is kept in the folder, so that a stopped experiment goes on where it was.

SPDX-License-Identifier: Apache-2.0
"""

import math
import os
import random
import sys
import time

sys.dont_write_bytecode = True
import charts  # noqa: E402
import common  # noqa: E402
import world  # noqa: E402

FULL = {"ns": [25, 50, 100, 200, 400], "heads": 3, "draws": 2, "prompts": 558, "heldout": 345,
        "candidates": 500, "settings": {}}
SMOKE = {"ns": [8, 16], "heads": 2, "draws": 1, "prompts": 30, "heldout": 12, "candidates": 30,
         "settings": {"num_train_epochs": 1}}
NOISE = 0.25
RANDOM_SHARE = 0.25
WAYS = ("random", "uncertainty", "near-tie", "large-gap")


class Study:
    def __init__(self, program, work, plan, trunk):
        self.program = os.path.abspath(program)
        self.work = os.path.abspath(work)
        self.plan = plan
        self.trunk = trunk
        self.cells = common.Cells(os.path.join(self.work, "cells"))

    def project(self):
        project = common.Project(self.program, os.path.join(self.work, "p.laurel"))
        if not os.path.exists(project.path):
            project.create()
        return project

    def tasks(self, split, n_prompts, draws, seed):
        """Judged tasks: {"prompt", "samples", "gold"}; only completions that ended, all different.

        What was cut off would be read from its text as if it had ended.
        """
        def make():
            found = []
            for draw in range(draws):
                samples = world.sample(self.program, world.SFT,
                                       world.choose_prompts(split, n_prompts, seed), 6,
                                       100 * seed + draw)
                gold = world.score(self.program, samples, judge=world.JUDGE)["gold"]
                for rows, values in world.by_prompt(samples, samples, gold):
                    task = make_task(rows, values)
                    if task is not None:
                        found.append(task)
            return found
        return self.cells.get(f"tasks-{split}-{seed}", make)

    def score(self, tasks, models):
        """For each model the scores of each task's completions."""
        flat = [sample for task in tasks for sample in task["samples"]]
        scores = world.score(self.program, flat, models)["scores"]
        found = []
        for model in models:
            values = iter(scores[model])
            found.append([[next(values) for _ in task["samples"]] for task in tasks])
        return found

    def choose(self, way, tasks, taken, n_new, models, rng):
        """The next tasks' places."""
        free = [i for i in range(len(tasks)) if i not in taken]
        rng.shuffle(free)
        if way == "random":
            return free[:n_new]
        free = free[:self.plan["candidates"]]
        priorities = prioritise(way, self.score([tasks[i] for i in free], models))
        n_random = math.ceil(RANDOM_SHARE * n_new)
        chosen, prompts = [], set()
        for _, i in sorted(zip(priorities, free), reverse=True):
            if len(chosen) < n_new - n_random and tasks[i]["prompt"] not in prompts:
                chosen.append(i)
                prompts.add(tasks[i]["prompt"])
        rest = [i for i in free if i not in set(chosen)]
        return chosen + rest[:n_new - len(chosen)]

    def train(self, tasks, taken, way, seed):
        """Folders of reward models, the same rankings with another head and order each."""
        project = self.project()
        rows = []
        for i in taken:
            ranks = world.rank(tasks[i]["gold"], random.Random(f"slip {seed} {i}"), NOISE)
            rows.append({"prompt": tasks[i]["prompt"], "ranks": ranks,
                         "completions": [s["completion"] for s in tasks[i]["samples"]]})
        data = world.write_rows(os.path.join(self.work, f"{way}-{seed}.jsonl"), rows)
        folders = []
        for head in range(self.plan["heads"]):
            name = f"rm-{way}-{seed}-{len(taken)}-{head}"
            self.train_one(project, name, 10 * seed + head, data)
            folders.append(project.model(name))
        self.remove_others(project, f"rm-{way}-{seed}-", folders)
        return folders

    def train_one(self, project, name, seed, data):
        """Trains a model, or resumes what an earlier start was killed at."""
        rows = project.query("SELECT id, status FROM runs WHERE output = ?", name)
        if rows and rows[-1][1] not in ("done", "failed"):
            project.run("train", "resume", rows[-1][0])
        elif not os.path.isdir(project.model(name)):
            project.train("reward", self.trunk, name,
                          {"seed": seed, "eval_split": 0, "normalize_rewards": "false",
                           "save_steps": 0, **self.plan["settings"]},
                          "--data", data, "--config", os.path.join(world.RECIPE, "reward.json"))

    def remove_others(self, project, prefix, kept):
        """Frees the room of the rounds before."""
        for row in project.json("model", "list"):
            if row["name"].startswith(prefix) and project.model(row["name"]) not in kept:
                project.run("model", "remove", row["name"])

    def run(self, way, seed, until):
        """Rounds as far as there is time: {"n", "taken", "accuracies", "together"} each."""
        tasks = self.tasks("train", self.plan["prompts"], self.plan["draws"], seed)
        held_out = self.tasks("heldout", self.plan["heldout"], 1, seed)
        rounds, taken, models = [], [], []
        for n in self.plan["ns"]:
            name = f"round-{self.trunk}-{way}-{seed}-{n}"
            if not self.cells.has(name) and time.monotonic() > until:
                break

            def make(n=n):
                nonlocal models
                rng = random.Random(f"choice {seed} {n}")
                if not taken:
                    chosen = self.choose("random", tasks, set(), n, [], rng)
                else:
                    if not models and way != "random":  # a round that an earlier start made
                        models = self.train(tasks, taken, way, seed)
                    chosen = self.choose(way, tasks, set(taken), n - len(taken), models, rng)
                models = self.train(tasks, taken + chosen, way, seed)
                scores = self.score(held_out, models)
                gold = [task["gold"] for task in held_out]
                together = [[sum(v) for v in zip(*each)] for each in zip(*scale(scores))]
                return {"n": n, "taken": taken + chosen,
                        "accuracies": [world.pair_accuracy(zip(s, gold))[0] for s in scores],
                        "together": world.pair_accuracy(zip(together, gold))[0],
                        "pairs": world.pair_accuracy(zip(together, gold))[1]}
            found = self.cells.get(name, make)
            taken = found["taken"]
            rounds.append(found)
            common.say(f"{way}, seed {seed}, {n} rankings: "
                       + " ".join(f"{100 * a:.1f}" for a in found["accuracies"])
                       + f" %, together {100 * found['together']:.1f} %")
        return rounds


def make_task(rows, gold):
    """The first four different completions that ended, if they are not all worth the same."""
    chosen, texts = [], set()
    for i, row in enumerate(rows):
        if row["finish"] == "stop" and row["completion"].strip() and len(chosen) < 4 \
                and row["completion"] not in texts:
            chosen.append(i)
            texts.add(row["completion"])
    values = [gold[i] for i in chosen]
    if len(chosen) < 2 or len(set(values)) < 2:
        return None
    return {"prompt": rows[0]["prompt"], "gold": values,
            "samples": [rows[i] for i in chosen]}


def scale(scores):
    """Each model's scores divided by their deviation, as their units differ."""
    scaled = []
    for model in scores:
        unit = common.deviation([v for task in model for v in task]) or 1.0
        scaled.append([[v / unit for v in task] for task in model])
    return scaled


def prioritise(way, scores):
    """What each task is worth asking by the strategy: the mean over its pairs."""
    found = []
    for each in zip(*scale(scores)):
        pairs = [[1 / (1 + math.exp(m[j] - m[i])) for m in each]
                 for i in range(len(each[0])) for j in range(i)]
        if way == "uncertainty":
            values = [common.deviation(p) for p in pairs]
        else:
            values = [abs(2 * common.mean(p) - 1) for p in pairs]
        found.append(-common.mean(values) if way == "near-tie" else common.mean(values))
    return found


def accuracy(found):
    return common.mean(found["accuracies"])


def labels_for(rounds, target):
    """How many rankings reach an accuracy, between rounds by the logarithm; None: not reached."""
    for before, after in zip([None, *rounds], rounds):
        if accuracy(after) < target:
            continue
        if before is None or accuracy(before) >= target:
            return after["n"]
        share = (target - accuracy(before)) / (accuracy(after) - accuracy(before))
        return before["n"] * (after["n"] / before["n"]) ** share
    return None


def list_accuracies(study, results, way, n_seeds):
    """[(n, the accuracy of each seed that got there)]"""
    return [(n, [accuracy(r) for seed in range(1, n_seeds + 1)
                 for r in results[(way, seed)] if r["n"] == n]) for n in study.plan["ns"]]


def table(study, results, n_seeds):
    """A row for each way and number of rankings."""
    rows = []
    for way in WAYS:
        for n, values in list_accuracies(study, results, way, n_seeds):
            rows.append([way, n, " ".join(f"{100 * v:.1f}" for v in values),
                         f"{100 * common.mean(values):.1f}" if values else "–",
                         f"{100 * common.half_width(values):.1f}" if len(values) > 1 else "–"])
    return rows


def compare(study, results, n_seeds):
    """For each way, seed and number of random rankings: what it needs for that accuracy."""
    lines = []
    for way in WAYS[1:]:
        for n in study.plan["ns"][1:]:
            found = []
            for seed in range(1, n_seeds + 1):
                target = [accuracy(r) for r in results[("random", seed)] if r["n"] == n]
                if target and results[(way, seed)]:
                    found.append(labels_for(results[(way, seed)], target[0]))
            reached = [f for f in found if f is not None]
            lines.append([way, n,
                          " ".join("not reached" if f is None else f"{f:.0f}" for f in found),
                          f"{common.mean(reached) / n:.2f}" if reached and None not in found
                          else "–"])
    return lines


HEAD = ["way", "rankings", "accuracy, % (seeds)", "mean", "±"]
NEEDS = ["way", "random rankings", "as good with (seeds)", "share"]


def write_report(path, study, results, n_seeds):
    chart = charts.Chart("Held-out accuracy of the reward model", "log₂ of rankings", "%")
    for colour, way in enumerate(WAYS):
        for seed in range(1, n_seeds + 1):
            chart.add("", [(math.log2(r["n"]), 100 * accuracy(r)) for r in results[(way, seed)]],
                      colour, 0.8)
        means = [(math.log2(n), 100 * common.mean(values))
                 for n, values in list_accuracies(study, results, way, n_seeds) if values]
        chart.add(way, means, colour, dots=True)
    charts.write_page(path, "Which rankings to ask for", [
        charts.grid([chart]), charts.table(HEAD, table(study, results, n_seeds)),
        charts.table(NEEDS, compare(study, results, n_seeds))])


def main():
    parser = common.make_parser(__doc__, 4)
    common.add_work_options(parser, "labels", "round")
    parser.add_argument("--trunk", default="sft", help="the model that reward models start from, "
                        "by name or folder (sft, the starter's)")
    arguments = parser.parse_args()
    with common.open_work(arguments) as work:
        study = Study(arguments.program, work, SMOKE if arguments.smoke else FULL, arguments.trunk)
        return run_all(study, arguments)


def run_all(study, arguments):
    until = time.monotonic() + 60 * arguments.minutes
    results = {}
    for seed in range(1, arguments.seeds + 1):
        for way in WAYS:
            results[(way, seed)] = study.run(way, seed, until)
    n_seeds = arguments.seeds
    common.say()
    common.print_table(HEAD, table(study, results, n_seeds))
    common.say()
    common.print_table(NEEDS, compare(study, results, n_seeds))
    report = os.path.join(study.work, "labels.html")
    write_report(report, study, results, n_seeds)
    common.say(f"report   {report}")
    if arguments.json:
        common.save_json(arguments.json, [{"way": way, "seed": seed, "rounds": rounds}
                                          for (way, seed), rounds in results.items()])
    # What must hold whatever comes out.
    for (way, seed), rounds in results.items():
        for found in rounds:
            if len(set(found["taken"])) != found["n"]:
                common.fail(f"{way}, seed {seed}: {found['n']} rankings are not all different")
        if rounds and results[("random", seed)][0]["taken"] != rounds[0]["taken"]:
            common.fail(f"seed {seed}: the ways did not begin with the same rankings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
