// Reads {"files": [path, ...], "flag": key, "users": n} on standard input and prints,
// for each file, what flagd's own evaluation says for users user-0 .. user-(n-1).
// With "running": true one evaluation takes the files one after the other, as
// versions of one file, and may refuse them.
const { FlagdCore } = require('@openfeature/flagd-core');
const fs = require('fs');

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const ask = JSON.parse(fs.readFileSync(0, 'utf8'));
const running = ask.running && new FlagdCore(undefined, quiet);
const answers = ask.files.map((file) => {
  const core = running || new FlagdCore(undefined, quiet);
  let refused = false;
  try {
    core.setConfigurations(fs.readFileSync(file, 'utf8'));
  } catch (e) {
    if (!running) throw e;
    refused = true;
  }
  const on = [];
  const reasons = {};
  for (let i = 0; i < ask.users; i++) {
    const context = { targetingKey: 'user-' + i, email: 'user-' + i + '@example.com' };
    const got = core.resolveBooleanEvaluation(ask.flag, false, context, quiet);
    reasons[got.reason] = (reasons[got.reason] || 0) + 1;
    if (got.errorCode) throw new Error(file + ': ' + got.errorCode + ' ' + got.errorMessage);
    if (got.value) on.push(i);
  }
  return { on, reasons, refused };
});
console.log(JSON.stringify(answers));
