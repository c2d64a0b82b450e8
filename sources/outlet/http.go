package outlet

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// Server is how an outlet's server is reached.
type Server struct {
	Name      string // on screen
	URL       string // for a chat or a webhook the whole address, for Grafana its base
	Transport http.RoundTripper
	Timeout   time.Duration
	// Key is asked before each event: what signs a webhook, or PagerDuty's routing key.
	Key func() (string, error)
	Now func() time.Time
}

func (s *Server) client() (*web.Client, error) {
	return web.New(s.Name, s.URL, web.Options{Transport: s.Transport, Timeout: s.Timeout, MaxBody: 1 << 20})
}

// Grafana is Grafana's annotations: one for each change, whose end is when the change was
// in force. The token that Transport carries needs the permission annotations:write, and
// annotations:read for Check.
type Grafana struct {
	name   string
	client *web.Client
	ids    map[string]int64 // of annotations, by change
	order  []string
}

// NewGrafana is the annotations of a Grafana at s.URL.
func NewGrafana(s Server) (*Grafana, error) {
	c, err := s.client()
	return &Grafana{name: s.Name, client: c, ids: map[string]int64{}}, err
}

// Name implements Outlet.
func (g *Grafana) Name() string { return g.name }

// Send implements Outlet: POST /api/annotations.
func (g *Grafana) Send(ctx context.Context, e Event) error {
	tags := []string{"relctl", e.Kind, e.Name}
	if e.Context != "" {
		tags = append(tags, e.Context)
	}
	body := map[string]any{"time": e.At.UnixMilli(), "tags": tags, "text": e.Text()}
	var out struct {
		ID int64 `json:"id"`
	}
	if _, err := g.client.Do(ctx, web.Request{Method: http.MethodPost, Path: "/api/annotations", Body: body}, &out); err != nil {
		return err
	}
	g.ids[e.ID] = out.ID
	if g.order = append(g.order, e.ID); len(g.order) > remembered {
		delete(g.ids, g.order[0])
		g.order = g.order[1:]
	}
	return nil
}

// Complete implements Completer: PATCH /api/annotations/ID with the annotation's end.
func (g *Grafana) Complete(ctx context.Context, e Event) error {
	id, ok := g.ids[e.ID]
	if !ok {
		return nil // it never got there
	}
	body := map[string]any{"timeEnd": e.Effective.UnixMilli()}
	_, err := g.client.Do(ctx, web.Request{Method: http.MethodPatch, Path: "/api/annotations/" + strconv.FormatInt(id, 10), Body: body}, nil)
	return err
}

// Check implements Checker: it reads one annotation.
func (g *Grafana) Check(ctx context.Context) error {
	var out []json.RawMessage
	_, err := g.client.Do(ctx, web.Request{Path: "/api/annotations", Query: map[string][]string{"limit": {"1"}}}, &out)
	return err
}

// Webhook is any address that takes JSON, signed as Standard Webhooks 1.0.0 say
// (https://www.standardwebhooks.com): webhook-id is the same for every try of one event,
// webhook-timestamp is the time of the try, and webhook-signature is "v1," and the
// base64 of HMAC-SHA256 over ID.TIMESTAMP.BODY. A key that begins with whsec_ is base64.
type Webhook struct {
	server Server
	client *web.Client
}

// NewWebhook is the webhook at s.URL; s.Key is required.
func NewWebhook(s Server) (*Webhook, error) {
	c, err := s.client()
	return &Webhook{s, c}, err
}

// Name implements Outlet.
func (w *Webhook) Name() string { return w.server.Name }

// message is the body of a webhook. Fields may be added, never renamed.
type message struct {
	Type       string            `json:"type"` // "change", or "change.effective" for a change that was told before
	Timestamp  string            `json:"timestamp"`
	Text       string            `json:"text"`
	Attributes map[string]string `json:"attributes"` // OpenTelemetry's names
}

// Send implements Outlet.
func (w *Webhook) Send(ctx context.Context, e Event) error {
	return w.post(ctx, &e, e.ID, "change", e.At)
}

// Complete implements Completer.
func (w *Webhook) Complete(ctx context.Context, e Event) error {
	return w.post(ctx, &e, e.ID+".effective", "change.effective", e.Effective)
}

func (w *Webhook) post(ctx context.Context, e *Event, id, kind string, at time.Time) error {
	key, err := w.server.Key()
	if err != nil {
		return fmt.Errorf("%s: %w", w.server.Name, err)
	}
	body, err := json.Marshal(message{kind, at.UTC().Format(time.RFC3339Nano), e.Text(), e.Attributes(e.Context, e.Variant)})
	if err != nil {
		return fmt.Errorf("%s: %w: %w", w.server.Name, err, sources.ErrInvalid)
	}
	stamp := strconv.FormatInt(w.server.Now().Unix(), 10)
	header := http.Header{}
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", stamp)
	header.Set("Webhook-Signature", sign(key, id+"."+stamp+"."+string(body)))
	_, err = w.client.Do(ctx, web.Request{Method: http.MethodPost, Header: header, Body: body}, nil)
	return err
}

// Check implements Checker: the key can be read; nothing is sent.
func (w *Webhook) Check(context.Context) error {
	_, err := w.server.Key()
	return err
}

func sign(key, content string) string {
	secret := []byte(key)
	if coded, ok := strings.CutPrefix(key, "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(coded); err == nil {
			secret = raw
		}
	}
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(content))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Chat is an incoming webhook as Slack has it, and those who took over its form. The
// whole address is a secret.
type Chat struct {
	name   string
	client *web.Client
}

// NewChat is the incoming webhook at s.URL.
func NewChat(s Server) (*Chat, error) {
	c, err := s.client()
	return &Chat{s.Name, c}, err
}

// Name implements Outlet.
func (c *Chat) Name() string { return c.name }

// Send implements Outlet.
func (c *Chat) Send(ctx context.Context, e Event) error {
	text := e.Text()
	if e.Context != "" {
		text = "[" + e.Context + "] " + text
	}
	// Slack's own three escapes: what is left of a name mentions nobody and links nowhere.
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	_, err := c.client.Do(ctx, web.Request{Method: http.MethodPost, Body: map[string]any{"text": text}}, nil)
	return err
}

// PagerDuty is PagerDuty's change events, version 2.
type PagerDuty struct {
	server Server
	client *web.Client
}

// PagerDutyURL is where PagerDuty takes change events.
const PagerDutyURL = "https://events.pagerduty.com"

// NewPagerDuty is the change events of the service that s.Key is the routing key of.
func NewPagerDuty(s Server) (*PagerDuty, error) {
	c, err := s.client()
	return &PagerDuty{s, c}, err
}

// Name implements Outlet.
func (p *PagerDuty) Name() string { return p.server.Name }

// Send implements Outlet: POST /v2/change/enqueue.
func (p *PagerDuty) Send(ctx context.Context, e Event) error {
	key, err := p.server.Key()
	if err != nil {
		return fmt.Errorf("%s: %w", p.server.Name, err)
	}
	body := map[string]any{
		"routing_key": key,
		"payload": map[string]any{
			"summary": e.Text(), "timestamp": e.At.UTC().Format(time.RFC3339Nano), "source": "relctl-tui",
			"custom_details": e.Attributes(e.Context, e.Variant),
		},
	}
	_, err = p.client.Do(ctx, web.Request{Method: http.MethodPost, Path: "/v2/change/enqueue", Body: body}, nil)
	return err
}

// Check implements Checker: the key can be read; nothing is sent.
func (p *PagerDuty) Check(context.Context) error {
	_, err := p.server.Key()
	return err
}
