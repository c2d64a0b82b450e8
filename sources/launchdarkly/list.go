package launchdarkly

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

const (
	pageSize   = 100
	maxFlags   = 50_000
	maxMovings = 3 // how often a list that changes while it is read is begun anew
)

// Flags reads the whole list, page by page. It is the whole list or an error, never a
// part of it. Archived flags are not in it.
func (s *Store) Flags(ctx context.Context) (sources.FlagSet, error) {
	ctx, cancel := context.WithCancel(ctx)
	role := make(chan string, 1)
	go func() { role <- s.readOnly(ctx) }() // beside the list, which is not to wait for it
	all, err := s.pages(ctx)
	if err != nil {
		cancel()
		<-role
		return sources.FlagSet{}, err
	}
	defer cancel()
	set := sources.FlagSet{Source: s.name, ReadAt: s.opts.Now(), Flags: make([]sources.Flag, 0, len(all))}
	strays := 0
	for _, w := range all {
		if w.Archived {
			continue
		}
		r := s.read(w)
		if r.env == nil {
			strays++
		}
		set.Flags = append(set.Flags, r.flag)
	}
	if strays > 0 && strays == len(set.Flags) {
		return sources.FlagSet{}, fmt.Errorf("%s: no flag of project %s has an environment %s, check its key: %w",
			s.name, s.opts.Project, s.opts.Environment, sources.ErrInvalid)
	}
	slices.SortFunc(set.Flags, func(a, b sources.Flag) int { return cmp.Compare(a.ID.Key, b.ID.Key) })
	set.ReadOnly = <-role
	set.Revision = setRevision(&set)
	return set, nil
}

// pages reads all pages. When the list was changed between two of them, some flag may
// be missing or there twice, and it begins anew.
func (s *Store) pages(ctx context.Context) ([]*wireFlag, error) {
	for range maxMovings {
		all, moved, err := s.once(ctx)
		if err != nil {
			return nil, err
		}
		if !moved {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: flags keep being added and removed while the list is read: %w", s.name, sources.ErrUnavailable)
}

func (s *Store) once(ctx context.Context) (all []*wireFlag, moved bool, err error) {
	seen := map[string]bool{}
	total := -1
	for {
		p, err := s.page(ctx, len(all))
		if err != nil {
			return nil, false, err
		}
		for _, w := range p.Items {
			switch {
			case w == nil || w.Key == "":
				return nil, false, fmt.Errorf("%s listed a flag without a key: %w", s.name, sources.ErrInvalid)
			case seen[w.Key]:
				return nil, true, nil
			}
			seen[w.Key] = true
			all = append(all, w)
		}
		if p.Total != nil {
			if total >= 0 && *p.Total != total {
				return nil, true, nil
			}
			total = *p.Total
		}
		more := p.Links.Next != nil || len(all) < total
		switch {
		case len(all) > maxFlags:
			return nil, false, fmt.Errorf("%s listed more than %d flags: %w", s.name, maxFlags, sources.ErrInvalid)
		case total >= 0 && len(all) > total:
			return nil, true, nil
		case !more:
			return all, false, nil
		case len(p.Items) == 0 || p.Links.Next == nil:
			return nil, false, fmt.Errorf("%s answered %d flags of %s and no more, so the list is not shown: %w", s.name, len(all), known(total), sources.ErrUnavailable)
		}
	}
}

func known(total int) string {
	if total < 0 {
		return "an unknown number"
	}
	return strconv.Itoa(total)
}

func (s *Store) page(ctx context.Context, offset int) (wirePage, error) {
	var p wirePage
	_, err := s.do(ctx, web.Request{Path: s.flagsPath(), Query: url.Values{
		// The description says of the one that it selects the environment, and of the
		// other that there are no environments without it.
		"env": {s.opts.Environment}, "filter": {"filterEnv:" + s.opts.Environment},
		"summary": {"0"}, "sort": {"key"},
		"limit": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(offset)},
	}}, &p)
	if err == nil && p.Items == nil {
		err = fmt.Errorf("%s answered no list of flags, check the address: %w", s.name, sources.ErrInvalid)
	}
	return p, err
}

func setRevision(set *sources.FlagSet) sources.Revision {
	var text []byte
	for i := range set.Flags {
		f := &set.Flags[i]
		text = fmt.Appendf(text, "%q %q %q %q %q %d\n", f.ID.Key, f.Revision, f.Description, f.Owner, f.Note, f.ChangedAt.UnixMilli())
	}
	sum := sha256.Sum256(fmt.Appendf(text, "%q", set.ReadOnly))
	return sources.Revision(hex.EncodeToString(sum[:12]))
}
