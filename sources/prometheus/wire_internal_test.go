package prometheus

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// canned answers every request with the same body.
type canned struct {
	status int
	body   string
}

func (c canned) URL(string, map[string]string) *url.URL { return &url.URL{Scheme: "http", Host: "x"} }

func (c canned) Do(context.Context, *http.Request) (*http.Response, []byte, error) {
	return &http.Response{StatusCode: c.status, Body: io.NopCloser(strings.NewReader(""))}, []byte(c.body), nil
}

var _ api.Client = canned{}

// both reads a body with this package and with client_golang's own.
func both(t *testing.T, c canned) (mine, theirs model.Value, mineErr, theirsErr error) {
	t.Helper()
	mine, beside, mineErr := client{c}.query(t.Context(), "x", time.Second)
	theirs, warnings, infos, theirsErr := v1.NewAPI(c).Query(t.Context(), "x", time.Time{})
	require.Equal(t, []string(warnings), beside.warnings, c.body)
	require.Equal(t, []string(infos), beside.infos, c.body)
	return mine, theirs, mineErr, theirsErr
}

func TestResultsAreReadAsClientGolangReadsThem(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for range 300 {
		c := canned{http.StatusOK, randomResult(r)}
		mine, theirs, mineErr, theirsErr := both(t, c)
		require.NoError(t, theirsErr, c.body)
		require.NoError(t, mineErr, c.body)
		require.Equal(t, fmt.Sprint(theirs), fmt.Sprint(mine), c.body) // as text, for NaN is equal to nothing
	}
}

// randomResult is a valid answer with a vector or a matrix, spaced as nobody would.
func randomResult(r *rand.Rand) string {
	space := func() string { return []string{"", " ", "\n\t", "\r\n "}[r.IntN(4)] }
	number := func() string {
		v := []float64{0, -1, 0.25, 1e300, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1), r.NormFloat64()}[r.IntN(9)]
		return `"` + strconv.FormatFloat(v, 'g', -1, 64) + `"`
	}
	pair := func(value string) string {
		at := []string{"0", "1700000000", "1700000000.5", "1700000000.781", "1700000000.25", "-3.5"}[r.IntN(6)]
		return space() + "[" + space() + at + space() + "," + space() + value + space() + "]" + space()
	}
	hist := func() string {
		return `{"count":` + number() + `,"sum":` + number() + `,"buckets":[[` + strconv.Itoa(r.IntN(4)) + `,"-0.5","0.25",` + number() + `],[0,"0.25","+Inf","2"]]}`
	}
	many := func(one func() string) string {
		list := make([]string, r.IntN(4))
		for i := range list {
			list[i] = pair(one())
		}
		return "[" + space() + strings.Join(list, ",") + "]"
	}
	matrix := r.IntN(2) == 0
	rows := make([]string, r.IntN(4))
	for i := range rows {
		row := `{"metric":{"__name__":"a","le":"\u00e9\"{[,"},`
		switch {
		case matrix && r.IntN(2) == 0:
			row += `"values":` + many(number) + `,"histograms":` + many(hist)
		case matrix:
			row += `"values":` + many(number)
		case r.IntN(3) == 0:
			row += `"histogram":` + pair(hist())
		default:
			row += `"value":` + pair(number())
		}
		rows[i] = row + "}"
	}
	kind := map[bool]string{true: "matrix", false: "vector"}[matrix]
	return `{"status":"success","warnings":["w"],"infos":["i"],"data":{"resultType":"` + kind + `","result":[` + strings.Join(rows, ",") + `]}}`
}

func TestASampleWithoutAValueIsRefusedAndNoZero(t *testing.T) {
	t.Parallel()
	_, theirs, mineErr, theirsErr := both(t, canned{http.StatusOK, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1]}]}}`})
	require.NoError(t, theirsErr)
	require.Contains(t, fmt.Sprint(theirs), "0", "which is what client_golang makes of it")
	require.Error(t, mineErr)
}

func TestWhatIsNoResultIsRefusedAsClientGolangRefusesIt(t *testing.T) {
	t.Parallel()
	const vector = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":%s}]}}`
	const matrix = `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":%s}]}}`
	bodies := []string{
		"", "{", "null]", `{"status":"error","errorType":"execution","error":"no"}`, `{"status":"success","data":{"resultType":"moon","result":[]}}`,
	}
	for _, v := range []string{`[1,2]`, `["1","2"]`, `[1,"x"]`, `{}`, `"1"`, `[1,"1"`, `[[1,"1"],"2"]`} {
		bodies = append(bodies, fmt.Sprintf(vector, v), fmt.Sprintf(matrix, "["+v+"]"))
	}
	for _, body := range bodies {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusBadGateway, http.StatusNotFound} {
			mine, _, mineErr, theirsErr := both(t, canned{status, body})
			require.Nil(t, mine, body)
			require.Error(t, mineErr, body)
			var is *apiError
			var was *v1.Error
			require.ErrorAs(t, mineErr, &is, body)
			require.ErrorAs(t, theirsErr, &was, body)
			require.Equal(t, string(was.Type), is.kind, "%d %s", status, body)
		}
	}
}
