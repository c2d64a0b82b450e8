package launchdarkly_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// service is a server that holds to the published description of the API: what the
// description says is refused, is refused here, and so is whatever it does not
// mention. It shares no code with the driver. Its fields may be changed under mu.
type service struct {
	mu       sync.Mutex
	now      func() time.Time
	tokens   map[string]string // role by token
	flags    map[string]*flag
	entries  []entry // audit log, newest last
	lateLog  bool    // what is changed is not in the audit log yet
	approval bool    // production wants approvals
	planned  map[string]bool
	maxLimit int
	spoil    func(w http.ResponseWriter, r *http.Request) bool // answers instead
	requests []string
	patches  []patch
}

type entry struct{ id, flag, comment string }

type flag struct {
	Key, Kind, Name string
	Version         int
	Values          []any // of variations; the ID of the i-th is KEY-i
	Archived        bool
	Deprecated      bool
	Temporary       bool
	Team            string
	Env             map[string]*config
}

type config struct {
	On      bool
	Version int
	Changed time.Time
	Serve   map[string]any
	Off     *int
	Targets []any
	Kinds   []any // targets of other kinds than users
	Rules   []any
	Needs   []any
}

type patch struct {
	EnvironmentKey string           `json:"environmentKey"`
	Comment        string           `json:"comment"`
	Instructions   []map[string]any `json:"instructions"`
	forced         bool
}

const project, production = "shop", "production"

// serve starts the service with checkout at 25 %, search fully on, and geo with a rule.
func serve(t testing.TB) (*service, string) {
	t.Helper()
	at := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	s := &service{
		now: func() time.Time { return at }, maxLimit: 100, planned: map[string]bool{},
		tokens: map[string]string{"api-writer": "writer", "api-reader": "reader", "api-custom": "custom"},
		flags:  map[string]*flag{},
	}
	s.add("checkout", split(25_000, 75_000))
	s.add("search", map[string]any{"variation": 0})
	s.add("geo", map[string]any{"variation": 1}).Env[production].Rules = []any{map[string]any{
		"_id": "r1", "variation": 0, "trackEvents": false,
		"clauses": []any{map[string]any{"_id": "c1", "attribute": "country", "op": "in", "negate": false, "values": []any{"CH", 1.5}}},
	}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv.URL
}

func split(on, off int) map[string]any {
	return map[string]any{"rollout": map[string]any{"variations": []any{
		map[string]any{"variation": 0, "weight": on}, map[string]any{"variation": 1, "weight": off},
	}}}
}

func (s *service) add(key string, fallthru map[string]any) *flag {
	off := 1
	f := &flag{Key: key, Kind: "boolean", Name: "Name of " + key, Version: 1, Values: []any{true, false}, Env: map[string]*config{
		production: {On: true, Version: 1, Changed: s.now(), Serve: fallthru, Off: &off},
		"test":     {On: false, Version: 1, Changed: s.now(), Serve: map[string]any{"variation": 0}, Off: &off},
	}}
	s.flags[key] = f
	return f
}

// with does something while no request is served.
func (s *service) with(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if s.spoil != nil && s.spoil(w, r) {
		return
	}
	role, known := s.tokens[r.Header.Get("Authorization")]
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v2/"), "/")
	switch {
	case !known:
		refuse(w, 401, "unauthorized", "Invalid access token")
	case r.Header.Get("LD-API-Version") != "20240415":
		refuse(w, 400, "invalid_request", "this fake speaks version 20240415 only")
	case parts[0] == "caller-identity" && len(parts) == 1 && r.Method == "GET":
		answer(w, map[string]any{"accountId": "acc", "tokenId": "id-of-" + role, "tokenName": "x", "authKind": "token"})
	case parts[0] == "tokens" && len(parts) == 2 && r.Method == "GET":
		s.token(w, parts[1])
	case parts[0] == "auditlog" && len(parts) == 1 && r.Method == "GET":
		s.audit(w, r)
	case parts[0] != "flags" || len(parts) < 2 || len(parts) > 3:
		refuse(w, 404, "not_found", "Unknown path")
	case parts[1] != project:
		refuse(w, 404, "not_found", "Unknown project key "+parts[1])
	case len(parts) == 2 && r.Method == "GET":
		s.list(w, r)
	case len(parts) == 3 && s.flags[parts[2]] == nil:
		refuse(w, 404, "not_found", "Unknown feature flag key "+parts[2])
	case len(parts) == 3 && r.Method == "GET":
		if q, ok := query(w, r, "env", "expand"); ok {
			answer(w, s.flags[parts[2]].json(q["env"], true))
		}
	case len(parts) == 3 && r.Method == "PATCH":
		s.patch(w, r, s.flags[parts[2]], role)
	default:
		refuse(w, 405, "method_not_allowed", "Method not allowed")
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message, "id": "30ce6058"})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// query refuses parameters that the description does not have, and repeated ones.
func query(w http.ResponseWriter, r *http.Request, allowed ...string) (map[string]string, bool) {
	got := map[string]string{}
	for k, v := range r.URL.Query() {
		if !slices.Contains(allowed, k) || len(v) != 1 {
			refuse(w, 400, "invalid_request", "unknown or repeated parameter "+k)
			return nil, false
		}
		got[k] = v[0]
	}
	return got, true
}

func (s *service) token(w http.ResponseWriter, id string) {
	role, ok := strings.CutPrefix(id, "id-of-")
	if !ok {
		refuse(w, 404, "not_found", "Unknown token")
		return
	}
	t := map[string]any{"_id": id, "ownerId": "o", "memberId": "m", "creationDate": 1, "lastModified": 1, "_links": map[string]any{}}
	if role == "custom" {
		t["role"], t["customRoleIds"] = "reader", []string{"may-toggle"}
	} else {
		t["role"] = role
	}
	answer(w, t)
}

func (s *service) audit(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "before", "after", "q", "limit", "spec")
	limit, err := strconv.Atoi(q["limit"])
	if !ok || err != nil || limit < 1 || limit > 20 || q["spec"] != "proj/"+project+":env/*:flag/*" {
		refuse(w, 400, "invalid_request", "limit is between 1 and 20, and spec names flags")
		return
	}
	items := []any{}
	for i := len(s.entries) - 1; i >= 0 && len(items) < limit; i-- {
		e := s.entries[i]
		items = append(items, map[string]any{"_id": e.id, "_accountId": "acc", "date": 1, "kind": "flag", "name": e.flag, "comment": e.comment})
	}
	answer(w, map[string]any{"items": items, "_links": map[string]any{}})
}

func (s *service) list(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "env", "filter", "summary", "sort", "limit", "offset", "tag", "expand")
	if !ok {
		return
	}
	limit, offset := 20, 0
	var err1, err2 error
	if v := q["limit"]; v != "" {
		limit, err1 = strconv.Atoi(v)
	}
	if v := q["offset"]; v != "" {
		offset, err2 = strconv.Atoi(v)
	}
	if err1 != nil || err2 != nil || limit < 1 || limit > 100 || offset < 0 || (q["sort"] != "" && q["sort"] != "key") {
		refuse(w, 400, "invalid_request", "bad page")
		return
	}
	env, filtered := strings.CutPrefix(q["filter"], "filterEnv:")
	if !filtered || env != q["env"] {
		env = "" // no environments without the filter
	}
	var live []*flag
	for _, key := range slices.Sorted(maps.Keys(s.flags)) {
		if f := s.flags[key]; !f.Archived {
			live = append(live, f)
		}
	}
	limit = min(limit, s.maxLimit)
	from, to := min(offset, len(live)), min(offset+limit, len(live))
	items := []any{}
	for _, f := range live[from:to] {
		one := f.json(env, q["summary"] == "0")
		if env == "" {
			delete(one, "environments")
		}
		items = append(items, one)
	}
	links := map[string]any{"self": map[string]any{"href": r.URL.String(), "type": "application/json"}}
	if to < len(live) {
		links["next"] = map[string]any{"href": fmt.Sprintf("/api/v2/flags/%s?offset=%d", project, to), "type": "application/json"}
	}
	answer(w, map[string]any{"items": items, "totalCount": len(live), "_links": links})
}

// json is a flag's representation, of one environment or of all.
func (f *flag) json(env string, detailed bool) map[string]any {
	var variations []any
	for i, v := range f.Values {
		variations = append(variations, map[string]any{"_id": f.Key + "-" + strconv.Itoa(i), "value": v})
	}
	envs := map[string]any{}
	for name, c := range f.Env {
		if env == "" || env == name {
			envs[name] = c.json(f, name, detailed)
		}
	}
	out := map[string]any{
		"key": f.Key, "name": f.Name, "kind": f.Kind, "description": "", "_version": f.Version, "variations": variations,
		"temporary": f.Temporary, "archived": f.Archived, "deprecated": f.Deprecated, "tags": []string{},
		"creationDate": 1, "customProperties": map[string]any{}, "experiments": map[string]any{}, "_links": map[string]any{},
		"_maintainer":  map[string]any{"_id": "m", "firstName": "Pat", "lastName": "Lee", "email": "pat@shop.example", "role": "writer"},
		"environments": envs, "aFieldOfTomorrow": map[string]any{"deep": []int{1}},
	}
	if f.Team != "" {
		out["_maintainerTeam"] = map[string]any{"key": "team", "name": f.Team}
	}
	return out
}

func (c *config) json(f *flag, name string, detailed bool) map[string]any {
	out := map[string]any{
		"on": c.On, "archived": false, "salt": "s", "sel": "x", "lastModified": c.Changed.UnixMilli(), "version": c.Version,
		"fallthrough": c.Serve, "trackEvents": false, "trackEventsFallthrough": false, "_environmentName": strings.ToUpper(name),
		"_site": map[string]any{"href": "/default/" + name + "/features/" + f.Key, "type": "text/html"},
		"_summary": map[string]any{"prerequisites": len(c.Needs), "variations": map[string]any{
			"0": map[string]any{"rules": len(c.Rules), "nullRules": 0, "targets": len(c.Targets), "contextTargets": 0},
		}},
	}
	if c.Off != nil {
		out["offVariation"] = *c.Off
	}
	if detailed {
		out["targets"], out["contextTargets"], out["rules"], out["prerequisites"] = orEmpty(c.Targets), orEmpty(c.Kinds), orEmpty(c.Rules), orEmpty(c.Needs)
	}
	return out
}

func orEmpty(list []any) []any {
	if list == nil {
		return []any{}
	}
	return list
}

func (s *service) patch(w http.ResponseWriter, r *http.Request, f *flag, role string) {
	q, ok := query(w, r, "ignoreConflicts", "dryRun")
	if !ok {
		return
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || params["domain-model"] != "launchdarkly.semanticpatch" || len(params) != 1 {
		refuse(w, 400, "invalid_request", "a semantic patch is read as a JSON patch without domain-model")
		return
	}
	body, _ := io.ReadAll(r.Body)
	var p patch
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || dec.More() {
		refuse(w, 400, "invalid_request", fmt.Sprint("the request cannot be understood: ", err))
		return
	}
	c := f.Env[p.EnvironmentKey]
	switch {
	case role == "reader":
		refuse(w, 403, "forbidden", "Access to the requested resource was denied")
		return
	case c == nil:
		refuse(w, 400, "invalid_request", "environmentKey is required and must exist")
		return
	case len(p.Instructions) == 0:
		refuse(w, 422, "unprocessable_entity", "instructions are required")
		return
	case s.approval && p.EnvironmentKey == production:
		refuse(w, 405, "method_not_allowed", "Approval is required to make this request")
		return
	case s.planned[f.Key] && q["ignoreConflicts"] != "true":
		refuse(w, 400, "invalid_request", "This would cause a scheduled change to fail")
		return
	}
	next := *c
	for _, i := range p.Instructions {
		if why := next.apply(f, i); why != "" {
			refuse(w, 400, "invalid_request", why)
			return
		}
	}
	p.forced = q["ignoreConflicts"] == "true"
	s.patches = append(s.patches, p)
	s.change(f, p.EnvironmentKey, next, p.Comment)
	answer(w, f.json("", true))
}

// change makes a configuration the present one, if it is another.
func (s *service) change(f *flag, env string, next config, comment string) {
	was, _ := json.Marshal(f.Env[env])
	if is, _ := json.Marshal(next); bytes.Equal(was, is) {
		return
	}
	next.Version++
	next.Changed = s.now()
	f.Version++
	f.Env[env] = &next
	if !s.lateLog {
		s.entries = append(s.entries, entry{fmt.Sprint("entry-", len(s.entries)+1), f.Key, comment})
	}
}

func (c *config) apply(f *flag, i map[string]any) (refusal string) {
	allowed := map[string][]string{
		"turnFlagOn": {"kind"}, "turnFlagOff": {"kind"},
		"updateFallthroughVariationOrRollout": {"kind", "variationId", "rolloutWeights", "rolloutBucketBy", "rolloutContextKind"},
	}
	kind, _ := i["kind"].(string)
	if allowed[kind] == nil {
		return "Unknown instruction kind " + kind
	}
	for k := range i {
		if !slices.Contains(allowed[kind], k) {
			return "Unknown parameter " + k
		}
	}
	switch kind {
	case "turnFlagOn", "turnFlagOff":
		c.On = kind == "turnFlagOn"
		return ""
	}
	weights, split := i["rolloutWeights"].(map[string]any)
	id, one := i["variationId"].(string)
	if one == split {
		return "either variationId or rolloutWeights"
	}
	if one {
		n := f.index(id)
		if n < 0 {
			return "Unknown variation " + id
		}
		c.Serve = map[string]any{"variation": n}
		return ""
	}
	return c.split(f, weights, i)
}

func (c *config) split(f *flag, weights, i map[string]any) (refusal string) {
	roll := map[string]any{"contextKind": "user"}
	sum := 0.0
	var list []any
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(weights))) { // in an order of its own
		weight, ok := weights[id].(float64)
		n := f.index(id)
		if !ok || n < 0 || weight < 0 || weight > 100_000 || weight != float64(int(weight)) {
			return "bad weight for variation " + id
		}
		sum += weight
		list = append(list, map[string]any{"variation": n, "weight": int(weight)})
	}
	if sum != 100_000 {
		return "weights must sum to 100000"
	}
	roll["variations"] = list
	for from, to := range map[string]string{"rolloutBucketBy": "bucketBy", "rolloutContextKind": "contextKind"} {
		if v, ok := i[from].(string); ok {
			roll[to] = v
		}
	}
	c.Serve = map[string]any{"rollout": roll}
	return ""
}

func (f *flag) index(id string) int {
	for i := range f.Values {
		if id == f.Key+"-"+strconv.Itoa(i) {
			return i
		}
	}
	return -1
}
