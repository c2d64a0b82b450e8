package launchdarkly

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

const (
	window     = 10 * time.Second // after which the service's limits begin anew
	maxPatient = 5 * time.Minute  // the most that is believed of a time to wait
	askedAnew  = 10 * time.Minute // a token's role may be changed
)

// do asks, and reads the service's own header about when to ask again.
func (s *Store) do(ctx context.Context, r web.Request, out any) (web.Response, error) {
	resp, err := s.web.Do(ctx, r, out)
	if web.StatusOf(err) != http.StatusTooManyRequests {
		return resp, err
	}
	if after, ok := sources.RetryAfter(err); ok {
		return resp, sources.WithRetryAfter(err, after)
	}
	return resp, sources.WithRetryAfter(err, s.untilReset(resp.Header))
}

// untilReset is when the limit's window ends, by the server's own clock.
func (s *Store) untilReset(h http.Header) time.Duration {
	ms, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil || ms <= 0 || ms >= 1<<47 {
		return window
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = s.opts.Now()
	}
	return max(time.Second, min(time.UnixMilli(ms).Sub(now), maxPatient))
}

// readOnly is why this token cannot change flags, as far as it can be told
// beforehand: it has the built-in role that only reads. What custom roles allow is
// known only when they are used.
func (s *Store) readOnly(ctx context.Context) string {
	now := s.opts.Now()
	s.role.Lock()
	due := s.role.asked.IsZero() || now.Sub(s.role.asked) >= askedAnew || now.Before(s.role.asked)
	if due {
		s.role.asked = now // whoever reads at the same time does not wait for the answer
	}
	known := s.role.readOnly
	s.role.Unlock()
	if !due {
		return known
	}
	why, err := s.askRole(ctx)
	s.role.Lock()
	defer s.role.Unlock()
	switch {
	case ctx.Err() != nil:
		s.role.asked = time.Time{}
	case err == nil:
		s.role.readOnly = why
	}
	return s.role.readOnly
}

func (s *Store) askRole(ctx context.Context) (string, error) {
	var who struct {
		TokenID string `json:"tokenId"`
	}
	if _, err := s.do(ctx, web.Request{Path: "/api/v2/caller-identity"}, &who); err != nil || who.TokenID == "" {
		return "", err
	}
	var token struct {
		Role        string   `json:"role"`
		CustomRoles []string `json:"customRoleIds"`
		InlineRole  []any    `json:"inlineRole"`
	}
	if _, err := s.do(ctx, web.Request{Path: "/api/v2/tokens/" + url.PathEscape(who.TokenID)}, &token); err != nil {
		return "", err
	}
	if token.Role == "reader" && len(token.CustomRoles) == 0 && len(token.InlineRole) == 0 {
		return "the access token has the role Reader", nil
	}
	return "", nil
}

// refused is what an error of a write means. The flag was read with the same token
// right before, so that one that is refused now only lacks the right to write.
func (s *Store) refused(f *sources.Flag, env *wireEnvs, err error) error {
	said := web.Said(err)
	if said != "" {
		said = " (" + said + ")"
	}
	switch web.StatusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s: this access token reads %s but may not change it%s, nothing was written; use one with the role Writer: %w",
			s.name, f.Name, said, errors.Join(sources.ErrReadOnly, sources.ErrUnauthorized))
	case http.StatusMethodNotAllowed:
		page := s.pageOf(f, env)
		return sources.WithLink(fmt.Errorf("%s: changes of %s in %s need an approval%s, nothing was written; ask for it at %s: %w",
			s.name, f.Name, s.opts.Environment, said, page, sources.ErrApprovalNeeded), page)
	case http.StatusConflict:
		return fmt.Errorf("%s: %s is being changed by somebody else at this moment%s, nothing was written; look again and repeat: %w",
			s.name, f.Name, said, sources.ErrConflict)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fmt.Errorf("%s: LaunchDarkly refuses to change %s%s, nothing was written; a scheduled change or a pending approval may stand in the way, look at %s: %w",
			s.name, f.Name, said, s.pageOf(f, env), sources.ErrInvalid)
	default:
		return err
	}
}

// pageOf is the address of the flag's page. What the service says it is counts only
// as a path of its own site.
func (s *Store) pageOf(f *sources.Flag, env *wireEnvs) string {
	if env != nil {
		if u, err := url.Parse(env.Site.Href); err == nil && u.Host == "" && u.Scheme == "" && u.User == nil && len(u.Path) > 1 && u.Path[0] == '/' && len(u.Path) < 500 {
			return s.site + u.EscapedPath()
		}
	}
	return s.site + "/projects/" + url.PathEscape(s.opts.Project) + "/flags/" + url.PathEscape(f.ID.Key) +
		"/targeting?env=" + url.QueryEscape(s.opts.Environment)
}
