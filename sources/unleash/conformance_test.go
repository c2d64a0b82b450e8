package unleash_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/sourcetest"
	"relctl-tui/sources/unleash"
)

func token(t string) func() (string, error) { return func() (string, error) { return t, nil } }

// connect is a driver for a project, as the admin, with all three tokens.
func connect(t testing.TB, s *server, project string, change ...func(*unleash.Options)) unleash.Driver {
	t.Helper()
	opts := unleash.Options{
		Project: project, Environment: env, Token: token(adminToken),
		ClientToken: token(backendToken), FrontendToken: token(frontendToken), Every: 50 * time.Millisecond,
	}
	for _, c := range change {
		c(&opts)
	}
	d, err := unleash.New("u", s.base, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func id(key string) sources.FlagID { return sources.FlagID{Source: "u", Key: key} }

// undated leaves out when flags were changed and by whom: the suite compares whole
// flags before a change and after its undo, and those two differ in that. Tests of
// their own look at it.
type undated struct{ unleash.Driver }

func strip(f sources.Flag) sources.Flag {
	f.ChangedAt, f.ChangedBy = time.Time{}, ""
	return f
}

func stripped(set sources.FlagSet) sources.FlagSet {
	for i := range set.Flags {
		set.Flags[i] = strip(set.Flags[i])
	}
	return set
}

func (u undated) Flags(ctx context.Context) (sources.FlagSet, error) {
	set, err := u.Driver.Flags(ctx)
	return stripped(set), err
}

func (u undated) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	f, err := u.Driver.Flag(ctx, id)
	return strip(f), err
}

func (u undated) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	if commit := c.Commit; commit != nil {
		c.Commit = func(p sources.Planned) error {
			p.Old, p.New = strip(p.Old), strip(p.New)
			return commit(p)
		}
	}
	r, err := u.Driver.Apply(ctx, c)
	r.Old, r.New = strip(r.Old), strip(r.New)
	return r, err
}

func (u undated) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	in, err := u.Driver.Watch(ctx, from)
	if err != nil {
		return nil, err
	}
	out := make(chan sources.FlagEvent)
	go func() {
		defer close(out)
		for e := range in {
			if e.Set != nil {
				set := stripped(*e.Set)
				e.Set = &set
			}
			select {
			case out <- e:
			case <-ctx.Done():
			}
		}
	}()
	return out, nil
}

// versions runs a test on each server; the older one is left out under -short.
func versions(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	for _, v := range []int{7, 6} {
		t.Run(fmt.Sprintf("Unleash %d", v), func(t *testing.T) {
			t.Parallel()
			if v == 6 && testing.Short() {
				t.Skip("left out under -short")
			}
			test(t, start(t, v))
		})
	}
}

func TestUnleashIsAStore(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		for name, follow := range map[string]func(*unleash.Options){
			"with a backend token":    func(*unleash.Options) {},
			"without a backend token": func(o *unleash.Options) { o.ClientToken = nil },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if name == "without a backend token" && (testing.Short() || s.version < 7) {
					t.Skip("one version and no -short will do")
				}
				sourcetest.Store(t, func(t *testing.T) sourcetest.Fixture {
					split, other, custom := unique("split"), unique("other"), unique("custom")
					p := s.fixture(t, map[string][]int{split: {25}, other: {10}, custom: {50, 5}})
					return sourcetest.Fixture{
						Store: undated{connect(t, s, p, follow)}, Second: undated{connect(t, s, p, follow)},
						Split: id(split), Other: id(other), Custom: id(custom),
					}
				})
			})
		}
	})
}
