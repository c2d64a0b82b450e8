package metrics

import "slices"

// serviceLabels can name the service that exports a metric.
var serviceLabels = []string{"service", "service_name", "app", "application", "job"}

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

func names[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = name(v)
	}
	slices.Sort(out)
	return out
}
