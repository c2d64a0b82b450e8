package sourcetest

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Actuator is an imitation of Spring Boot's Actuator with resilience4j's endpoint
// circuitbreakers, after the public source of both: it refuses what theirs refuses, and
// makes a breaker of any name that it is told to switch, as theirs does. No Spring Boot
// can be run by the tests. It is goroutine-safe.
type Actuator struct {
	URL string // http://HOST/actuator

	mu       sync.Mutex
	states   map[string]string
	posts    []string // "name order", in the order in which they came
	refuse   int      // status of every POST; 0 for none
	user     string
	password string
	listOnly bool
	down     bool
}

// NewActuator runs one until the test ends, with breakers by name and their states.
func NewActuator(t testing.TB, states map[string]string) *Actuator {
	t.Helper()
	a := &Actuator{states: map[string]string{}}
	for name, state := range states {
		a.states[name] = state
	}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	a.URL = srv.URL + "/actuator"
	return a
}

// Host is its HOST:PORT.
func (a *Actuator) Host() string {
	return strings.TrimSuffix(strings.TrimPrefix(a.URL, "http://"), "/actuator")
}

func (a *Actuator) with(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// Turn puts a breaker into a state, as its calls would.
func (a *Actuator) Turn(name, state string) { a.with(func() { a.states[name] = state }) }

// State is the state of a breaker; "" for none of that name.
func (a *Actuator) State(name string) (state string) {
	a.with(func() { state = a.states[name] })
	return state
}

// Posts is what it was told, in the order in which it came.
func (a *Actuator) Posts() (all []string) {
	a.with(func() { all = append(all, a.posts...) })
	return all
}

// Down has it break off every connection, or not any more.
func (a *Actuator) Down(down bool) { a.with(func() { a.down = down }) }

// Refuse has it answer POST with a status; 0 ends that.
func (a *Actuator) Refuse(status int) { a.with(func() { a.refuse = status }) }

// Login has it want HTTP Basic authentication.
func (a *Actuator) Login(user, password string) {
	a.with(func() { a.user, a.password = user, password })
}

// ListOnly has it list names alone, as older versions do.
func (a *Actuator) ListOnly() { a.with(func() { a.listOnly = true }) }

const vendor = "application/vnd.spring-boot.actuator.v"

// ServeHTTP implements http.Handler.
func (a *Actuator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		panic(http.ErrAbortHandler)
	}
	refuse := func(status int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"timestamp":%q,"status":%d,"error":%q,"path":%q}`,
			time.Unix(0, 0).UTC().Format(time.RFC3339), status, http.StatusText(status), r.URL.EscapedPath())
	}
	if user, password, _ := r.BasicAuth(); a.user != "" && (user != a.user || password != a.password) {
		w.Header().Set("WWW-Authenticate", "Basic")
		refuse(http.StatusUnauthorized)
		return
	}
	answer := produced(r.Header.Get("Accept"))
	name, one := strings.CutPrefix(r.URL.EscapedPath(), "/actuator/circuitbreakers/")
	plain, err := url.PathUnescape(name)
	switch {
	case strings.Contains(strings.ToLower(name), "%2f"): // what Tomcat refuses
		refuse(http.StatusBadRequest)
	case !one && r.URL.Path != "/actuator/circuitbreakers", one && (plain == "" || err != nil):
		refuse(http.StatusNotFound)
	case one && r.Method != http.MethodPost, !one && r.Method != http.MethodGet:
		refuse(http.StatusMethodNotAllowed)
	case answer == "":
		refuse(http.StatusNotAcceptable)
	case one && a.refuse != 0:
		refuse(a.refuse)
	case one:
		if status := a.update(w, r, plain, answer); status != 0 {
			refuse(status)
		}
	default:
		w.Header().Set("Content-Type", answer)
		_ = json.NewEncoder(w).Encode(map[string]any{"circuitBreakers": a.list()})
	}
}

// produced is the type of the answer: the endpoint's own first.
func produced(accept string) string {
	for want := range strings.SplitSeq(accept, ",") {
		kind, _, _ := mime.ParseMediaType(want)
		switch kind {
		case "", "*/*", "application/*":
			return vendor + "3+json"
		case "application/json", vendor + "2+json", vendor + "3+json":
			return kind
		}
	}
	return ""
}

// update is the endpoint's write operation; the status of a refusal, or 0.
func (a *Actuator) update(w http.ResponseWriter, r *http.Request, name, answer string) int {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != vendor+"2+json" && kind != vendor+"3+json" {
		return http.StatusUnsupportedMediaType
	}
	var body map[string]any
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil || json.Unmarshal(b, &body) != nil {
		return http.StatusBadRequest
	}
	order, ok := body["updateState"].(string)
	state := map[string]string{"CLOSE": "CLOSED", "FORCE_OPEN": "FORCED_OPEN", "DISABLE": "DISABLED"}[order]
	if !ok || state == "" {
		return http.StatusBadRequest
	}
	a.posts = append(a.posts, name+" "+order)
	a.states[name] = state
	w.Header().Set("Content-Type", answer)
	_ = json.NewEncoder(w).Encode(map[string]string{
		"circuitBreakerName": name, "currentState": state, "message": name + " state has been changed successfully",
	})
	return 0
}

func (a *Actuator) list() any {
	if a.listOnly {
		names := []string{}
		for name := range a.states {
			names = append(names, name)
		}
		return names
	}
	all := map[string]any{}
	for name, state := range a.states {
		rate, buffered, failed := "-1.0%", 3, 1
		if state == "OPEN" {
			rate, buffered, failed = "62.5%", 8, 5
		}
		all[name] = map[string]any{
			"failureRate": rate, "slowCallRate": "-1.0%", "failureRateThreshold": "50.0%", "slowCallRateThreshold": "100.0%",
			"bufferedCalls": buffered, "failedCalls": failed, "slowCalls": 0, "slowFailedCalls": 0, "notPermittedCalls": 0, "state": state,
		}
	}
	return all
}
