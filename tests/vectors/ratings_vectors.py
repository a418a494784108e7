#!/usr/bin/env python3
"""Ratings and length-controlled win rates by other algorithms than Laurel's, in numpy.

Bradley-Terry by the minorise-maximise iteration (Hunter 2004), Davidson's model and the
length-controlled rate by gradient ascent with a step that the curvature bounds, all in
float64 and far past convergence. Writes ratings/expected.json beside this file.

SPDX-License-Identifier: Apache-2.0
"""
import json
import pathlib

import numpy as np


def make_counts(rng, n, ties):
    strength = rng.normal(0, 1, n)
    wins = np.zeros((n, n))
    tied = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            if rng.random() < 0.25 and j != i + 1:
                continue  # not every two were compared; neighbours always, so that all hang together
            games = int(rng.integers(8, 40))
            weights = np.array([np.exp(strength[i]), np.exp(strength[j]),
                                ties * np.exp((strength[i] + strength[j]) / 2)])
            a, b, t = rng.multinomial(games, weights / weights.sum())
            wins[i, j], wins[j, i] = a + 1, b + 1  # both have won: ratings are finite
            tied[i, j] = tied[j, i] = t
    return wins, tied


def fit_mm(wins):
    n = len(wins)
    games = wins + wins.T
    p = np.ones(n)
    for _ in range(200000):
        sums = np.array([sum(games[i, j] / (p[i] + p[j]) for j in range(n) if j != i)
                         for i in range(n)])
        new = wins.sum(axis=1) / sums
        new /= np.exp(np.log(new).mean())
        if np.abs(np.log(new / p)).max() < 1e-15:
            break
        p = new
    return np.log(p)


def fit_davidson(wins, tied):
    n = len(wins)
    theta, delta = np.zeros(n), 0.0
    step = 1 / (wins.sum() + tied.sum() / 2)  # the Hessian's norm is below the number of games
    for _ in range(400000):
        grad, grad_delta = np.zeros(n), 0.0
        for i in range(n):
            for j in range(i + 1, n):
                games = wins[i, j] + wins[j, i] + tied[i, j]
                if games == 0:
                    continue
                w = np.exp([theta[i], theta[j], (theta[i] + theta[j]) / 2 + delta])
                p = w / w.sum()
                grad[i] += wins[i, j] + tied[i, j] / 2 - games * (p[0] + p[2] / 2)
                grad[j] += wins[j, i] + tied[i, j] / 2 - games * (p[1] + p[2] / 2)
                grad_delta += tied[i, j] - games * p[2]
        theta += step * grad
        delta += step * grad_delta
        if max(np.abs(grad).max(), abs(grad_delta)) < 1e-10:
            break
    return theta - theta.mean(), delta


def fit_lengths(results, gaps):
    scale = np.sqrt((gaps ** 2).mean())
    bend = np.tanh(gaps / scale)
    y = (1 + results) / 2
    x = np.stack([np.ones_like(bend), bend], axis=1)
    beta = np.zeros(2)
    step = 4 / len(y) / 2
    for _ in range(1000000):
        grad = x.T @ (y - 1 / (1 + np.exp(-x @ beta))) - 1e-4 * beta
        beta += step * grad
        if np.abs(grad).max() < 1e-11:
            break
    return float(scale), float(beta[0]), float(beta[1])


def main():
    rng = np.random.default_rng(20)
    wins, _ = make_counts(rng, 6, 0)
    tied_wins, tied = make_counts(rng, 5, 0.8)
    davidson, log_nu = fit_davidson(tied_wins, tied)
    gaps = np.round(rng.normal(6, 15, 120))
    results = np.sign(rng.normal(0.3 + gaps / 20, 1)).astype(int)
    results[rng.random(120) < 0.15] = 0
    scale, alpha, beta = fit_lengths(results, gaps)
    expected = {
        "plain": {"wins": wins.astype(int).tolist(), "ratings": fit_mm(wins).tolist()},
        "half": {"wins": tied_wins.astype(int).tolist(), "ties": tied.astype(int).tolist(),
                 "ratings": fit_mm(tied_wins + tied / 2).tolist()},
        "davidson": {"ratings": davidson.tolist(), "log_nu": log_nu},
        "lengths": {"results": results.tolist(), "gaps": gaps.astype(int).tolist(),
                    "scale": scale, "alpha": alpha, "beta": beta},
    }
    folder = pathlib.Path(__file__).parent / "ratings"
    folder.mkdir(exist_ok=True)
    with open(folder / "expected.json", "w", encoding="utf-8") as out:
        json.dump(expected, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
