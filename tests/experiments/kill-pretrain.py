#!/usr/bin/env python3
"""Kills a pretraining run with SIGKILL at random points and resumes it, until it is done.

    tests/experiments/kill-pretrain.py [--kills 20] [--seed 1] [LAURELCTL]

The run that was killed must end in the bytes of one that was not. Points are drawn over the time
that the whole run took, so they fall into loading, steps, evaluations, samples and the writing of
checkpoints; how many kills found a checkpoint half written is counted and said.

SPDX-License-Identifier: Apache-2.0
"""

import argparse
import glob
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

CONFIG = """{"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 320,
 "n_positions": 64, "n_embd": 64, "n_layer": 2, "n_head": 2, "activation_function": "gelu_new",
 "layer_norm_epsilon": 1e-05, "initializer_range": 0.02, "tie_word_embeddings": true}"""

# A checkpoint after every third step, so that many kills fall into the writing of one.
SETTINGS = {
    "batch_size": 8, "gradient_accumulation_steps": 2, "warmup_steps": 20,
    "save_steps": 3, "eval_steps": 20, "eval_split": 0.1, "learning_rate": 0.002,
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


class Project:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder

    def command(self, *words):
        return [self.program, "--project", os.path.join(self.folder, "p.laurel"), *words]

    def run(self, *words):
        return subprocess.run(
            self.command(*words), check=True, capture_output=True, text=True
        ).stdout

    def pretrain(self, output):
        settings = [f"{key}={value}" for key, value in SETTINGS.items()]
        words = ["train", "pretrain", "--model", "blank", "--output", output, "--data",
                 os.path.join(self.folder, "text.txt")]
        for setting in settings:
            words += ["--set", setting]
        return self.command(*words)

    def hash(self, output):
        path = os.path.join(self.folder, "p.laurel", "models", output, "model.safetensors")
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def loss(self, run):
        return self.run("run", "metrics", str(run), "--csv")

    def half_written(self, run):
        folder = os.path.join(self.folder, "p.laurel", "runs", str(run))
        return len(glob.glob(os.path.join(folder, "checkpoint.laurel.*")))


def set_up(program, folder):
    with open(os.path.join(folder, "text.txt"), "w", encoding="utf-8") as file:
        file.write(make_text(600))
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        file.write(CONFIG)
    project = Project(program, folder)
    tokenizer = os.path.join(folder, "tokenizer")
    subprocess.run([program, "tokenizer", "train", os.path.join(folder, "text.txt"),
                    "--vocab-size", "320", "--output", tokenizer],
                   check=True, capture_output=True)
    subprocess.run([program, "project", "create", os.path.join(folder, "p.laurel"), "--empty"],
                   check=True, capture_output=True)
    project.run("model", "create", "blank", "--config", os.path.join(folder, "config.json"),
                "--tokenizer", tokenizer, "--seed", "1")
    return project


def kill_until_done(project, n_kills, seconds, rng):
    """Run 2, killed @n_kills times and resumed; returns how many checkpoints it left half written."""
    n_half = 0
    command = project.pretrain("killed")
    for kill in range(n_kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # All together half of the whole's time, so that there is a run left to kill.
        time.sleep(rng.uniform(0.0, seconds / n_kills))
        process.send_signal(signal.SIGKILL)
        code = process.wait()
        if code == 0:
            return kill, n_half
        status = project.run("run", "list")
        if len(status.splitlines()) > 2:  # the run's row is there
            command = project.command("train", "resume", "2")
        n_half += project.half_written(2)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return n_kills, n_half


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?",
                        default=os.environ.get("LAURELCTL", "build/release/app/laurelctl"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="laurel-kill-") as folder:
        project = set_up(program, folder)
        SETTINGS["max_steps"] = 100 + 25 * arguments.kills
        start = time.monotonic()
        subprocess.run(project.pretrain("whole"), check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        n_kills, n_half = kill_until_done(project, arguments.kills, seconds, rng)
        same_bytes = project.hash("whole") == project.hash("killed")
        same_metrics = project.loss(1) == project.loss(2)
        left = project.half_written(2)
    print(f"{n_kills} kills in a run of {seconds:.1f} s, {n_half} with a checkpoint half written: "
          f"{'the same bytes' if same_bytes else 'OTHER BYTES'}, "
          f"{'the same metrics' if same_metrics else 'OTHER METRICS'}, {left} leftovers")
    return 0 if same_bytes and same_metrics and left == 0 and n_kills == arguments.kills else 1


if __name__ == "__main__":
    sys.exit(main())
