// One opossum breaker with its exporter: GET /call?ok=1 and ?ok=0 send a call through
// it, GET /metrics is what the exporter says. The first line on stdout is the port.
'use strict';
const http = require('http');
const CircuitBreaker = require('opossum');
const PrometheusMetrics = require('opossum-prometheus');

const breaker = new CircuitBreaker(async (ok) => { if (!ok) throw new Error('no'); return 'yes'; }, {
  name: 'ledger', timeout: 1000, errorThresholdPercentage: 50, resetTimeout: Number(process.argv[2] || 500), volumeThreshold: 3,
});
const exporter = new PrometheusMetrics({ circuits: [breaker] });

http.createServer(async (req, res) => {
  const url = new URL(req.url, 'http://localhost');
  if (url.pathname === '/call') {
    await breaker.fire(url.searchParams.get('ok') === '1').catch(() => {});
    res.end(breaker.opened ? 'open' : breaker.halfOpen ? 'half-open' : 'closed');
    return;
  }
  res.setHeader('Content-Type', 'text/plain; version=0.0.4');
  res.end(await exporter.metrics);
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
