package publish

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// flags serves all definitions. A client that has them and prefers to wait is
// answered when there are others.
func (s *Server) flags(w http.ResponseWriter, r *http.Request) {
	e := s.edition(w)
	if e == nil {
		return
	}
	h := w.Header()
	has := func(e *edition) bool { return matches(r.Header.Values("If-None-Match"), e.etag) }
	if wait := preferredWait(r.Header.Values("Prefer")); wait > 0 && r.Method == http.MethodGet && has(e) &&
		h.Get(HeaderStale) == "" && s.wait(w, r, wait) {
		h.Set("Preference-Applied", "wait="+strconv.Itoa(int(wait.Seconds())))
		v := s.feed.view()
		e = v.edition
		s.mark(w, v)
	}
	h.Set("ETag", e.etag)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Prefer")
	if has(e) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(e.doc)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(e.doc) // whoever asked has gone
	}
}

// wait returns when the definitions are others than the client has, when the store
// cannot be read, which a client is to know at once, when the time is up, or when the
// server ends; false when it did not wait. While it waits the request is not counted
// as one that is worked on.
func (s *Server) wait(w http.ResponseWriter, r *http.Request, d time.Duration) bool {
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return false
	}
	// The server's own timeouts are for requests that are answered at once.
	until := time.Now().Add(d + requestTimeout)
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(until)
	_ = c.SetWriteDeadline(until)
	ctx, cancel := context.WithTimeout(r.Context(), d)
	defer cancel()
	<-s.busy
	for {
		v := s.feed.view()
		if !matches(r.Header.Values("If-None-Match"), v.edition.etag) || v.failure != nil {
			break
		}
		select {
		case <-v.changed:
			continue
		case <-ctx.Done():
		case <-s.closing:
		}
		break
	}
	s.busy <- struct{}{} // whoever waited is not turned away
	return true
}

// preferredWait is the time of a "Prefer: wait=N" header (RFC 7240), up to MaxWait;
// 0 for none.
func preferredWait(values []string) time.Duration {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if err == nil {
				return min(time.Duration(n)*time.Second, MaxWait)
			}
		}
	}
	return 0
}

// matches says whether an If-None-Match names the tag.
func matches(values []string, etag string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if tag := strings.TrimPrefix(strings.TrimSpace(part), "W/"); tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}
