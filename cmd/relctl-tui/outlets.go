package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/journal"
	"relctl-tui/sources/outlet"
)

// lastTelling is how long outlets may hold up the end of the program.
const lastTelling = 5 * time.Second

// openOutlets makes the context's outlets. Nobody is told of anything yet. One that cannot
// be made keeps nobody from changing a flag: it is not told, and that is said then.
func (s *setup) openOutlets(o *options, file string, list []OutletConfig) {
	for i := range list {
		out, err := openOutlet(&list[i], file, o.now)
		if err != nil {
			out = mute{list[i].name(), err}
		}
		s.outletList = append(s.outletList, out)
	}
	if len(s.outletList) == 0 {
		return
	}
	paths := map[string]string{}
	for i := range s.stores {
		paths[s.stores[i].name] = s.stores[i].journal
	}
	for i := range s.readers {
		if r := &s.readers[i]; r.journal != "" {
			paths[r.name] = r.journal
		}
	}
	s.outlets = outlet.New(s.outletList, outlet.Options{Context: s.context, Record: func(e outlet.Event, name string, err error) {
		if path := paths[e.Flag.Source]; path != "" {
			_ = journal.Open(path, journal.Options{Now: o.now}).Told(e.ID, name, sources.Sentence(err), o.now())
		}
	}})
	o.queues = append(o.queues, s.outlets)
}

func openOutlet(c *OutletConfig, file string, now func() time.Time) (outlet.Outlet, error) {
	if c.lacks != nil {
		return nil, c.lacks
	}
	server := outlet.Server{Name: c.name(), URL: c.URL.Reveal(), Timeout: c.Timeout.D, Now: now}
	if path := resolvePath(c.URLFile.S, file); path != "" {
		var err error
		if server.URL, err = readSecret(path); err != nil {
			return nil, err
		}
	}
	if server.URL == "" && c.Type.S == "pagerduty" {
		server.URL = outlet.PagerDutyURL
	}
	a := c.access(file)
	var err error
	if server.Transport, err = a.transport(server.URL); err != nil {
		return nil, &usageError{msg: server.Name + ": the address is no URL"} // which may be a secret
	}
	server.Key = func() (string, error) { // read anew each time: a rotated key needs no restart
		if path := resolvePath(c.KeyFile.S, file); path != "" {
			return readSecret(path)
		}
		return c.Key.Reveal(), nil
	}
	var out outlet.Outlet
	switch c.Type.S {
	case "grafana":
		out, err = outlet.NewGrafana(server)
	case "webhook":
		out, err = outlet.NewWebhook(server)
	case "slack":
		out, err = outlet.NewChat(server)
	default:
		out, err = outlet.NewPagerDuty(server)
	}
	if err != nil {
		return nil, &usageError{msg: trimInvalid(err)}
	}
	return out, nil
}

// tellOf has a controller's changes told to the outlets, besides to whom they are told
// already.
func (s *setup) tellOf(opts *control.Options) {
	if s.outlets == nil {
		return
	}
	observe := opts.Observe
	opts.Observe = func(a sources.Activity) {
		if observe != nil {
			observe(a)
		}
		s.outlets.Observe(a)
	}
	opts.Effective = s.outlets.Effective
}

// closeOutlets waits a little until everybody was told.
func (s *setup) closeOutlets() {
	if s.outlets != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastTelling)
		defer cancel()
		s.outlets.Close(ctx)
	}
}

// tellOutlets waits a little until everybody was told of the changes of this program, and
// says what could not be told.
func (o *options) tellOutlets() (lost []string) {
	ctx, cancel := context.WithTimeout(context.Background(), lastTelling)
	defer cancel()
	for _, q := range o.queues {
		for _, l := range q.Close(ctx) {
			lost = append(lost, l+"; the change itself stands, and the journal says who was not told")
		}
	}
	return lost
}

// outletDoc is what the doctor says of an outlet.
type outletDoc struct {
	Name  string `json:"name"`
	Asked bool   `json:"asked"` // it was asked whether it would take an event; nothing was sent
	Error string `json:"error"`
}

func (s *setup) examineOutlets(ctx context.Context) []outletDoc {
	docs := []outletDoc{}
	for _, out := range s.outletList {
		doc := outletDoc{Name: out.Name()}
		if c, ok := out.(outlet.Checker); ok {
			ctx, cancel := context.WithTimeout(ctx, readTimeout)
			if err := c.Check(ctx); err != nil {
				doc.Error = errorSentences(err)[0]
			}
			_, doc.Asked = out.(*outlet.Grafana)
			cancel()
		}
		docs = append(docs, doc)
	}
	return docs
}

func (d *outletDoc) print(out io.Writer) error {
	text := "is configured; it cannot be asked without telling it of something"
	switch {
	case d.Error != "":
		text = "DOES NOT WORK: " + d.Error
	case d.Asked:
		text = "answers; nothing was sent"
	}
	_, err := fmt.Fprintf(out, "outlet   %s: %s\n", d.Name, text)
	return err
}
