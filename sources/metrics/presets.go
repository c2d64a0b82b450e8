package metrics

import (
	"slices"
	"time"
)

// LatencyPreset says how one library or proxy exports latencies.
type LatencyPreset struct {
	Name     string
	Metric   string        // the histogram, without _bucket
	Unit     time.Duration // what 1.0 means: required, because s, ms and ns are all in the wild
	Identity []string      // labels that can name the service; the first that is not empty does
	Where    string        // matchers that every series must pass
	Code     []string      // labels that can hold the outcome
	Failed   string        // anchored regular expression of outcomes that are errors
	CodeOf   string        // counter that carries the outcome where the histogram does not; "" for the histogram
	Auto     Auto
}

// Auto is whether a preset takes part when nothing is configured.
type Auto int

// The ranks of a preset when nothing is configured.
const (
	Never    Auto = iota // only when a rule names it: it measures the caller's side
	Service              // the service's own view, preferred
	Fallback             // a proxy's view, used where no service exports its own
)

var (
	serviceLabels = []string{"service", "service_name", "app", "application", "job"}
	codeLabels    = []string{"http_response_status_code", "code", "status", "status_code", "http_status_code"}
)

const serverErrors = "5.."

// latencyPresets in order of preference.
var latencyPresets = []LatencyPreset{
	{
		Name: "http_server", Metric: "http_server_request_duration_seconds", Unit: time.Second,
		Identity: serviceLabels, Code: codeLabels, Failed: serverErrors, Auto: Service,
	},
	{
		Name: "spring", Metric: "http_server_requests_seconds", Unit: time.Second,
		Identity: serviceLabels, Code: []string{"status"}, Failed: serverErrors, Auto: Service,
	},
	{
		Name: "http_request", Metric: "http_request_duration_seconds", Unit: time.Second,
		Identity: serviceLabels, Code: codeLabels, Failed: serverErrors, Auto: Service,
	},
	{
		Name: "grpc_server", Metric: "grpc_server_handling_seconds", Unit: time.Second,
		Identity: serviceLabels, Code: []string{"grpc_code"}, CodeOf: "grpc_server_handled_total",
		Failed: "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss", Auto: Service,
	},
	{
		Name: "istio", Metric: "istio_request_duration_milliseconds", Unit: time.Millisecond,
		Identity: []string{"destination_workload", "destination_service_name", "destination_service", "job"},
		Where:    `reporter="destination"`, Code: []string{"response_code"}, Failed: serverErrors, Auto: Fallback,
	},
	{
		Name: "envoy", Metric: "envoy_cluster_upstream_rq_time", Unit: time.Millisecond,
		Identity: []string{"envoy_cluster_name"}, Code: []string{"envoy_response_code_class"},
		CodeOf: "envoy_cluster_upstream_rq_xx", Failed: "5", Auto: Fallback,
	},
	{
		Name: "http_client", Metric: "http_client_request_duration_seconds", Unit: time.Second,
		Identity: serviceLabels, Code: codeLabels, Failed: serverErrors, Auto: Never,
	},
}

var nameLabels = []string{"name", "breaker", "circuit_breaker", "circuit"}

// ExposurePreset is a counter of flag evaluations.
type ExposurePreset struct {
	Metric  string
	Key     []string // labels that can hold the flag's key
	Variant []string // labels that can hold the variant
}

var (
	keyLabels     = []string{"feature_flag_key", "key", "flag_key"}
	variantLabels = []string{"feature_flag_result_variant", "feature_flag_variant", "variant"}
)

// exposurePresets in order of preference: the application's own count before
// the flag server's, which in-process evaluation never reaches.
var exposurePresets = []ExposurePreset{
	{"feature_flag_evaluations_total", keyLabels, variantLabels},
	{"feature_flag_evaluation_success_total", keyLabels, variantLabels},
	{"feature_flag_flagd_impression_total", keyLabels, variantLabels},
	{"feature_flag_flagd_impressions_total", keyLabels, variantLabels},
	{"feature_flag_flagd_impression_ratio_total", keyLabels, variantLabels},
	{"feature_flag_flagd_impression", keyLabels, variantLabels},
}

// LatencyPresets is the names a latency rule may use, sorted.
func LatencyPresets() []string {
	return names(latencyPresets, func(p LatencyPreset) string { return p.Name })
}

func names[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = name(v)
	}
	slices.Sort(out)
	return out
}
