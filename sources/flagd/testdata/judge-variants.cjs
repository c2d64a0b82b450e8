// Reads {"files": [path, ...], "flag": key, "users": n} on standard input and prints,
// for each file, how many of users user-0 .. user-(n-1) flagd's own evaluation gives
// each variant.
const { FlagdCore } = require('@openfeature/flagd-core');
const fs = require('fs');

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const ask = JSON.parse(fs.readFileSync(0, 'utf8'));
console.log(JSON.stringify(ask.files.map((file) => {
  const core = new FlagdCore(undefined, quiet);
  core.setConfigurations(fs.readFileSync(file, 'utf8'));
  const counts = {};
  for (let i = 0; i < ask.users; i++) {
    const context = { targetingKey: 'user-' + i, email: 'user-' + i + '@example.com' };
    const got = core.resolveStringEvaluation(ask.flag, '', context, quiet);
    if (got.errorCode) throw new Error(file + ': ' + got.errorCode + ' ' + got.errorMessage);
    counts[got.variant] = (counts[got.variant] || 0) + 1;
  }
  return counts;
})));
