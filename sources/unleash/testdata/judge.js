// Evaluates one flag with Unleash's own Node SDK for user ids 0..n-1 and prints
// those that are given it. Arguments: API URL, token, flag, n.
const { startUnleash } = require('unleash-client');

const [url, token, flag, n] = process.argv.slice(2);

async function main() {
  const unleash = await startUnleash({
    url, appName: 'judge', customHeaders: { Authorization: token }, disableMetrics: true, refreshInterval: 3600_000,
    storageProvider: { get: async () => undefined, set: async () => {} },
  });
  const on = [];
  for (let i = 0; i < Number(n); i++) {
    if (unleash.isEnabled(flag, { userId: String(i) })) on.push(i);
  }
  process.stdout.write(JSON.stringify(on));
  unleash.destroy();
}

main().catch((e) => { console.error(e); process.exitCode = 1; });
