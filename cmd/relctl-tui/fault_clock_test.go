package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is the board's, and can be set while the board runs.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) set(ahead time.Duration)  { c.ahead.Store(int64(ahead)) }
func (c *clock) skew(d time.Duration)     { c.ahead.Add(int64(d)) }
func (c *clock) offset() time.Duration    { return time.Duration(c.ahead.Load()) }
func moment(at time.Time) (header string) { return at.UTC().Format(http.TimeFormat) }

// skewed is the real answer of a server whose clock is ahead: the moments in it and
// in its header are that server's.
func (w *wire) skewed(ahead time.Duration) http.HandlerFunc {
	inJSON := regexp.MustCompile(`\[(\d+(?:\.\d+)?),"`)
	return func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		rec := httptest.NewRecorder()
		w.real.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if asked(r) == "application/json" {
			body = inJSON.ReplaceAllFunc(body, func(b []byte) []byte {
				at, err := strconv.ParseFloat(string(b[1:bytes.IndexByte(b, ',')]), 64)
				if err != nil {
					return b
				}
				return fmt.Appendf(nil, "[%.3f,\"", at+ahead.Seconds())
			})
		} else {
			stamp := fmt.Appendf(nil, " %d\n", time.Now().Add(ahead).UnixMilli())
			var out []byte
			for line := range bytes.Lines(body) {
				if !bytes.HasPrefix(line, []byte("#")) {
					line = append(bytes.TrimSpace(line), stamp...)
				}
				out = append(out, line...)
			}
			body = out
		}
		rw.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		rw.Header().Set("Date", moment(time.Now().Add(ahead)))
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(body)
	}
}

// clockCell is a board and a server that do not agree about the time, and a board
// whose clock is set while it runs: nothing is old for ever, and nothing that
// nobody reads any more becomes new.
func clockCell(source, server string) *cell {
	return &cell{source: source, fault: "clock skew", run: func(c *cell) {
		w, ours := lay(c, server, nil), &clock{}
		w.answer(w.skewed(-time.Hour))
		ours.set(time.Hour)
		p := &plant{c: c, w: w, source: source, flags: flagFile(c, fleetFile)}
		p.s = boardAt(c, faultConfig(c, p.flags, p.metrics(w, "1s")), ours.now)
		p.awaitFresh()
		for _, jump := range []time.Duration{-2 * time.Hour, 3 * time.Hour, -time.Hour} {
			ours.skew(jump)
			w.answer(w.skewed(-ours.offset()))
			p.awaitLasting()
		}
		// Now the server hangs. Ahead, all is old at once; back again, it is not fresh
		// for long.
		w.answer(hang)
		p.awaitFault("did not answer within 1s")
		ours.skew(time.Hour)
		p.awaitUnknown()
		ours.skew(-2 * time.Hour)
		p.awaitFault("did not answer within 1s")
		p.awaitUnknown()
		p.changeFlags(false)
		lifted := time.Now()
		w.answer(w.skewed(time.Hour))
		p.awaitFresh()
		c.healed = time.Since(lifted)
		c.said = "nothing, whatever the clocks; and when it hangs besides: " + c.said
	}}
}

// awaitLasting waits until the numbers are fresh for longer than they would be if
// nobody had read them since.
func (p *plant) awaitLasting() {
	before, since := p.w.requests.Load(), time.Now()
	p.await("fresh numbers for a while", func(text string) bool {
		return time.Since(since) > 4*time.Second && p.w.requests.Load() > before+3 &&
			trusted(text, p.source) && !has("cannot read")(text)
	})
	p.awaitFresh()
}

// slowCell is a server that takes its time, but less than it may.
func slowCell(source, server string) *cell {
	return &cell{source: source, fault: "slow, within the timeout", run: func(c *cell) {
		w := lay(c, server, nil)
		p := &plant{c: c, w: w, source: source, flags: flagFile(c, fleetFile)}
		p.s = boardOn(c, faultConfig(c, p.flags, p.metrics(w, "")))
		p.awaitFresh()
		w.relay(`{"type":"latency","attributes":{"latency":400}}`)
		p.awaitLasting()
		c.said = "nothing: the numbers stay fresh"
	}}
}

// failoverCell is a Prometheus that breaks, and pages that stand in for it until it
// works again. They are not asked before.
func failoverCell(servers map[string]string) *cell {
	return &cell{source: "prometheus and scrape", fault: "500 of the first", run: func(c *cell) {
		first, second := lay(c, servers["prometheus"], nil), lay(c, servers["scrape"], nil)
		p := &plant{c: c, w: first, source: "prometheus", flags: flagFile(c, fleetFile)}
		stand := &plant{c: c, w: second, source: "scrape"}
		p.s = boardOn(c, faultConfig(c, p.flags, stand.metrics(second, ""), p.metrics(first, "")))
		stand.s = p.s
		speaks := func(name string) {
			p.await(name+" speaks", func(text string) bool { return strings.Contains(head(text), "✓ "+name+" speaks") })
		}
		speaks("prometheus")
		p.awaitFresh()
		require.Zero(c, second.requests.Load(), "what stands by is not asked")
		first.answer(answers(http.StatusInternalServerError, "text/plain", "oops"))
		speaks("scrape")
		stand.awaitFresh()
		text := p.await("both in the header", func(text string) bool {
			return strings.Contains(head(text), "prometheus unknown") && strings.Contains(head(text), "✓ scrape speaks")
		})
		c.said = flat(head(text))
		lifted := time.Now()
		first.answer(nil)
		speaks("prometheus")
		p.awaitFresh()
		c.healed = time.Since(lifted)
		asked := second.requests.Load()
		p.awaitLasting()
		require.Equal(c, asked, second.requests.Load(), "it stands by again")
	}}
}
