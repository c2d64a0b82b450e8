package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"relctl-tui/sources"
)

// switcher lets a breaker pass the way that a flag takes: it is compared, recorded,
// written, read back and undone by the same code. The breaker's setting over all its
// instances is what a flag's definition is.
type switcher struct {
	store string
	to    sources.BreakerSwitcher
}

var _ sources.FlagWriter = (*switcher)(nil)

// switcher is the store's breakers, or nil where it has flags.
func (s *Store) switcher() *switcher {
	if _, flags := s.Driver.(sources.FlagWriter); flags {
		return nil
	}
	if d, ok := s.Driver.(sources.BreakerSwitcher); ok {
		return &switcher{s.Name, d}
	}
	return nil
}

// ErrPartly means that some instances of a breaker took a change and some did not. It
// is ErrUnconfirmed as well.
var ErrPartly = errors.New("done in part")

// partly is a sentence that is ErrPartly without saying so.
type partly struct{ error }

func (p partly) Unwrap() error { return p.error }

// Is makes it ErrUnconfirmed too: what stands where is known, but it is not what was
// asked for.
func (p partly) Is(target error) bool { return target == ErrUnconfirmed || target == ErrPartly }

// kept is what a Restore of a breaker holds.
type kept struct {
	Breaker   string          `json:"breaker"`
	Instances map[string]turn `json:"instances"`
}

// turn is what a change did to one instance.
type turn struct {
	Had   string `json:"had"`   // the setting before
	Was   string `json:"was"`   // the setting that brings that back, as near as can be
	State string `json:"state"` // the state that this brings
	Left  string `json:"left"`  // the setting that the change made
}

// aim is what an instance is to be brought to.
type aim struct {
	setting string
	state   sources.BreakerState
}

// flag is a breaker as control sees it: a name, what is set, and few words.
func (w *switcher) flag(key string, list []sources.BreakerInstance) sources.Flag {
	var all strings.Builder
	for i := range list {
		fmt.Fprintf(&all, "%q=%q ", list[i].Name, list[i].Setting)
	}
	return sources.Flag{
		ID: sources.FlagID{Source: w.store, Key: key}, Name: sources.Clean(key, sources.MaxName),
		Breaker: sources.BriefInstances(list), Revision: sources.RevisionOf([]byte(all.String())),
	}
}

func (w *switcher) read(ctx context.Context, key string) (sources.Flag, error) {
	list, err := w.to.BreakerInstances(ctx, key)
	if err != nil {
		return sources.Flag{}, err
	}
	return w.flag(key, list), nil
}

// Apply implements sources.FlagWriter. Where only some instances take the change it is
// made there all the same, and the error, which is ErrUnconfirmed, says where.
func (w *switcher) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	list, err := w.to.BreakerInstances(ctx, c.Flag.Key)
	if err != nil {
		return sources.Receipt{}, err
	}
	old := w.flag(c.Flag.Key, list)
	aims, err := w.aims(&c, list)
	if err != nil {
		return sources.Receipt{}, err
	}
	if why := unread(list, concerns(&c)); len(aims) == 0 && why != "" {
		return sources.Receipt{}, fmt.Errorf("%s is %s, and nothing was written: %s: %w", old.Name, old.Brief(), why, sources.ErrUnavailable)
	}
	k, after := kept{c.Flag.Key, map[string]turn{}}, slices.Clone(list)
	var lost []string
	for i := range after {
		in := &after[i]
		to, changes := aims[in.Name]
		if !changes {
			continue
		}
		back := in.State
		if in.Returns != in.Setting {
			back = sources.BreakerClosed
			lost = append(lost, in.Name+" was "+in.State.String())
		}
		k.Instances[in.Name] = turn{in.Setting, in.Returns, back.String(), to.setting}
		in.Setting, in.State = to.setting, to.state
	}
	restore, err := json.Marshal(k)
	if err != nil {
		return sources.Receipt{}, fmt.Errorf("%s: what an undo needs cannot be kept: %w", old.Name, sources.ErrInvalid)
	}
	r := sources.Receipt{Change: c.ID, Kind: c.Kind, Old: old, New: w.flag(c.Flag.Key, after), Restore: restore}
	if c.Commit != nil {
		if err := c.Commit(sources.Planned{Old: old, New: r.New, Restore: restore}); err != nil {
			return sources.Receipt{}, err
		}
	}
	if len(aims) == 0 {
		return r, nil
	}
	if len(lost) > 0 && c.Kind != sources.Undo {
		r.Warning = "an undo cannot bring this back and will close it: " + some(lost)
	}
	return w.write(ctx, &c, r, aims)
}

// aims is what each instance has to be brought to that is not there yet.
func (w *switcher) aims(c *sources.Change, list []sources.BreakerInstance) (map[string]aim, error) {
	name := sources.Clean(c.Flag.Key, sources.MaxName)
	now := sources.GatherBreaker(list)
	aims := map[string]aim{}
	word, state := func(in *sources.BreakerInstance) string { return in.Opens }, sources.BreakerForcedOpen
	switch c.Kind {
	case sources.Undo:
		return w.back(c, list)
	case sources.ForceOpen:
	case sources.CloseBreaker:
		word, state = func(in *sources.BreakerInstance) string { return in.Closes }, sources.BreakerClosed
	default:
		return nil, fmt.Errorf("%s is a breaker, %q is nothing that can be done to it: %w", name, sources.Clean(string(c.Kind), 20), sources.ErrUnsupported)
	}
	var cannot []string
	for i := range list {
		switch in := &list[i]; {
		case in.Err != "":
		case word(in) == "":
			cannot = append(cannot, in.Name+orSay(in.Note))
		case word(in) != in.Setting:
			aims[in.Name] = aim{word(in), state}
		case c.Kind == sources.CloseBreaker && in.State != sources.BreakerClosed:
			cannot = append(cannot, in.Name+" is "+in.State.String()+" by itself"+orSay(in.Note))
		}
	}
	if len(aims) == 0 && len(cannot) > 0 {
		return nil, fmt.Errorf("%s cannot be switched, nothing was written: %s: %w", name, some(cannot), sources.ErrUnsupported)
	}
	seen := sources.BreakerStateOf(string(c.Seen)).Forcing()
	if is := now.State.Forcing(); len(aims) > 0 && c.Kind == sources.CloseBreaker && seen != sources.ForcedUnknown && is != seen {
		f := w.flag(c.Flag.Key, list)
		return nil, sources.Changed(&f)
	}
	return aims, nil
}

// back is what an undo has to bring each instance to. Somebody else's hand is a
// conflict: an instance that stands neither where the change left it nor where the
// undo leads. What turns by itself after it was let go is nobody's hand.
func (w *switcher) back(c *sources.Change, list []sources.BreakerInstance) (map[string]aim, error) {
	var k kept
	if json.Unmarshal(c.Restore, &k) != nil || k.Breaker != c.Flag.Key {
		return nil, fmt.Errorf("%s: what was kept for the undo cannot be read: %w", sources.Clean(c.Flag.Key, sources.MaxName), sources.ErrInvalid)
	}
	aims := map[string]aim{}
	for i := range list {
		in := &list[i]
		to, ours := k.Instances[in.Name]
		if !ours || in.Err != "" || in.Setting == to.Was || in.Setting == to.Had {
			continue // what refused the change has nothing to be taken back
		}
		free := to.Left == in.Closes && in.State.Forcing() == sources.ForcedNot
		if in.Setting != to.Left && !free {
			f := w.flag(c.Flag.Key, list)
			return nil, sources.Changed(&f)
		}
		aims[in.Name] = aim{to.Was, sources.BreakerStateOf(to.State)}
	}
	return aims, nil
}

// write sets the instances, reads them back, and says how many are there.
func (w *switcher) write(ctx context.Context, c *sources.Change, r sources.Receipt, aims map[string]aim) (sources.Receipt, error) {
	to := make(map[string]string, len(aims))
	for name, a := range aims {
		to[name] = a.setting
	}
	errs := w.to.SwitchBreaker(ctx, c.Flag.Key, to)
	var failed []string
	var first error
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if err := errs[name]; err != nil {
			failed = append(failed, sources.Sentence(err))
			if first == nil {
				first = err
			}
		}
	}
	if len(failed) == len(to) && first != nil {
		return sources.Receipt{}, first
	}
	list, err := w.to.BreakerInstances(ctx, c.Flag.Key)
	if err != nil {
		return r, partly{fmt.Errorf("%s: %d of %d instances took it, but it could not be read back: %w", r.Old.Name, len(to)-len(failed), len(to), err)}
	}
	done := 0
	for i := range list {
		in := &list[i]
		a, asked := aims[in.Name]
		if in.Err == "" && (in.Setting == a.setting || !asked) {
			done++
		}
		if in.Err == "" && in.Note != "" && asked {
			r.Warning = join(r.Warning, in.Note)
		}
	}
	if why := unread(list, concerns(c)); why != "" && len(failed) == 0 {
		failed = append(failed, why)
	}
	if done == len(list) && len(failed) > 0 {
		r.Warning, failed = join(r.Warning, "taken, though it was answered: "+some(failed)), nil
	}
	if len(failed) > 0 {
		r.New = w.flag(c.Flag.Key, list)
		return r, partly{fmt.Errorf("%s: done on %d of %d instances, it is %s; %s", r.New.Name, done, len(list), r.New.Brief(), some(failed))}
	}
	return r, nil
}

// concerns says whether a change is about an instance: an undo is about those alone that
// the change had touched.
func concerns(c *sources.Change) func(instance string) bool {
	var k kept
	if c.Kind != sources.Undo || json.Unmarshal(c.Restore, &k) != nil {
		return func(string) bool { return true }
	}
	return func(instance string) bool { _, touched := k.Instances[instance]; return touched }
}

// unread says which of the instances that matter could not be read and why; "" for none.
func unread(list []sources.BreakerInstance, matters func(string) bool) string {
	var all []string
	for i := range list {
		if list[i].Err != "" && matters(list[i].Name) {
			all = append(all, list[i].Err)
		}
	}
	return some(all)
}

// some is a few of many clauses, with the number of the others.
func some(all []string) string {
	const enough = 3
	if len(all) > enough {
		all = append(slices.Clone(all[:enough]), fmt.Sprintf("%d more", len(all)-enough))
	}
	return strings.Join(all, "; ")
}

func orSay(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

func join(a, b string) string {
	if a == "" || a == b {
		return b
	}
	return a + "; " + b
}
