#!/usr/bin/env python3
"""compare.py: Laurel's benchmarks beside other engines', in turns, on the same machine.

compare.py LAURELCTL PEERS [--rounds N] [--times N] [--setup NAME]… [--json] [WORKLOAD…]

PEERS is a folder with train_torch.py, gen_torch.py and ppo_torch.py, which
measure PyTorch on the same shapes and print JSON. llama.cpp takes part where
llama-bench and llama-batched-bench are in PATH. What is not installed is said
and left out. Each round measures Laurel, then every peer, so that a machine
that slows down does so for all; what is printed are medians of the rounds.

SPDX-License-Identifier: Apache-2.0"""
import argparse
import glob
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import gguf

SHAPES = {  # layers, heads, width, vocabulary, context
    "small256": (6, 8, 256, 4096, 256),
    "small384": (6, 6, 384, 4096, 256),
    "gpt2-124m": (12, 12, 768, 50257, 1024),
}
WORKLOADS = [
    "train/small256/8x256",
    "train/small384/8x256",
    "train/gpt2-124m/4x64",
    "train/gpt2-124m/4x256",
    "prefill/small256/1x64",
    "prefill/small256/1x256",
    "prefill/gpt2-124m/1x64",
    "prefill/gpt2-124m/1x256",
    "decode/small256/1",
    "decode/small256/8",
    "decode/small256/16",
    "decode/small256/32",
    "decode/gpt2-124m/1",
    "decode/gpt2-124m/8",
    "decode/gpt2-124m/16",
    "decode-bf16/gpt2-124m/1",
    "decode-bf16/gpt2-124m/8",
    "decode-bf16/gpt2-124m/16",
    "ppo/small256",
]
AS_INSTALLED = "as-installed"
PROMPT, DECODED = 64, 128
THREADS = str(os.cpu_count())


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


def measure(command, env=None, cwd=None):
    """Standard output of @command and the most memory it ever had, in bytes; None when it failed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env=env, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text = out.read().decode()
        if process.returncode != 0:
            say(f"failed: {' '.join(command)}: {err.read().decode().strip()[-300:]}")
            return None, 0
        return text, usage.ru_maxrss * 1024


# --- PyTorch ----------------------------------------------------------------------------


def find_python():
    """An interpreter that has PyTorch; None when there is none."""
    for python in ("/usr/bin/python3", shutil.which("python3")):
        if python and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0:
            return python
    return None


def find_setups():
    """The ways in which a user could run it: name → environment. Debian lets BLAS be exchanged."""
    setups = {AS_INSTALLED: {}}
    malloc = "".join(glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4")[:1])
    for name in ("openblas-openmp", "blis-openmp"):
        for folder in glob.glob(f"/usr/lib/*/{name}/libblas.so.3"):
            setups[name + "-tcmalloc"] = {
                "LD_LIBRARY_PATH": os.path.dirname(folder),
                "LD_PRELOAD": malloc,
            }
    if not malloc:
        say("libtcmalloc-minimal4 is not installed: PyTorch is slower without it")
    return setups


def torch_command(workload, times):
    kind, shape, *size = workload.split("/")
    config = ["--config", shape, "--threads", THREADS]
    if kind == "train":
        B, T = size[0].split("x")
        steps = ["--steps", str(times), "--warm", "1"]
        return ["train_torch.py", *config, "--B", B, "--T", T, *steps]
    if kind == "prefill":
        tokens = size[0].split("x")[1]
        return ["gen_torch.py", *config, "--pp", tokens, "--batch", "1", "--gen", "1", "--reps", str(times)]
    if kind == "decode":
        # A prompt longer than the context is left out.
        run = ["--pp", "99999", "--prompt", str(PROMPT), "--gen", str(DECODED), "--reps", str(times)]
        return ["gen_torch.py", *config, "--batch", size[0], *run]
    return ["ppo_torch.py", *config, "--iters", str(times)]


def read_torch(workload, text):
    """Tokens per second, as Laurel counts them."""
    first = json.loads(text.splitlines()[0])
    if workload.startswith("train/"):
        return first["step_tok_s"]
    if workload.startswith("ppo/"):
        return first["iter_resp_tok_s"]
    return first["tok_s"]


def run_torch(python, peers, setup, workload, times):
    env = dict(os.environ, OMP_NUM_THREADS=THREADS, OPENBLAS_NUM_THREADS=THREADS, BLIS_NUM_THREADS=THREADS)
    env.update(setup)
    text, peak = measure([python, *torch_command(workload, times)], env, peers)
    return text and (read_torch(workload, text), peak)


# --- llama.cpp --------------------------------------------------------------------------


def run_llama(folder, workload, times):
    """Without and with its flash attention; the faster counts."""
    kind, shape, *size = workload.split("/")
    bf16 = kind == "decode-bf16"
    path = os.path.join(folder, shape + ("-bf16" if bf16 else "") + ".gguf")
    best = None
    if not os.path.exists(path):
        gguf.write_random(path, *SHAPES[shape], bf16=bf16)
    for flash in (False, True):
        if kind == "prefill":
            tokens = size[0].split("x")[1]
            command = ["llama-bench", "-m", path, "-t", THREADS, "-p", tokens, "-n", "0", "-o", "json"]
            command += ["-r", str(times), "-fa", str(int(flash))]
        else:
            context = str(PROMPT + int(size[0]) * DECODED)
            command = ["llama-batched-bench", "-m", path, "-t", THREADS, "-c", context, "-b", "2048", "-ub", "512"]
            command += ["-npp", str(PROMPT), "-ntg", str(DECODED), "-npl", size[0], "-pps"]
            command += ["-fa"] if flash else []
        text, peak = measure(command)
        if text is None:
            continue
        if kind == "prefill":
            rate = json.loads(text)[0]["avg_ts"]
        else:
            # The table's line: PP, TG, B, N_KV, T_PP, S_PP, T_TG, S_TG, …
            line = re.findall(r"^\|(\s*\d[^\n]*)\|", text, re.MULTILINE)[-1]
            rate = float(line.split("|")[7])
        if best is None or rate > best[0]:
            best = (rate, peak)
    return best


# --- Laurel ------------------------------------------------------------------------------


def run_laurel(laurelctl, workload, times):
    text, _ = measure([laurelctl, "bench", workload, "--times", str(times), "--json"])
    if text is None:
        sys.exit(1)
    measures = json.loads(text)
    found = next(m for m in measures if m["workload"] == workload)
    limits = {m["name"]: m["value"] for m in measures if m["workload"] == "machine"}
    return found["value"], found["peak_bytes"], found["of_sgemm_peak"], limits


# --- The table ----------------------------------------------------------------------------


def compare(options, workload, python, setups, folder):
    ours, theirs = [], {}
    if workload.startswith("decode-bf16/"):
        setups = {}  # Debian's PyTorch has no such decoding.
    for _ in range(options.rounds):
        ours.append(run_laurel(options.laurelctl, workload, options.times))
        for name, setup in setups.items():
            result = run_torch(python, options.peers, setup, workload, options.times)
            theirs.setdefault("torch " + name, []).append(result)
        if folder and not workload.startswith(("train/", "ppo/")):
            theirs.setdefault("llama.cpp", []).append(run_llama(folder, workload, options.times))
    value = statistics.median(run[0] for run in ours)
    peak = max(run[1] for run in ours)
    result = {
        "workload": workload,
        "tokens_per_second": value,
        "peak_bytes": peak,
        "of_sgemm_peak": statistics.median(run[2] for run in ours),
        "limits": {key: statistics.median(run[3][key] for run in ours) for key in ours[0][3]},
        "peers": [],
    }
    for name, runs in theirs.items():
        runs = [run for run in runs if run]
        if not runs:
            continue
        rate = statistics.median(run[0] for run in runs)
        memory = statistics.median(run[1] for run in runs)
        result["peers"].append(
            {
                "peer": name,
                "tokens_per_second": rate,
                "peak_bytes": memory,
                "speed_ratio": value / rate,
                "memory_ratio": peak / memory,
            }
        )
    return result


def print_result(result):
    share = result["of_sgemm_peak"]
    print(
        f"{result['workload']:24} {'Laurel':34} {result['tokens_per_second']:10.1f} tokens/s "
        f"{result['peak_bytes'] / 1e6:7.0f} MB   {share:.3f} of SGEMM"
    )
    for peer in result["peers"]:
        print(
            f"{'':24} {peer['peer']:34} {peer['tokens_per_second']:10.1f} tokens/s "
            f"{peer['peak_bytes'] / 1e6:7.0f} MB   Laurel is {peer['speed_ratio']:.2f} times as fast "
            f"with {peer['memory_ratio']:.2f} of the memory"
        )
    sys.stdout.flush()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("laurelctl")
    parser.add_argument("peers")
    parser.add_argument("workloads", nargs="*", default=WORKLOADS, metavar="WORKLOAD")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--setup", action="append", help="one of PyTorch's set-ups; all without it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_intermixed_args()
    options.workloads = [
        name for name in WORKLOADS if any((name + "/").startswith(w + "/") for w in options.workloads)
    ]
    if not options.workloads:
        parser.error("no such workload; there are " + ", ".join(WORKLOADS))
    return options


def main():
    options = parse_options()
    python = find_python()
    setups, results = {}, []
    if python is None:
        say("PyTorch is not installed (python3-torch): it is left out")
    elif not os.path.exists(os.path.join(options.peers, "train_torch.py")):
        say(f"there is no train_torch.py in “{options.peers}”: PyTorch is left out")
    else:
        setups = find_setups()
    if options.setup:
        setups = {name: setup for name, setup in setups.items() if name in options.setup}
    with tempfile.TemporaryDirectory(prefix="laurel-peers-") as folder:
        has_llama = shutil.which("llama-bench") and shutil.which("llama-batched-bench")
        if not has_llama:
            say("llama-bench and llama-batched-bench are not in PATH: llama.cpp is left out")
        for workload in options.workloads:
            say(workload)
            result = compare(options, workload, python, setups, has_llama and folder)
            results.append(result)
            if not options.json:
                print_result(result)
    if options.json:
        print(json.dumps(results, indent=2))


main()
