package record_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/record"
)

// shown is a snapshot as a recording can hold it: without what every player counts
// anew, in local time, and without the token of a lease.
func shown(s *sources.Snapshot) *sources.Snapshot {
	c := *s
	c.Seq, c.FlagsSeq, c.At = 0, 0, time.Time{}
	c.Ramps = append([]sources.RampStatus(nil), c.Ramps...)
	for i := range c.Ramps {
		c.Ramps[i].Token = ""
	}
	if s.Ramps != nil && c.Ramps == nil {
		c.Ramps = []sources.RampStatus{}
	}
	return &c
}

// recorded is a recording of n snapshots of a world, and the snapshots.
func recorded(t testing.TB, seed uint64, n int) ([]byte, []*sources.Snapshot) {
	t.Helper()
	var file bytes.Buffer
	w := record.NewWriter(func() io.Writer { return &file })
	all := make([]*sources.Snapshot, n)
	for i, at := 0, newWorld(seed); i < n; i++ {
		all[i] = at.next()
		require.NoError(t, w.Add(all[i], 0))
	}
	require.NoError(t, w.Close())
	return file.Bytes(), all
}

func open(t testing.TB, data []byte) *record.Recording {
	t.Helper()
	rec, err := record.Open(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	return rec
}

// frames is all that a recording holds.
func frames(t testing.TB, rec *record.Recording) []record.Frame {
	t.Helper()
	f, c, err := rec.At(time.Time{})
	require.NoError(t, err)
	all := []record.Frame{f}
	for {
		f, err := c.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, f)
	}
}

func TestEveryCellOfEverySnapshotIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		data, all := recorded(t, seed, 60)
		got := frames(t, open(t, data))
		require.Len(t, got, len(all))
		for i, f := range got {
			require.True(t, f.At.Equal(all[i].At), "seed %d, snapshot %d", seed, i)
			require.Equal(t, shown(all[i]), shown(f.Snapshot), "seed %d, snapshot %d", seed, i)
		}
	}
}

func TestAnyMomentIsTheSnapshotThatWasShownThen(t *testing.T) {
	t.Parallel()
	data, all := recorded(t, 7, 70)
	rec := open(t, data)
	for i, s := range all[:len(all)-1] {
		between := s.At.Add(all[i+1].At.Sub(s.At) / 2)
		f, next, err := rec.At(between)
		require.NoError(t, err)
		require.Equal(t, shown(s), shown(f.Snapshot), "snapshot %d", i)
		due, more := next.Due()
		require.True(t, more)
		require.True(t, due.Equal(all[i+1].At))
	}
	f, next, err := rec.At(rec.To.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, shown(all[len(all)-1]), shown(f.Snapshot))
	_, more := next.Due()
	require.False(t, more)
}

func TestWhateverIsCutOffARecordingTheRestIsShownAndTheCutIsSaid(t *testing.T) {
	t.Parallel()
	data, all := recorded(t, 3, 70) // several segments
	for cut := 1; cut < len(data); cut += 1 + len(data)/25 {
		kept := data[:len(data)-cut]
		rec, err := record.Open(bytes.NewReader(kept), int64(len(kept)))
		if err != nil {
			require.ErrorIs(t, err, sources.ErrInvalid, "a cut of %d bytes", cut)
			continue
		}
		got := frames(t, rec)
		require.Len(t, got, rec.Snapshots)
		require.LessOrEqual(t, len(got), len(all))
		require.Equal(t, shown(all[len(got)-1]), shown(got[len(got)-1].Snapshot))
		if len(got) < len(all) && rec.Torn == 0 {
			require.True(t, wholeSegments(kept), "a cut of %d bytes went unsaid", cut)
		}
	}
}

// wholeSegments tells whether data ends where a segment does.
func wholeSegments(data []byte) bool {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, zip)
	return err == nil
}

func TestWhatIsFlushedCanBeReadThoughTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := record.NewWriter(func() io.Writer { return &file })
	at := newWorld(1)
	var last *sources.Snapshot
	for range 5 {
		last = at.next()
		require.NoError(t, w.Add(last, 0))
	}
	require.NoError(t, w.Flush())
	require.NoError(t, w.Add(at.next(), 0)) // never flushed
	rec := open(t, file.Bytes())
	got := frames(t, rec)
	require.Equal(t, shown(last), shown(got[len(got)-1].Snapshot))
	require.Positive(t, rec.Torn)
}

func TestSnapshotsThatWereMissedAreWrittenDownAsAGap(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := record.NewWriter(func() io.Writer { return &file })
	at := newWorld(1)
	require.NoError(t, w.Add(at.next(), 0))
	require.NoError(t, w.Add(at.next(), 12))
	require.NoError(t, w.Close())
	rec := open(t, file.Bytes())
	require.Equal(t, 1, rec.Gaps)
	require.EqualValues(t, 12, rec.Lost)
	require.EqualValues(t, 12, frames(t, rec)[1].Lost)
}

func TestAClockThatWasSetBackDoesNotTurnARecordingBack(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := record.NewWriter(func() io.Writer { return &file })
	s := newWorld(1).next()
	for _, step := range []time.Duration{0, time.Second, -time.Hour, time.Second} {
		next := *s
		next.At = next.At.Add(step)
		s = &next
		require.NoError(t, w.Add(s, 0))
	}
	require.NoError(t, w.Close())
	got := frames(t, open(t, file.Bytes()))
	for i := range got[1:] {
		require.False(t, got[i+1].At.Before(got[i].At))
	}
	require.Equal(t, 2*time.Second, got[3].At.Sub(got[0].At))
}

func TestARecordingHoldsNoToken(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := record.NewWriter(func() io.Writer { return &file })
	s := sources.Snapshot{At: start, Ramps: []sources.RampStatus{{Name: "checkout-v2", Owner: "ana", Token: "t0ken-of-a-lease"}}}
	require.NoError(t, w.Add(&s, 0))
	require.NoError(t, w.Close())
	text := unpacked(t, file.Bytes())
	require.Contains(t, text, `"Owner":"ana"`)
	require.NotContains(t, text, "t0ken")
}

func unpacked(t testing.TB, data []byte) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	text, err := io.ReadAll(zip)
	require.NoError(t, err)
	return string(text)
}

func packed(lines ...string) []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = io.WriteString(zip, strings.Join(lines, "\n")+"\n")
	_ = zip.Close()
	return b.Bytes()
}

const head = `{"relctl-tui":"recording","version":1,"at":"2026-03-14T14:00:00Z"}`

func TestWhatIsNoRecordingIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"nothing":           {nil, "no whole snapshot"},
		"text":              {[]byte("hello, is this a recording?"), "no recording"},
		"another gzip":      {packed("hello"), "no recording"},
		"a later version":   {packed(`{"relctl-tui":"recording","version":2}`), "version 2 of the format, and this program reads 1"},
		"only a beginning":  {packed(head), "no whole snapshot"},
		"changes of nobody": {packed(head, `{"t":1773496800000000000,"d":{}}`), "not what a recording holds"},
	} {
		_, err := record.Open(bytes.NewReader(c.data), int64(len(c.data)))
		require.ErrorContains(t, err, c.says, name)
	}
}

func TestWhatAHostileRecordingBringsIsCleanedOrRefused(t *testing.T) {
	t.Parallel()
	at := func(body string) (record.Frame, error) {
		rec := open(t, packed(head, `{"t":1773496800000000000,"k":`+body+`}`))
		f, _, err := rec.At(rec.From)
		return f, err
	}
	f, err := at(`{"Context":"\u001b]0;x\u0007","Flags":{"o":[-1,1],"c":{"0":{"Name":"\u001b[2J","Rollout":{"V":900000,"OK":true}}}}}`)
	require.NoError(t, err)
	require.Equal(t, "∙]0;x∙", f.Snapshot.Context)
	require.Equal(t, "∙[2J", f.Snapshot.Flags[0].Name)
	require.Equal(t, sources.Full, f.Snapshot.Flags[0].Rollout.V)
	for _, body := range []string{
		`{"Flags":{"o":[-1,1000000000]}}`, // rows without a line
		`{"Flags":{"o":[0,1]}}`,           // rows that were not there
		`{"Flags":{"o":[-2,1]}}`,          //
		`{"Flags":{"c":{"7":{}}}}`,        //
		`{"Latencies":{"o":[-1,1],"c":{"0":{"Verdict":99}}}}`,
		`{"Trends":{"c":{"x":{"h":99,"n":1,"p":[]}}}}`,
		`{"Flags":{"o":[-1,1],"c":{"0":{"Migration":{"NoReturn":9}}}}}`,
		`[]`, `{"Flags":7}`, `{"Sources":{"o":[-1,1],"c":{"0":{"Parts":{"99":{}}}}}}`,
	} {
		_, err := at(body)
		require.ErrorIs(t, err, sources.ErrInvalid, body)
	}
}

func TestEveryWordOfASnapshotHasABound(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(u reflect.Type) {
		if seen[u] || u == reflect.TypeFor[time.Time]() || u == reflect.TypeFor[sources.Freeze]() {
			return
		}
		seen[u] = true
		switch u.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(u.Elem())
		case reflect.Struct:
			for i := range u.NumField() {
				require.True(t, u.Field(i).IsExported(), "%s.%s would be lost in a recording", u, u.Field(i).Name)
				walk(u.Field(i).Type)
			}
		case reflect.Int:
			_, bounded := bounds[u]
			require.True(t, u.PkgPath() == "" || bounded, "%s has no bound in words (shape.go) and here: a hostile recording could bring a value without a word", u)
		default:
		}
	}
	walk(reflect.TypeFor[sources.Snapshot]())
}

func FuzzARecordingFromAnywhere(f *testing.F) {
	data, _ := recorded(f, 1, 5)
	f.Add([]byte(unpacked(f, data)))
	f.Add([]byte(head + "\n" + `{"t":1773496800000000000,"k":{"Flags":{"o":[-1,1],"c":{"0":{}}}}}` + "\n" + `{"t":1773496800000000001,"d":{"Flags":{"o":[0,1,-1,1],"c":{"1":{}}}}}`))
	f.Fuzz(func(_ *testing.T, text []byte) {
		data := packed(string(text))
		rec, err := record.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		_, c, err := rec.At(rec.To)
		for err == nil {
			_, err = c.Next()
		}
	})
}
