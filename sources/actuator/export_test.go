package actuator

import "relctl-tui/sources"

// Read is what one instance's list says of each of its breakers.
func Read(raw []byte) (map[string]sources.BreakerInstance, error) {
	list, err := (&instance{name: "app:8080"}).decode(raw)
	out := map[string]sources.BreakerInstance{}
	for name, d := range list {
		out[name] = d.instance("app:8080")
	}
	return out, err
}
