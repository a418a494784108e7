#!/usr/bin/env python3
"""Kills training runs with SIGKILL at random points and resumes them, until they are done.

    tests/experiments/kill-train.py [--stages sft,reward,ppo] [--kills 20] [--seeds 1] [LAURELCTL]

A run that was killed must end in the bytes of one that was not: the model's folder, the checkpoint
(weights, moments, step, β), every metric but the measured times, and of PPO every rollout with its
token records. Points are drawn over the run's own work, so they fall into loading, sampling,
updates, evaluations and the writing of checkpoints. Three more are aimed at what chance rarely
hits: while a checkpoint is half written, while the finished model is, and between the model's row
and the run's last one. Pretraining goes over a text of its own, the other stages over the starter.

SPDX-License-Identifier: Apache-2.0
"""

import glob
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import common  # noqa: E402
import world  # noqa: E402

CONFIG = """{"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 320,
 "n_positions": 64, "n_embd": 64, "n_layer": 2, "n_head": 2, "activation_function": "gelu_new",
 "layer_norm_epsilon": 1e-05, "initializer_range": 0.02, "tie_word_embeddings": true}"""

PPO = {"batch_size": 8, "num_mini_batches": 2, "num_ppo_epochs": 2, "response_length": 16,
       "target_kl": 0.5, "kl_horizon": 100, "save_steps": 1}

# What each run is made of: its stage, settings, and steps for a run of so many kills. Checkpoints
# are frequent, so that many kills fall into the writing of one.
RUNS = {
    "pretrain": ("pretrain", {
        "batch_size": 8, "gradient_accumulation_steps": 2, "warmup_steps": 20, "save_steps": 3,
        "eval_steps": 20, "eval_split": 0.1, "learning_rate": 0.002}, 40, 20),
    "sft": ("sft", {
        "batch_size": 4, "gradient_accumulation_steps": 2, "warmup_steps": 5, "save_steps": 2,
        "eval_steps": 7, "eval_split": 0.05, "eval_rows": 8}, 10, 10),
    "reward": ("reward", {
        "batch_size": 2, "gradient_accumulation_steps": 2, "save_steps": 2, "eval_steps": 5},
        10, 10),
    "reward-seeds": ("reward", {
        "batch_size": 2, "save_steps": 2, "eval_steps": 5, "eval_split": 0.2, "num_seeds": 2},
        10, 6),
    "dpo": ("dpo", {"batch_size": 2, "save_steps": 2}, 10, 10),
    "ppo": ("ppo", PPO, 4, 3),
    "ppo-shared": ("ppo", {**PPO, "vf_share_layers": "true", "vf_coef": 0.1}, 4, 3),
    "ppo-all": ("ppo", {**PPO, "ema_decay": 0.8, "ptx_coef": 0.5, "ptx_batch_size": 2,
                        "eval_steps": 3, "eval_rows": 8}, 4, 3),
    "rloo": ("rloo", {**PPO, "num_generations": 2}, 4, 3),
}


def make_text(n_documents):
    """Documents of very different lengths, out of a few made-up sentences."""
    rng = random.Random(7)
    subjects = ["The river", "A small boat", "Nobody", "The old bridge", "Her brother", "Rain"]
    verbs = ["carries", "remembers", "waits for", "passes", "hides", "follows"]
    objects = ["the harbour", "a letter", "the morning train", "its own name", "snow", "the road"]
    documents = []
    for _ in range(n_documents):
        sentences = [
            f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(objects)}."
            for _ in range(rng.choice([1, 1, 2, 3, 5, 8, 30]))
        ]
        documents.append(" ".join(sentences))
    return "\n\n".join(documents) + "\n"


def set_up_text(program, folder):
    """An empty project with a small model of random weights."""
    project = common.Project(program, os.path.join(folder, "text.laurel")).create(empty=True)
    text = os.path.join(folder, "text.txt")
    config = os.path.join(folder, "config.json")
    tokenizer = os.path.join(folder, "tokenizer")
    with open(text, "w", encoding="utf-8") as file:
        file.write(make_text(600))
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG)
    subprocess.run([program, "tokenizer", "train", text, "--vocab-size", "320", "--output",
                    tokenizer], check=True, capture_output=True)
    project.run("model", "create", "blank", "--config", config, "--tokenizer", tokenizer,
                "--seed", "1")
    return project, "blank", ["--data", text]


def set_up_starter(program, folder, name, tiny):
    """The starter with what the stage needs: demonstrations in a file, rankings, a reward model."""
    project = common.Project(program, os.path.join(folder, "starter.laurel")).create()
    stage = RUNS[name][0]
    model = "sft"
    if tiny:
        model = "tiny"
        config = os.path.join(folder, "config.json")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.replace("320", "2048").replace("64,", "96,", 1))
        project.run("model", "create", model, "--config", config, "--tokenizer", world.SFT,
                    "--seed", "1")
    with open(os.path.join(common.STARTER, "demonstrations.jsonl"), encoding="utf-8") as file:
        rows = [next(file) for _ in range(400)]
    with open(os.path.join(folder, "rows.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(rows)
    if stage == "sft":
        return project, model, ["--data", file.name]
    project.run("sample", "run", "--model", "sft", "--prompts", 40, "--max-tokens", 24, "--task")
    project.run("ranking", "simulate", "--judge", world.JUDGE)
    if stage in ("reward", "dpo"):
        return project, model, []
    project.train("reward", model, "judge", {"max_steps": 5})
    words = ["--reward-model", "judge"]
    if name == "ppo-all":
        words += ["--ptx-data", file.name, "--gold", world.JUDGE]
    return project, model, words


class Run:
    """A training command, and what it left."""

    def __init__(self, project, name, model, words, n_steps):
        self.project = project
        self.stage, self.settings, _, _ = RUNS[name]
        self.model = model
        self.words = words
        self.settings = {**self.settings, "max_steps": n_steps}

    def command(self, output):
        """Starts the run, or resumes it when its row is there."""
        row = self.row(output)
        if row is not None:
            return self.project.command("train", "resume", row[0])
        settings = [w for key, value in self.settings.items() for w in ("--set", f"{key}={value}")]
        return self.project.command("train", self.stage, "--model", self.model, "--output", output,
                                    *self.words, *settings)

    def row(self, output):
        rows = self.project.query("SELECT id, status FROM runs WHERE output = ?", output)
        return rows[0] if rows else None

    def is_done(self, output):
        row = self.row(output)
        return row is not None and row[1] == "done"

    def finish(self, output):
        if self.is_done(output):
            return
        done = subprocess.run(self.command(output), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            common.fail(f"{self.stage} did not finish: {done.stderr.strip()}")

    def first_step(self, output):
        """Seconds from the run's start to the end of its first step."""
        rows = self.project.query(
            "SELECT min (m.time) - r.started FROM metrics AS m JOIN runs AS r ON r.id = m.run_id"
            " WHERE r.output = ?", output)
        return rows[0][0] / 1e6

    def folder(self, output):
        row = self.row(output)
        return os.path.join(self.project.path, "runs", str(row[0])) if row else "/nonexistent"

    def half_checkpoints(self, output):
        return glob.glob(os.path.join(self.folder(output), "**", "checkpoint.laurel.*"),
                         recursive=True)

    def half_models(self):
        return glob.glob(os.path.join(self.project.path, "models", ".new-*"))

    def contents(self, output):
        """All that must be the same, by a word for it."""
        run = self.row(output)[0]
        return {
            "model": hash_files(self.project.model(output)),
            "checkpoint": hash_files(self.folder(output)),
            "metrics": self.project.query(
                "SELECT step, key, value FROM metrics WHERE run_id = ? AND key NOT LIKE 'time/%'"
                " ORDER BY step, key", run),
            "rollouts": self.project.query(
                "SELECT step, row, prompt, completion, prompt_tokens, records, finish, score,"
                " kl_coef FROM rollouts WHERE run_id = ? ORDER BY step, row", run),
        }


def hash_files(folder):
    """Of all that is in it, at any depth."""
    hashes = []
    for path in sorted(glob.glob(os.path.join(folder, "**"), recursive=True)):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                hashes.append((os.path.relpath(path, folder),
                               hashlib.sha256(file.read()).hexdigest()))
    return hashes


def worked(pid):
    """Seconds that all threads of a process have worked, in hundredths."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill_after(command, seconds, rng):
    """Kills after so much work, which does not depend on what else the machine does.

    Whether the process was still there to be killed.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and worked(process.pid) < seconds:
        time.sleep(0.001)
    time.sleep(rng.uniform(0.0, 0.01))
    process.send_signal(signal.SIGKILL)
    return process.wait() != 0


def kill_when_new(command, list_files):
    """Kills as soon as a file appears; False when none did before the end."""
    before = set(list_files())
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while set(list_files()) <= before:
        if process.poll() is not None:
            return False
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def kill_at_random(run, output, n_kills, start, work, rng):
    """How many kills hit, and how many of them left a checkpoint half written."""
    n_half = 0
    # Every start takes @start; what is left between kills is on average half of the run's work.
    share = max(work - start, 0.05) / n_kills
    for kill in range(n_kills):
        if not kill_after(run.command(output), rng.uniform(0.0, start + share), rng) \
                or run.is_done(output):
            return kill, n_half
        n_half += len(run.half_checkpoints(output)) > 0
    return n_kills, n_half


def kill_and_finish(run, output, n_kills, start, work, rng):
    """How many kills hit, how many left a checkpoint half written, and the aimed ones missed."""
    missed = []
    if not kill_when_new(run.command(output), lambda: run.half_checkpoints(output)):
        missed.append("a checkpoint half written")
    n_hit, n_half = kill_at_random(run, output, n_kills, start, work, rng)
    # On a busy machine the model can be whole before the kill comes: said, and no fault.
    if run.is_done(output) or not kill_when_new(run.command(output), run.half_models) \
            or run.is_done(output):
        missed.append("a model half written")
    run.finish(output)
    # The model's row is there and the run's says “running”: what a kill between them leaves.
    run.project.query("UPDATE runs SET status = 'interrupted' WHERE output = ?", output)
    run.finish(output)
    return n_hit, n_half, missed


def work_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def try_run(program, folder, name, n_kills, seed, tiny):
    stage, _, base, per_kill = RUNS[name]
    project, model, words = (set_up_text(program, folder) if stage == "pretrain"
                             else set_up_starter(program, folder, name, tiny))
    run = Run(project, name, model, words, base + per_kill * n_kills)
    whole, killed = f"{name}-whole-{seed}", f"{name}-killed-{seed}"
    start, before = time.monotonic(), work_of_children()
    run.finish(whole)
    seconds, work = time.monotonic() - start, work_of_children() - before
    rng = random.Random(f"{name} {seed}")
    n_hit, n_half, missed = kill_and_finish(run, killed, n_kills,
                                            work * run.first_step(whole) / seconds, work, rng)
    a, b = run.contents(whole), run.contents(killed)
    differ = [what for what in a if a[what] != b[what]]
    left = run.half_checkpoints(killed) + run.half_models()
    status = run.row(killed)[1]
    good = not differ and not left and n_hit == n_kills and status == "done"
    result = {
        "run": name, "seed": seed, "kills": n_hit, "wanted": n_kills, "seconds": seconds,
        "work": work,
        "half_checkpoints": n_half, "missed": missed, "differ": differ, "left": len(left),
        "status": status, "metrics": len(a["metrics"]), "rollouts": len(a["rollouts"]),
        "good": good,
    }
    common.say(
        f"{name}, seed {seed}: {n_hit} kills in a run of {seconds:.1f} s, {n_half} with a "
        f"checkpoint half written, {3 - len(missed)} aimed ones; {result['metrics']} metrics, "
        f"{result['rollouts']} rollouts: "
        + ("the same bytes" if not differ else "OTHER " + ", ".join(differ).upper())
        + (f", {len(left)} LEFTOVERS" if left else "")
        + (f", {status.upper()}" if status != "done" else "")
        + (f"; NOT HIT: {', '.join(missed)}" if missed else "")
        + ("" if n_hit == n_kills else f"; DONE AFTER {n_hit} OF {n_kills} KILLS"))
    return result


def main():
    parser = common.make_parser(__doc__, 1)
    parser.add_argument("--stages", default=",".join(n for n in RUNS if n != "pretrain"),
                        help=f"of {', '.join(RUNS)} (all but pretrain)")
    parser.add_argument("--kills", type=int, default=20, help="random ones, for each run (20)")
    parser.add_argument("--tiny", action="store_true",
                        help="a small random model in place of the starter's")
    arguments = parser.parse_args()
    names = arguments.stages.split(",")
    for name in names:
        if name not in RUNS:
            parser.error(f"there is no run “{name}”")
    program = os.path.abspath(arguments.program)
    results = []
    for seed in range(1, arguments.seeds + 1):
        for name in names:
            with tempfile.TemporaryDirectory(prefix="laurel-kill-") as folder:
                results.append(try_run(program, folder, name, arguments.kills, seed,
                                       arguments.tiny))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    return 0 if all(result["good"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
