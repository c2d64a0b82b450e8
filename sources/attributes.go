package sources

import (
	"cmp"
	"time"
)

// Attributes describes a change to other systems, in the names of OpenTelemetry's
// semantic conventions where those have one, and under "relctl." where they have none.
// Variant is the flag's variant for a change that does not know its own, "" when unknown.
// What is not known is left out. Values are cleaned.
func (a *Activity) Attributes(context, variant string) map[string]string {
	out := map[string]string{}
	put := func(name, value string) {
		if value = Clean(value, MaxName); value != "" {
			out[name] = value
		}
	}
	if !ChangeKind(a.Kind).OfBreaker() && ChangeKind(a.Kind) != SilenceAlert {
		put("feature_flag.key", a.Flag.Key)
		put("feature_flag.provider.name", a.Flag.Source)
		put("feature_flag.version", string(a.Revision))
		if a.Kind == string(Move) {
			variant = a.New
		}
		put("feature_flag.result.variant", cmp.Or(a.Variant, variant))
	}
	put("deployment.environment.name", context)
	put("user.name", a.Actor)
	put("relctl.change.id", a.ID)
	put("relctl.change.kind", a.Kind)
	put("relctl.change.old", a.Old)
	put("relctl.change.new", a.New)
	put("relctl.change.reason", a.Reason)
	put("relctl.change.outcome", string(a.Outcome))
	put("error.message", a.Err)
	if !a.Effective.IsZero() {
		put("relctl.change.effective_at", a.Effective.UTC().Format(time.RFC3339Nano))
	}
	return out
}
