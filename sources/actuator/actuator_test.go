package actuator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/actuator"
	"relctl-tui/sources/sourcetest"
)

func open(t *testing.T, fakes ...*sourcetest.Actuator) *actuator.Source {
	t.Helper()
	var list []actuator.Instance
	for _, f := range fakes {
		list = append(list, actuator.Instance{URL: f.URL})
	}
	s, err := actuator.New("orders", list, actuator.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func three(t *testing.T, states ...string) []*sourcetest.Actuator {
	t.Helper()
	var out []*sourcetest.Actuator
	for _, state := range states {
		out = append(out, sourcetest.NewActuator(t, map[string]string{"payments": state, "other": "CLOSED"}))
	}
	return out
}

func breakers(t *testing.T, s *actuator.Source) map[string]sources.Breaker {
	t.Helper()
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	out := map[string]sources.Breaker{}
	for _, b := range set.Breakers {
		out[b.Name] = b
	}
	return out
}

func TestActuatorSwitchesAsTheSuiteWantsIt(t *testing.T) {
	t.Parallel()
	sourcetest.Switcher(t, func(t *testing.T) sourcetest.Switchable {
		return sourcetest.Switchable{Driver: open(t, three(t, "CLOSED", "CLOSED", "CLOSED")...), Closed: "payments"}
	})
}

func TestARowIsTheWorstOfItsInstancesAndCountsThem(t *testing.T) {
	t.Parallel()
	s := open(t, three(t, "OPEN", "CLOSED", "HALF_OPEN")...)
	b := breakers(t, s)["payments"]
	require.Equal(t, sources.BreakerOpen, b.State)
	require.Equal(t, 3, b.Instances)
	require.Equal(t, 1, b.OpenInstances)
	require.InDelta(t, 0.625, b.ErrorRatio.V, 1e-12)
	require.False(t, breakers(t, s)["other"].ErrorRatio.OK, "-1.0% is too few calls, and no ratio")
}

func TestAnInstanceThatIsGoneIsSaidAndHidesNoBreaker(t *testing.T) {
	t.Parallel()
	fakes := three(t, "CLOSED", "CLOSED", "CLOSED")
	s := open(t, fakes...)
	fakes[1].Down(true)
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Breakers, 2)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], fakes[1].Host())
	require.Contains(t, set.Breakers[0].Note, "1 not read")
	for _, f := range fakes {
		f.Down(true)
	}
	_, err = s.Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "none of 3 instances")
}

func TestStatesThatCannotBeSetComeBackClosed(t *testing.T) {
	t.Parallel()
	for state, back := range map[string]string{
		"CLOSED": "CLOSED", "FORCED_OPEN": "FORCED_OPEN", "DISABLED": "DISABLED", "OPEN": "CLOSED", "HALF_OPEN": "CLOSED", "METRICS_ONLY": "CLOSED",
	} {
		list, err := open(t, three(t, state)...).BreakerInstances(t.Context(), "payments")
		require.NoError(t, err)
		require.Equal(t, back, list[0].Returns, state)
		require.NotEqual(t, sources.BreakerUnknown, list[0].State)
	}
	list, err := open(t, three(t, "AJAR")...).BreakerInstances(t.Context(), "payments")
	require.NoError(t, err)
	require.Equal(t, sources.BreakerUnknown, list[0].State)
	require.Equal(t, "unmapped (AJAR?)", list[0].Note)
}

func TestABreakerIsNeverMadeOnAnInstanceThatHasNotListedIt(t *testing.T) {
	t.Parallel()
	with, without := sourcetest.NewActuator(t, map[string]string{"payments": "CLOSED"}), sourcetest.NewActuator(t, map[string]string{"other": "CLOSED"})
	list, err := open(t, with, without).BreakerInstances(t.Context(), "payments")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, with.Host(), list[0].Name)
	require.Empty(t, without.Posts())
}

func TestRefusalsSayWhatToDoInSpring(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		is     error
		says   string
	}{
		{http.StatusForbidden, sources.ErrUnauthorized, "left out of CSRF protection"},
		{http.StatusNotFound, sources.ErrUnsupported, "access must be unrestricted"},
		{http.StatusMethodNotAllowed, sources.ErrUnsupported, "access must be unrestricted"},
		{http.StatusInternalServerError, sources.ErrUnavailable, "answered 500"},
	} {
		f := three(t, "CLOSED")[0]
		f.Refuse(c.status)
		err := open(t, f).SwitchBreaker(t.Context(), "payments", map[string]string{f.Host(): "FORCED_OPEN"})[f.Host()]
		require.ErrorIs(t, err, c.is)
		require.ErrorContains(t, err, c.says)
		require.Equal(t, "CLOSED", f.State("payments"))
	}
	f := three(t, "CLOSED")[0]
	f.Login("ops", "secret")
	_, err := open(t, f).Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrUnauthorized)
	old := three(t, "CLOSED")[0]
	old.ListOnly()
	_, err = open(t, old).Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrUnsupported)
	nowhere, err := actuator.New("orders", []actuator.Instance{{URL: strings.TrimSuffix(f.URL, "/actuator") + "/manage"}}, actuator.Options{})
	require.NoError(t, err)
	f.Login("", "")
	_, err = nowhere.Breakers(t.Context())
	require.ErrorContains(t, err, "management.endpoints.web.exposure.include")
}

func TestInspectSaysThresholdsAndWhatEachInstanceCounts(t *testing.T) {
	t.Parallel()
	fakes := three(t, "OPEN", "CLOSED")
	d, err := open(t, fakes...).InspectBreaker(t.Context(), "payments")
	require.NoError(t, err)
	require.Len(t, d.Instances, 2)
	for _, in := range d.Instances {
		if in.Name == fakes[0].Host() {
			require.Equal(t, sources.Some(8.0), in.Buffered)
			require.Equal(t, sources.Some(5.0), in.Failed)
		} else {
			require.False(t, in.ErrorRatio.OK)
		}
	}
	require.Equal(t, []sources.Fact{{Name: "opens at", Text: "50% failed"}, {Name: "or at", Text: "100% slow"}}, d.Facts)
}

func TestAddressesAreCheckedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	for _, list := range [][]actuator.Instance{
		nil, {{URL: "ftp://a/actuator"}}, {{URL: "http://u:p@a/actuator"}}, {{URL: "http://a/actuator"}, {URL: "http://a/actuator"}}, {{URL: ":"}},
	} {
		_, err := actuator.New("orders", list, actuator.Options{})
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.NotContains(t, err.Error(), "u:p")
	}
}
