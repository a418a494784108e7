#!/usr/bin/env python3
"""Injects seven bugs into PPO, one at a time, and runs the test that must find them.

    tests/experiments/mutations.py [--build build/release] [--seeds 5] [--smoke] [--json FILE]

The test is tests/train/test-optimum.c: PPO through the real transformer against the optimum that
is known in closed form. The program as it is must come near it with every seed; each bug must fall
short of that, or trip one of the checks that run in every PPO run. Each is a change of one line,
which must be there exactly once, else nothing is run: the file is copied, changed, compiled with
the build's own command and linked in place of the original. Two more columns decide nothing: what
the bug would do if those checks were not there, and whether the tests of PPO's arithmetic
(tests/train/test-ppo-math.c) find it too. --smoke leaves them out.

The build must be of Ninja, with the targets test-optimum and test-ppo-math built.

SPDX-License-Identifier: Apache-2.0
"""

import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import common  # noqa: E402

# Where PPO is; a line is found in whichever file has it.
FILES = "core/train/ppo*.c"

PAY = "rewards[t] = (float) (-kl_coef * kl[t] + (t == n - 1 ? score : 0));"

BUGS = [
    ("KL dropped", PAY, "rewards[t] = (float) (t == n - 1 ? score : 0);"),
    ("KL's sign", PAY, "rewards[t] = (float) (kl_coef * kl[t] + (t == n - 1 ? score : 0));"),
    ("k3 in the reward", PAY,
     "rewards[t] = (float) (-kl_coef * (expm1 (ref_logprobs[t] - logprobs[t]) - (ref_logprobs[t] - logprobs[t]))"
     " + (t == n - 1 ? score : 0));"),
    ("score one token early", PAY,
     "rewards[t] = (float) (-kl_coef * kl[t] + (t == MAX (n - 2, 0) ? score : 0));"),
    ("value beyond the end", "double next_value = 0;", "double next_value = values[n - 1];"),
    ("old log-probability at T 0.7",
     "self->reference_pass.hidden, &labels, self->hp->temperature, logprobs,",
     "self->reference_pass.hidden, &labels, 0.7 * self->hp->temperature, logprobs,"),
    # Of two calls of the sampler the one that draws what is trained on.
    ("sampled at T 0.7, trained at T 1",
     "samples = laurel_generate (self->policy,",
     "options.temperature *= 0.7; samples = laurel_generate (self->policy,"),
]

# The checks of every run, switched off.
UNGUARDED = [
    ("if (fabs (paid - due) > 1e-6 * size) /* each reward is rounded to a float once */",
     "if (fabs (paid - due) > 1e30 * size)"),
    ("if (t < last && fabs (batch->rewards[t] - leash) > 1e-6 * (1 + fabs (leash)))",
     "if (t < last && fabs (batch->rewards[t] - leash) > 1e30 * (1 + fabs (leash)))"),
    ("if (!(gap <= 1e-6 * (1 + fabs (paid))))", "if (!(gap <= 1e30 * (1 + fabs (paid))))"),
    ("if (!laurel_kl_gap_is_gross (gap))", "if (!laurel_kl_gap_is_gross (gap) || TRUE)"),
    ("#define MAX_SAMPLER_ERROR 1e-3", "#define MAX_SAMPLER_ERROR 1e30"),
    ("#define MAX_FIRST_RATIO_ERROR 1e-5", "#define MAX_FIRST_RATIO_ERROR 1e30"),
]

RESULT = re.compile(r"seed \d+: J (\S+) of (\S+), share (\S+), kl (\S+) of (\S+)")
TRIPPED = re.compile(r"Could not (?:go on with PPO|trust this run): ([^;]*);")


def change_lines(changes):
    """The changed files by path; @changes are (old, new), the beginning of a line each.

    A beginning that is nowhere, or twice, ends the program.
    """
    sources = {}
    for path in sorted(glob.glob(os.path.join(common.SOURCE, FILES))):
        with open(path, encoding="utf-8") as file:
            sources[os.path.relpath(path, common.SOURCE)] = file.read().split("\n")
    changed = set()
    for old, new in changes:
        places = [(path, i) for path, lines in sources.items()
                  for i, line in enumerate(lines) if line.strip().startswith(old)]
        if len(places) != 1:
            common.fail(f"{FILES} have {len(places)} lines “{old}…” where one was expected; "
                        "say in this script how the bug looks now")
        path, i = places[0]
        sources[path][i] = sources[path][i].replace(old, new)
        changed.add(path)
    return {path: "\n".join(sources[path]) for path in sorted(changed)}


class Build:
    """Compiles and links single files by the commands that the build itself uses."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        commands = common.load_json(os.path.join(self.folder, "compile_commands.json"))
        self.compile_commands = {os.path.relpath(c["file"], common.SOURCE): c for c in commands}

    def get_link(self, target):
        done = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", target], check=True,
                              capture_output=True, text=True)
        link = done.stdout.strip().split("\n")[-1]
        words = shlex.split(link.removeprefix(": && ").removesuffix(" && :"))
        if "-o" not in words:
            common.fail(f"{self.folder}: this is no command that links: {link}")
        return words

    def compile(self, path, text, folder):
        copy = os.path.join(folder, path.replace("/", "-"))
        words = shlex.split(self.compile_commands[path]["command"])
        words[words.index("-c") + 1] = copy
        words[words.index("-o") + 1] = copy + ".o"
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text)
        # Only a launcher of compilers such as ccache could mind that it is no file of the tree.
        subprocess.run(words, check=True, cwd=self.compile_commands[path]["directory"])
        return copy + ".o"

    def make(self, changes, target, folder):
        """The program @target with changed sources; the folder gets it and what it is made of."""
        program = os.path.join(folder, target)
        objects = [self.compile(path, text, folder)
                   for path, text in change_lines(changes).items()]
        words = self.get_link(target)
        at = words.index("-o")
        words[at + 1] = program
        words[at:at] = objects  # before the libraries, so that theirs are not taken
        subprocess.run(words, check=True, cwd=self.folder)
        return program


def run_seed(program, seed):
    """What became of one seed: the share of the way, the KL, what was tripped, and the verdict."""
    done = subprocess.run([program, "--tap", "-p", f"/train/ppo/closed-form-optimum/{seed}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1", "CHARSET": "UTF-8"})
    found = RESULT.search(done.stdout)
    tripped = TRIPPED.search(done.stdout)
    if found is None and tripped is None:
        common.fail(f"seed {seed} says neither a result nor a check: {done.stdout[-2000:]}")
    return {
        "seed": seed,
        "share": float(found[3]) if found else None,
        "kl": float(found[4]) if found else None,
        "best_kl": float(found[5]) if found else None,
        "tripped": re.sub(r"-?\d[\d.e+-]*", "…", tripped[1]) if tripped else None,
        "passed": done.returncode == 0,
    }


def describe(seeds):
    """One cell of the table."""
    if seeds is None:
        return "–"
    shares = [s["share"] for s in seeds if s["share"] is not None]
    caught = sum(not s["passed"] for s in seeds)
    words = [f"{caught} of {len(seeds)}"]
    if shares:
        words.append("share " + " ".join(f"{share:.3f}" for share in shares))
    words += sorted({f"“{s['tripped']}”" for s in seeds if s["tripped"]})
    return ", ".join(words)


def try_bug(build, changes, n_seeds):
    with tempfile.TemporaryDirectory(prefix="laurel-mutation-") as folder:
        program = build.make(changes, "test-optimum", folder)
        return [run_seed(program, seed) for seed in range(1, n_seeds + 1)]


def finds_arithmetic(build, changes):
    """Whether the tests of PPO's arithmetic fail."""
    with tempfile.TemporaryDirectory(prefix="laurel-mutation-") as folder:
        program = build.make(changes, "test-ppo-math", folder)
        return subprocess.run([program, "--tap"], capture_output=True, check=False).returncode != 0


def try_all(build, n_seeds, smoke):
    rows = [{"bug": "none", "guarded": try_bug(build, [], n_seeds), "unguarded": None}]
    common.say(f"as it is: {describe(rows[0]['guarded'])} fail")
    for name, *change in BUGS:
        change = tuple(change)
        row = {"bug": name, "guarded": try_bug(build, [change], n_seeds), "unguarded": None}
        if not smoke:
            row["unguarded"] = try_bug(build, [change, *UNGUARDED], n_seeds)
            row["arithmetic"] = finds_arithmetic(build, [change])
        rows.append(row)
        common.say(f"{name}: found by {describe(row['guarded'])}")
        if not smoke:
            common.say(f"    without the checks of every run: {describe(row['unguarded'])}")
            common.say("    the tests of the arithmetic "
                       + ("find it" if row["arithmetic"] else "do not find it"))
    return rows


def main():
    parser = common.make_parser(__doc__, 5)
    parser.add_argument("--build", metavar="DIR", help="the build (that of laurelctl)")
    parser.add_argument("--smoke", action="store_true", help="only what decides")
    arguments = parser.parse_args()
    build = arguments.build or os.path.dirname(os.path.dirname(arguments.program))
    for _, *change in BUGS:
        change_lines([tuple(change), *UNGUARDED])  # all of them before anything is built
    rows = try_all(Build(build), arguments.seeds, arguments.smoke)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    sound = all(seed["passed"] for seed in rows[0]["guarded"])
    missed = [row["bug"] for row in rows[1:] if all(seed["passed"] for seed in row["guarded"])]
    common.say(f"{'every' if sound else 'NOT EVERY'} seed is near the optimum, "
               f"{len(BUGS) - len(missed)} of {len(BUGS)} bugs are found"
               + (f"; MISSED: {', '.join(missed)}" if missed else ""))
    return 0 if sound and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
