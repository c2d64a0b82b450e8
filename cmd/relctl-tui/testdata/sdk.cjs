// An application: OpenFeature's server SDK with its providers, and flagd's own
// evaluation behind an HTTP sync as flagd does it. It evaluates one flag for twenty
// users over and over, and prints what they get whenever that changes.
const fs = require("fs");
const { OpenFeature } = require("@openfeature/server-sdk");
const { OFREPProvider } = require("@openfeature/ofrep-provider");
const { FlagdProvider } = require("@openfeature/flagd-provider");
const { FlagdCore } = require("@openfeature/flagd-core");
const { OFREPApi, toResolutionDetails, handleEvaluationError } = require("ofrep-core-now");

const [flagsURL, ofrepURL, file, flag] = process.argv.slice(2);
const users = Array.from({ length: 20 }, (_, i) => `user-${i}`);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

// sync follows the HTTP sync source and hands each version on.
async function sync(use) {
  let etag = "";
  for (;;) {
    const res = await fetch(flagsURL, { headers: etag ? { "If-None-Match": etag, Prefer: "wait=20" } : {} });
    if (res.status === 200) {
      use(await res.text());
      etag = res.headers.get("ETag");
    } else if (res.status !== 304) {
      throw new Error(`sync: ${res.status}`);
    }
  }
}

// newer is the present OFREP client, which no provider that is served here uses yet.
function newer() {
  const api = new OFREPApi({ baseUrl: ofrepURL });
  return async (fallback, user) => {
    const res = await api.postEvaluateFlag(flag, { context: { targetingKey: user } });
    return res.httpStatus === 200 ? toResolutionDetails(res.value, fallback) : handleEvaluationError(res.value, fallback);
  };
}

async function main() {
  const core = new FlagdCore(undefined, quiet);
  await new Promise((first) => {
    sync((text) => {
      core.setConfigurations(text);
      fs.writeFileSync(`${file}.new`, text);
      fs.renameSync(`${file}.new`, file);
      first();
    }).catch((err) => { console.error(err); process.exit(1); });
  });
  await OpenFeature.setProviderAndWait("ofrep", new OFREPProvider({ baseUrl: ofrepURL }));
  await OpenFeature.setProviderAndWait("flagd", new FlagdProvider({ resolverType: "in-process", offlineFlagSourcePath: file }, quiet));
  const client = (name) => {
    const c = OpenFeature.getClient(name);
    return (fallback, user) => c.getBooleanDetails(flag, fallback, { targetingKey: user });
  };
  const asked = {
    ofrep: client("ofrep"),
    ofrep_now: newer(),
    flagd: client("flagd"),
    core: async (fallback, user) => core.resolveBooleanEvaluation(flag, fallback, { targetingKey: user }, quiet),
  };
  const last = {};
  for (;;) {
    for (const [name, ask] of Object.entries(asked)) {
      const off = await Promise.all(users.map((u) => ask(false, u)));
      const on = await Promise.all(users.map((u) => ask(true, u)));
      const got = JSON.stringify({
        who: name,
        on: users.filter((_, i) => off[i].value === true), // when the code says false
        onOrDefault: users.filter((_, i) => on[i].value === true).length, // when the code says true
        reason: off[0].reason,
      });
      if (got !== last[name]) {
        last[name] = got;
        console.log(got);
      }
    }
    await new Promise((next) => setTimeout(next, 2));
  }
}

main().catch((err) => { console.error(err); process.exit(1); });
