// Evaluates one flag with Unleash's own Node SDK for user ids 0..n-1 and prints
// those that are given it. Arguments: API URL, token, flag, n.
const { initialize } = require('unleash-client');

const [url, token, flag, n] = process.argv.slice(2);
const unleash = initialize({
  url, appName: 'judge', customHeaders: { Authorization: token }, disableMetrics: true, refreshInterval: 0,
  storageProvider: { get: async () => undefined, set: async () => {} },
});
unleash.on('error', (e) => { console.error(String(e)); process.exit(1); });
unleash.on('synchronized', () => {
  const on = [];
  for (let i = 0; i < Number(n); i++) {
    if (unleash.isEnabled(flag, { userId: String(i) })) on.push(i);
  }
  console.log(JSON.stringify(on));
  unleash.destroy();
  process.exit(0);
});
