package launchdarkly

import "encoding/json"

// The representations below hold only what is used: what else the service sends, now
// or in a later version, is ignored.

type wireFlag struct {
	Key             string               `json:"key"`
	Name            string               `json:"name"`
	Kind            string               `json:"kind"`
	Description     string               `json:"description"`
	Variations      []wireVariation      `json:"variations"`
	Temporary       bool                 `json:"temporary"`
	Archived        bool                 `json:"archived"`
	Deprecated      bool                 `json:"deprecated"`
	Maintainer      *wireMember          `json:"_maintainer"`
	MaintainerTeam  *wireTeam            `json:"_maintainerTeam"`
	MaintainerTeamK string               `json:"maintainerTeamKey"`
	Environments    map[string]*wireEnvs `json:"environments"`
}

type wireVariation struct {
	ID    string          `json:"_id"`
	Value json.RawMessage `json:"value"`
}

type wireMember struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
}

type wireTeam struct {
	Name string `json:"name"`
}

// wireEnvs is a flag's configuration in one environment.
type wireEnvs struct {
	On             *bool                 `json:"on"`
	LastModified   int64                 `json:"lastModified"` // milliseconds
	Targets        []wireTarget          `json:"targets"`
	ContextTargets []wireTarget          `json:"contextTargets"`
	Rules          []wireRule            `json:"rules"`
	Fallthrough    *wireServe            `json:"fallthrough"`
	OffVariation   *int                  `json:"offVariation"`
	Prerequisites  []wirePrereq          `json:"prerequisites"`
	Site           struct{ Href string } `json:"_site"`
	Summary        *wireSummary          `json:"_summary"`
}

type wireTarget struct {
	Values      []string `json:"values"`
	Variation   int      `json:"variation"`
	ContextKind string   `json:"contextKind"`
}

type wireRule struct {
	ID       string       `json:"_id"`
	Disabled bool         `json:"disabled"`
	Clauses  []wireClause `json:"clauses"`
	wireServe
}

type wireClause struct {
	Attribute   string            `json:"attribute"`
	Op          string            `json:"op"`
	Values      []json.RawMessage `json:"values"`
	ContextKind string            `json:"contextKind"`
	Negate      bool              `json:"negate"`
}

// wireServe is one variation or a split between several.
type wireServe struct {
	Variation *int         `json:"variation,omitempty"`
	Rollout   *wireRollout `json:"rollout,omitempty"`
}

type wireRollout struct {
	Variations  []wireWeight    `json:"variations"`
	Experiment  json.RawMessage `json:"experimentAllocation,omitempty"`
	Seed        *int64          `json:"seed,omitempty"`
	BucketBy    string          `json:"bucketBy,omitempty"`
	ContextKind string          `json:"contextKind,omitempty"`
}

// wireWeight is a share in thousandths of a percent, as a sources.Percent is.
type wireWeight struct {
	Variation int   `json:"variation"`
	Weight    int64 `json:"weight"`
}

type wirePrereq struct {
	Key       string `json:"key"`
	Variation int    `json:"variation"`
}

// wireSummary counts what a summary leaves out.
type wireSummary struct {
	Variations    map[string]wireCounts `json:"variations"`
	Prerequisites int                   `json:"prerequisites"`
}

type wireCounts struct {
	Rules          int `json:"rules"`
	Targets        int `json:"targets"`
	ContextTargets int `json:"contextTargets"`
}

func (s *wireSummary) rulesAndTargets() int {
	n := 0
	for _, v := range s.Variations {
		n += v.Rules + v.Targets + v.ContextTargets
	}
	return n
}

type wirePage struct {
	Items []*wireFlag `json:"items"`
	Total *int        `json:"totalCount"`
	Links struct {
		Next *struct{ Href string } `json:"next"`
	} `json:"_links"`
}

type wireAudit struct {
	Items []struct {
		ID string `json:"_id"`
	} `json:"items"`
}

// wirePatch is a semantic patch.
type wirePatch struct {
	Environment  string        `json:"environmentKey"`
	Comment      string        `json:"comment,omitempty"`
	Instructions []instruction `json:"instructions"`
}

type instruction struct {
	Kind        string           `json:"kind"`
	VariationID string           `json:"variationId,omitempty"`
	Weights     map[string]int64 `json:"rolloutWeights,omitempty"`
	BucketBy    string           `json:"rolloutBucketBy,omitempty"`
	ContextKind string           `json:"rolloutContextKind,omitempty"`
}
