package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// metricsFault is what can happen between a board and what it reads its metrics
// from.
type metricsFault struct {
	name    string
	says    map[string]string // by source: what the screen must say, blanks as one
	begin   func(w *wire)
	end     func(w *wire)
	tls     bool
	named   bool   // the server is found by a name
	timeout string // of one request; "" for what no healthy server takes
	kill    bool   // the operator kills a flag meanwhile
}

// both is one sentence from either source.
func both(words string) map[string]string {
	return map[string]string{"prometheus": words, "scrape": words}
}

// fronted is a fault of HTTP.
func fronted(name string, says map[string]string, h http.HandlerFunc) metricsFault {
	return metricsFault{name: name, says: says, begin: func(w *wire) { w.answer(h) }, end: func(w *wire) { w.answer(nil) }}
}

// wired is a fault of TCP.
func wired(name, says string, toxics ...string) metricsFault {
	return metricsFault{
		name: name, says: both(says),
		begin: func(w *wire) { w.relay(toxics...) }, end: func(w *wire) { w.relay() },
	}
}

func metricsFaults(dns *names) []metricsFault {
	const noAPI, noMetrics = "not Prometheus's API, check the URL", "not metrics, check the path"
	list := []metricsFault{
		{
			name: "refused", says: both("refuses connections, check the address and that it runs"),
			begin: func(w *wire) { w.refuse() }, end: func(w *wire) { w.relay() }, kill: true,
		},
		wired("hang", "did not answer within 1s", `{"type":"timeout","attributes":{"timeout":0}}`),
		wired("slow", "did not answer within 1s", `{"type":"latency","attributes":{"latency":2500}}`),
		{
			name: "reset mid-body", says: both("broke off in the middle of its answer"),
			begin: func(w *wire) {
				w.answer(w.padded)
				w.relay(`{"type":"limit_data","attributes":{"bytes":1500}}`)
			},
			end: func(w *wire) { w.answer(nil); w.relay() },
		},
		wired("reset", "broke off the connection", `{"type":"reset_peer","attributes":{"timeout":0}}`),
		fronted("429 with Retry-After", both("answered 429 Too Many Requests, not to be asked again for 7s"),
			answers(http.StatusTooManyRequests, "text/plain", "slow down", "Retry-After", "7")),
		fronted("500", both("answered 500 Internal Server Error"), answers(http.StatusInternalServerError, "text/plain", "oops")),
		fronted("garbage", map[string]string{
			"prometheus": "does not answer as Prometheus's API does", "scrape": "answered something else than metrics",
		}, rubbish),
		fronted("huge", map[string]string{
			"prometheus": "sent more than 33554432 bytes", "scrape": "sent more than 16777216 bytes of metrics",
		}, flood),
		fronted("wrong content type", map[string]string{
			"prometheus": "answered text/html, " + noAPI, "scrape": "answered text/html, " + noMetrics,
		}, answers(http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in</title>")),
		{
			name: "DNS failure", says: both("has a host name that does not resolve"), named: true,
			begin: func(w *wire) { dns.known.Delete(w.host); w.relay() },
			end:   func(w *wire) { dns.known.Store(w.host, true) },
		},
		trust("TLS: unknown authority", "has a certificate of an unknown authority, name its CA file",
			func(a *authority) { a.shown.Store(a.unknown) }),
		trust("TLS: expired", "has a certificate valid only 20",
			func(a *authority) { a.shown.Store(a.outdated) }),
	}
	for i := range list {
		switch list[i].name {
		case "hang", "slow":
			list[i].timeout = "1s"
		case "500", "429 with Retry-After":
			list[i].kill = true
		}
	}
	return list
}

func trust(name, says string, show func(*authority)) metricsFault {
	return metricsFault{
		name: name, says: both(says), tls: true,
		begin: func(w *wire) { show(w.certs); w.relay() },
		end:   func(w *wire) { w.certs.shown.Store(w.certs.good); w.relay() },
	}
}

// rubbish claims to be what was asked for, and would take over the terminal.
func rubbish(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", asked(r))
	_, _ = io.WriteString(rw, "\x00\xff\x1b[2J\x1b[31mPWNED\x1b]0;PWNED\a{]\xfe\n")
}

// asked is the content type of an honest answer.
func asked(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return "application/json"
	}
	return "text/plain; version=0.0.4"
}

// flood is little on the wire and forty megabytes once it is unpacked.
func flood(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", asked(r))
	rw.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(rw)
	line := []byte("# " + strings.Repeat(" ", 60_000) + "\n")
	if asked(r) == "application/json" {
		line = []byte(strings.Repeat(" ", 60_000))
	}
	for range 700 {
		if _, err := z.Write(line); err != nil {
			return
		}
	}
	_ = z.Close()
}

// metricsCell is a board on a flag file and one source of metrics.
func metricsCell(source, server string, f metricsFault, dns *names) *cell {
	return &cell{source: source, fault: f.name, run: func(c *cell) {
		var certs *authority
		if f.tls {
			certs = newAuthority(c)
		}
		w := lay(c, server, certs)
		if f.named {
			w.host = fmt.Sprintf("host%d.test", len(source)) // another one for each cell
			dns.known.Store(w.host, true)
		}
		p := &plant{c: c, w: w, source: source, flags: flagFile(c, fleetFile)}
		p.s = boardOn(c, faultConfig(c, p.flags, p.metrics(w, f.timeout)))
		p.awaitFresh()
		f.begin(w)
		p.awaitFault(f.says[source])
		p.changeFlags(f.kill)
		p.awaitUnknown()
		lifted := time.Now()
		f.end(w)
		p.awaitFresh()
		c.healed = time.Since(lifted)
	}}
}

// plant is one cell's board and what it reads.
type plant struct {
	c      *cell
	s      *screen
	w      *wire
	source string // of the metrics, as it is called on the screen
	flags  string // the flag file
}

// metrics is the source's line of the config.
func (p *plant) metrics(w *wire, timeout string) string {
	dsn, more := w.url(), ""
	if p.source == "scrape" {
		dsn = "scrape+" + dsn
	}
	if timeout == "" {
		timeout = "5s"
	}
	if w.certs != nil {
		more = ", ca_file: " + w.certs.file
	}
	return fmt.Sprintf("{dsn: %q, name: %s, every: %s, timeout: %s%s}", dsn, p.source, every, timeout, more)
}

// awaitFresh waits until the numbers are those of now, and marked as such.
func (p *plant) awaitFresh() {
	p.await(p.source+" fresh", func(text string) bool {
		return trusted(text, p.source) && !strings.Contains(flat(text), "cannot read "+p.source) &&
			p.all("Breakers", func(r shown) bool { return has("closed")(r.text) && has("/s")(r.text) && !has("stale")(r.text) }) &&
			p.all("Latency", func(r shown) bool { return has("✓ ok")(r.text) && has("/s")(r.text) })
	})
	require.True(p.c, p.all("Breakers", func(r shown) bool { return r.colours[green] }), "closed, and known to be")
}

// trusted tells whether the header has a tick for a source, alone or for its group.
func trusted(text, source string) bool {
	return strings.Contains(head(text), "✓ "+source+" fresh") || strings.Contains(head(text), "✓ "+source+" speaks")
}

// all tells whether a pane has rows and all of them are so, but for the board's own
// breakers and sentences.
func (p *plant) all(pane string, is func(shown) bool) bool {
	n := 0
	for _, r := range p.s.pane(pane) {
		if has("cannot read")(r.text) || has("relctl-tui/")(r.text) {
			continue
		}
		if n++; !is(r) {
			return false
		}
	}
	return n > 0
}

// green, red and cyan say how something is; nothing that is old may.
const (
	red   = "1"
	green = "2"
	cyan  = "6"
)

// dull is a row that is old and does not shine.
func dull(r shown) bool {
	return (has("stale")(r.text) || has("unknown")(r.text)) && !r.colours[green] && !r.colours[red] && !r.colours[cyan]
}

// awaitFault waits until what is shown is marked as old, and says in words why. The
// colours of the last state are gone by then.
func (p *plant) awaitFault(says string) {
	p.await(p.source+" stale", func(text string) bool {
		return strings.Contains(head(text), "◔ "+p.source+" stale") && p.all("Breakers", dull) && p.all("Latency", dull)
	})
	p.awaitSentence("Breakers", says)
}

// awaitSentence waits until a pane says why it shows what is old.
func (p *plant) awaitSentence(pane, says string) {
	p.await(says, func(string) bool {
		for _, r := range p.s.pane(pane) {
			if has(says)(r.text) {
				p.c.said = plain(r.text, p.flags)
				return true
			}
		}
		return false
	})
}

// plain is a sentence for the table: without what differs from run to run, and
// without what each of them ends with.
func plain(line, flags string) string {
	line = strings.ReplaceAll(strings.TrimSpace(line), flags, "FILE")
	if at := strings.LastIndex(line, ". T"); at > 0 {
		line = line[:at+1]
	}
	line = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(line, "HOST")
	return regexp.MustCompile(`since \d\d:\d\d`).ReplaceAllString(line, "since HH:MM")
}

// await has more patience than a scenario alone: a whole matrix runs beside it.
func (p *plant) await(what string, cond func(text string) bool) string {
	return p.s.awaitLong(what, cond, 3*patience)
}

// awaitUnknown waits until old numbers are no longer shown at all.
func (p *plant) awaitUnknown() {
	p.await(p.source+" unknown", func(text string) bool {
		return strings.Contains(head(text), "? "+p.source+" unknown") &&
			p.all("Breakers", func(r shown) bool { return has("? unknown")(r.text) && !has("/s")(r.text) && dull(r) }) &&
			p.all("Latency", func(r shown) bool { return !has("/s")(r.text) && dull(r) })
	})
}

// changeFlags changes a flag from outside, or by the kill key, while the metrics
// are not to be had: the screen shows it at once, and as fresh.
func (p *plant) changeFlags(kill bool) {
	if kill {
		pick(p.s, "checkout-v2")
		p.s.press("K")
		p.await("killed", func(text string) bool {
			return lineWith(text, "checkout-v2", "killed") != ""
		})
		p.s.awaitFile(p.flags, has(`"state": "DISABLED"`))
	} else {
		replaceFile(p.c, p.flags, strings.Replace(fleetFile, `["on", 25], ["off", 75]`, `["on", 60], ["off", 40]`, 1))
		p.await("60%", func(text string) bool { return lineWith(text, "checkout-v2", "60%") != "" })
	}
	p.await("fresh flags", func(text string) bool {
		return strings.Contains(head(text), "✓ flags fresh") && !strings.Contains(head(text), "✓ "+p.source)
	})
}

// replaceFile puts a whole new file in place, as every careful writer does.
func replaceFile(c *cell, path, text string) {
	c.Helper()
	require.NoError(c, os.WriteFile(path+".new", []byte(text), 0o644))
	require.NoError(c, os.Rename(path+".new", path))
}

func readAll(c *cell, path string) string {
	c.Helper()
	b, err := os.ReadFile(path)
	require.NoError(c, err)
	return string(b)
}
