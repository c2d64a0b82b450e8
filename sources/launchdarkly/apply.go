package launchdarkly

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

const (
	patchType  = "application/json; domain-model=launchdarkly.semanticpatch"
	maxComment = 500
)

// Apply reads the flag, compares, and writes one semantic patch. The receipt's New is
// what the service answered to the write, which holds all that anybody changed until
// then. A kill goes through even when it makes a scheduled change or a pending
// approval request of somebody else fail; no other change does.
func (s *Store) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	w, err := s.get(ctx, c.Flag)
	if err != nil {
		return sources.Receipt{}, err
	}
	d, err := s.draft(w, &c)
	if err != nil {
		return sources.Receipt{}, err
	}
	receipt := sources.Receipt{
		Change: c.ID, Kind: c.Kind, Old: d.planned.Old, New: d.planned.New, Restore: d.planned.Restore,
	}
	if c.Commit != nil {
		if err := c.Commit(d.planned); err != nil {
			return sources.Receipt{}, err
		}
	}
	if len(d.instructions) == 0 {
		receipt.Warning = "nothing to change: " + d.planned.Old.Name + " is " + d.planned.Old.Brief() + " already"
		receipt.Accepted = s.opts.Now()
		return receipt, nil
	}
	if err := ctx.Err(); err != nil {
		return sources.Receipt{}, fmt.Errorf("%s: given up before the write, nothing was changed: %w: %w", s.name, sources.ErrUnavailable, err)
	}
	after, err := s.patch(ctx, &c, d, w.Environments[s.opts.Environment])
	if err != nil {
		return sources.Receipt{}, err
	}
	receipt.Accepted = s.opts.Now()
	receipt.New = s.read(after).flag
	if receipt.New.Revision != d.planned.New.Revision {
		receipt.Warning = fmt.Sprintf("%s was changed by somebody else at the same moment and is %s now, look at its history", receipt.New.Name, receipt.New.Brief())
	}
	return receipt, nil
}

// patch writes and gives the flag as it is after that. Once the service has said yes,
// no error may read as if nothing was written: what cannot be read is ErrUnavailable.
func (s *Store) patch(ctx context.Context, c *sources.Change, d *draft, env *wireEnvs) (*wireFlag, error) {
	r := web.Request{
		Method: http.MethodPatch, Path: s.flagsPath() + "/" + url.PathEscape(c.Flag.Key),
		Header: http.Header{"Content-Type": {patchType}},
		Body:   wirePatch{Environment: s.opts.Environment, Comment: comment(c), Instructions: d.instructions},
	}
	if c.Kind == sources.Kill {
		r.Query = url.Values{"ignoreConflicts": {"true"}}
	}
	after := &wireFlag{}
	resp, err := s.do(ctx, r, after)
	if resp.Status < http.StatusBadRequest { // it may be written
		s.written.Ring()
	}
	written := resp.Status >= 200 && resp.Status <= 299
	switch {
	case !written:
		return nil, s.refused(&d.planned.Old, env, err)
	case err == nil && after.Key == c.Flag.Key && after.Environments[s.opts.Environment] != nil:
		return after, nil
	}
	after, err = s.get(ctx, c.Flag)
	if err != nil {
		return nil, fmt.Errorf("%s took the change of %s, but it cannot be read back (%s): %w",
			s.name, d.planned.Old.Name, sources.Clean(sources.Sentence(err), 200), sources.ErrUnavailable)
	}
	return after, nil
}

// comment is what the service's history says about the change.
func comment(c *sources.Change) string {
	var parts []string
	for _, p := range []string{c.Reason, string(c.Kind)} {
		if p = strings.TrimSpace(sources.Clean(p, maxComment)); p != "" {
			parts = append(parts, p)
			break
		}
	}
	if actor := strings.TrimSpace(sources.Clean(c.Actor, sources.MaxName)); actor != "" {
		parts = append(parts, "by "+actor)
	}
	return strings.Join(append(parts, "with relctl-tui, change "+sources.Clean(c.ID, 60)), " · ")
}
