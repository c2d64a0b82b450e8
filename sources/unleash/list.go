package unleash

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// rightsFor is how long an answer to what this access may do is believed.
const rightsFor = time.Minute

// export is what features-batch/export answers, as far as it is used.
type export struct {
	Features []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Type        string `json:"type"`
		Stale       bool   `json:"stale"`
		Archived    bool   `json:"archived"`
	} `json:"features"`
	Strategies []struct {
		strategy
		Feature string `json:"featureName"`
	} `json:"featureStrategies"`
	Environments []struct {
		Feature     string `json:"featureName"`
		Environment string `json:"environment"`
		Enabled     bool   `json:"enabled"`
	} `json:"featureEnvironments"`
	Dependencies []struct {
		Feature string `json:"feature"`
		Parents []struct {
			Feature string `json:"feature"`
		} `json:"dependencies"`
	} `json:"dependencies"`
}

// Flags lists the flags of the project that exist in the environment, archived ones
// left out. Each call leaves an event in Unleash's log.
func (s *Store) Flags(ctx context.Context) (sources.FlagSet, error) {
	if err := s.stopped(ctx, "not read"); err != nil {
		return sources.FlagSet{}, err
	}
	set, _, err := s.list(ctx)
	return set, err
}

// list reads the list, and beside it what the log says and what this access may do,
// neither of which is worth failing for.
func (s *Store) list(ctx context.Context) (sources.FlagSet, map[string]*feature, error) {
	logged, rights := make(chan error, 1), make(chan string, 1)
	go func() { _, err := s.log.read(ctx); logged <- err }()
	go func() { rights <- s.mayNot(ctx) }()
	features, err := s.export(ctx)
	logErr, readOnly := <-logged, <-rights
	if err != nil {
		return sources.FlagSet{}, nil, err
	}
	set := s.set(features, readOnly)
	if logErr != nil {
		set.Warnings = append(set.Warnings, "who changed what is not known: "+sources.Sentence(logErr))
	}
	return set, features, nil
}

// export reads all flags of the environment with one call.
func (s *Store) export(ctx context.Context) (map[string]*feature, error) {
	var e export
	_, err := s.admin.Do(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/admin/features-batch/export",
		Body: map[string]string{"project": s.opts.Project, "environment": s.opts.Environment},
	}, &e)
	if err != nil {
		return nil, s.readFault(err)
	}
	out := e.features(s.opts.Environment)
	if len(out) == 0 {
		return out, s.exists(ctx)
	}
	return out, s.switches(ctx, out)
}

// features puts together what the export has in separate lists, of one environment.
func (e *export) features(environment string) map[string]*feature {
	out := make(map[string]*feature, len(e.Features))
	for _, f := range e.Features {
		if !f.Archived && f.Name != "" {
			out[f.Name] = &feature{Name: f.Name, Description: f.Description, Type: f.Type, Stale: f.Stale}
		}
	}
	here := make(map[string]bool, len(out))
	for _, env := range e.Environments {
		if f := out[env.Feature]; f != nil && env.Environment == environment {
			f.Enabled, here[env.Feature] = env.Enabled, true
		}
	}
	for i := range e.Strategies {
		if f := out[e.Strategies[i].Feature]; f != nil {
			f.Strategies = append(f.Strategies, e.Strategies[i].strategy)
		}
	}
	for _, d := range e.Dependencies {
		if f := out[d.Feature]; f != nil {
			for _, p := range d.Parents {
				f.Parents = append(f.Parents, p.Feature)
			}
		}
	}
	for name, f := range out {
		if f.inOrder(); !here[name] {
			delete(out, name)
		}
	}
	return out
}

// switches corrects which flags are on. The export of an open-source Unleash 6 has
// the state of the environment itself for every flag (a join that hides a column).
// An export in which flags differ is right; one in which all are alike is compared
// with another list.
func (s *Store) switches(ctx context.Context, features map[string]*feature) error {
	on := 0
	for _, f := range features {
		if f.Enabled {
			on++
		}
	}
	s.mu.Lock()
	s.honest = s.honest || on > 0 && on < len(features)
	honest := s.honest
	s.mu.Unlock()
	if honest {
		return nil
	}
	var got struct {
		Features []struct {
			Name         string `json:"name"`
			Environments []struct {
				Name    string `json:"name"`
				Enabled bool   `json:"enabled"`
			} `json:"environments"`
		} `json:"features"`
	}
	_, err := s.admin.Do(ctx, web.Request{
		Method: http.MethodGet, Path: "/api/admin/projects/" + url.PathEscape(s.opts.Project) + "/features",
	}, &got)
	if err != nil {
		return s.readFault(err)
	}
	for _, g := range got.Features {
		for _, e := range g.Environments {
			if f := features[g.Name]; f != nil && e.Name == s.opts.Environment {
				f.Enabled = e.Enabled
			}
		}
	}
	return nil
}

// exists tells an empty environment from one that is not there: the export answers
// both alike.
func (s *Store) exists(ctx context.Context) error {
	var overview struct {
		Environments []struct {
			Name string `json:"environment"`
		} `json:"environments"`
	}
	_, err := s.admin.Do(ctx, web.Request{
		Method: http.MethodGet, Path: "/api/admin/projects/" + url.PathEscape(s.opts.Project) + "/overview",
	}, &overview)
	switch {
	case errors.Is(err, sources.ErrNotFound):
		return fmt.Errorf("%s: Unleash has no project %s that this token may see, check project= in its DSN: %w",
			s.who(), sources.Clean(s.opts.Project, 60), sources.ErrNotFound)
	case err != nil:
		return s.readFault(err)
	}
	names := make([]string, 0, len(overview.Environments))
	for _, e := range overview.Environments {
		if e.Name == s.opts.Environment {
			return nil
		}
		names = append(names, sources.Clean(e.Name, 40))
	}
	return fmt.Errorf("%s: project %s has no environment %s, it has %s, check environment= in its DSN: %w", s.who(),
		sources.Clean(s.opts.Project, 60), sources.Clean(s.opts.Environment, 60), strings.Join(names[:min(len(names), 10)], ", "), sources.ErrNotFound)
}

// set is the flags as one sorted set, with when each was changed and by whom.
func (s *Store) set(features map[string]*feature, readOnly string) sources.FlagSet {
	set := sources.FlagSet{Source: s.name, Flags: make([]sources.Flag, 0, len(features)), ReadAt: s.opts.Now(), ReadOnly: readOnly}
	for _, f := range features {
		set.Flags = append(set.Flags, s.flag(f))
	}
	slices.SortFunc(set.Flags, func(a, b sources.Flag) int { return strings.Compare(a.ID.Key, b.ID.Key) })
	s.ledger.stamp(set.Flags)
	h := sha256.New()
	for i := range set.Flags {
		f := &set.Flags[i]
		_, _ = fmt.Fprintf(h, "%q %s %q %q %t\n", f.ID.Key, f.Revision, f.Description, f.Note, f.Pinned) // a hash never fails
	}
	set.Revision = sources.Revision(hex.EncodeToString(h.Sum(nil)[:8]))
	return set
}

// Flag reads one flag afresh. One that was archived or moved is ErrNotFound.
func (s *Store) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	if err := s.stopped(ctx, "not read"); err != nil {
		return sources.Flag{}, err
	}
	f, err := s.feature(ctx, id)
	if err != nil {
		return sources.Flag{}, err
	}
	return s.stamped(f), nil
}

// stamped is the flag with what is known of its last change.
func (s *Store) stamped(f *feature) sources.Flag {
	out := []sources.Flag{s.flag(f)}
	s.ledger.stamp(out)
	return out[0]
}

// feature reads one feature with its project named: the shorter call for a feature's
// environment answers for any project and for archived flags, without strategies.
func (s *Store) feature(ctx context.Context, id sources.FlagID) (*feature, error) {
	if id.Source != s.name || id.Key == "" {
		return nil, s.missing(id.Key)
	}
	var got struct {
		Name         string `json:"name"`
		Description  string `json:"description"`
		Type         string `json:"type"`
		Stale        bool   `json:"stale"`
		Archived     bool   `json:"archived"`
		Environments []struct {
			Name       string     `json:"name"`
			Enabled    bool       `json:"enabled"`
			Strategies []strategy `json:"strategies"`
		} `json:"environments"`
		Dependencies []struct {
			Feature string `json:"feature"`
		} `json:"dependencies"`
	}
	_, err := s.admin.Do(ctx, web.Request{Method: http.MethodGet, Path: s.featurePath(id.Key)}, &got)
	switch {
	case errors.Is(err, sources.ErrNotFound), err == nil && (got.Archived || got.Name != id.Key):
		return nil, s.missing(id.Key)
	case err != nil:
		return nil, s.readFault(err)
	}
	f := &feature{Name: got.Name, Description: got.Description, Type: got.Type, Stale: got.Stale}
	for _, d := range got.Dependencies {
		f.Parents = append(f.Parents, d.Feature)
	}
	for i := range got.Environments {
		if e := &got.Environments[i]; e.Name == s.opts.Environment {
			f.Enabled, f.Strategies = e.Enabled, e.Strategies
			f.inOrder()
			return f, nil
		}
	}
	return nil, s.missing(id.Key)
}

func (s *Store) missing(key string) error {
	return fmt.Errorf("%s: there is no flag %s in %s, it may have been archived or moved: %w",
		s.who(), sources.Clean(key, sources.MaxName), s.where(), sources.ErrNotFound)
}

// readFault says what to do about a refused read.
func (s *Store) readFault(err error) error {
	switch web.StatusOf(err) {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s: Unleash does not accept the token, it is wrong, expired or was deleted: make a personal access token in Unleash and name it with token_file: %w", s.who(), sources.ErrUnauthorized)
	case http.StatusForbidden:
		return fmt.Errorf("%s: Unleash does not let this token read %s (%s): %w", s.who(), s.where(), web.Said(err), sources.ErrUnauthorized)
	}
	return err
}

// mayNot is why this access cannot change flags, as far as Unleash says so; "" when
// it can, and when that cannot be told: the write will tell.
func (s *Store) mayNot(ctx context.Context) string {
	token, _ := s.opts.Token()
	sum := sha256.Sum256([]byte(token))
	key := string(sum[:])
	s.mu.Lock()
	why, age := s.rights, s.opts.Now().Sub(s.rightsAt)
	fresh := !s.rightsAt.IsZero() && s.rightsFor == key && age >= 0 && age < rightsFor
	s.mu.Unlock()
	if fresh {
		return why
	}
	var me struct {
		Permissions []struct {
			Permission  string `json:"permission"`
			Project     string `json:"project"`
			Environment string `json:"environment"`
		} `json:"permissions"`
	}
	if _, err := s.admin.Do(ctx, web.Request{Method: http.MethodGet, Path: "/api/admin/user"}, &me); err != nil {
		return ""
	}
	why = "this token may only read " + s.where()
	for _, p := range me.Permissions {
		here := (p.Project == "" || p.Project == "*" || p.Project == s.opts.Project) &&
			(p.Environment == "" || p.Environment == "*" || p.Environment == s.opts.Environment)
		if here && (p.Permission == "ADMIN" || p.Permission == "UPDATE_FEATURE_ENVIRONMENT" || p.Permission == "UPDATE_FEATURE_STRATEGY") {
			why = ""
		}
	}
	s.mu.Lock()
	s.rights, s.rightsAt, s.rightsFor = why, s.opts.Now(), key
	s.mu.Unlock()
	return why
}
