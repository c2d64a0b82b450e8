package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"relctl-tui/sources"
)

const (
	maxRefusal = 64 << 10 // bytes of a refusal's body that are looked at
	maxSaid    = 240      // runes of it that are kept
)

// refused is an answer of another status than success.
type refused struct {
	error
	status int
	said   string
}

func (r refused) Unwrap() error { return r.error }

// StatusOf is the HTTP status of the answer that err tells of; 0 when it is not about
// an answer.
func StatusOf(err error) int {
	var r refused
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}

// Said is what the server said with the status that err tells of, cleaned and cut;
// "" for nothing that could be read.
func Said(err error) string {
	var r refused
	if errors.As(err, &r) {
		return r.said
	}
	return ""
}

func (c *Client) refusal(resp *http.Response, token string) error {
	said := ""
	if isJSON(resp.Header.Get("Content-Type")) {
		if b, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)); err == nil {
			said = words(b, token)
		}
	}
	return refused{c.means(resp, said), resp.StatusCode, said}
}

// means is BadStatus for an API, where a missing thing and a lost race have their own
// sentinels.
func (c *Client) means(resp *http.Response, said string) error {
	word := strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	if said != "" {
		word += " (" + said + ")"
	}
	switch resp.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%s answered %s: %w", c.who, word, sources.ErrNotFound)
	case http.StatusConflict, http.StatusPreconditionFailed:
		return fmt.Errorf("%s answered %s, nothing was written; look again and repeat: %w", c.who, word, sources.ErrConflict)
	default:
		return BadStatus(c.who, resp, said)
	}
}

// words are the sentences of an error body: message and error as they are, and the
// messages of details. A server that repeats the token in them is not repeated.
func words(body []byte, token string) string {
	var b struct {
		Message json.RawMessage `json:"message"`
		Error   json.RawMessage `json:"error"`
		Details json.RawMessage `json:"details"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	var all []string
	add := func(s string) {
		if token != "" {
			s = strings.ReplaceAll(s, token, "∙∙∙")
		}
		s = strings.TrimSpace(sources.Clean(s, maxSaid))
		if s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	var text string
	for _, raw := range []json.RawMessage{b.Message, b.Error} {
		if json.Unmarshal(raw, &text) == nil {
			add(text)
		}
	}
	var details []struct {
		Message     string `json:"message"`
		Description string `json:"description"`
	}
	if json.Unmarshal(b.Details, &details) == nil {
		for _, d := range details[:min(len(details), 5)] {
			if add(d.Message); d.Message == "" {
				add(d.Description)
			}
		}
	} else if json.Unmarshal(b.Details, &text) == nil {
		add(text)
	}
	return sources.Clean(strings.Join(all, "; "), maxSaid)
}
