package haproxy

import "relctl-tui/sources"

// Read is what a store that finds its pairs makes of HAProxy's raw answer.
func Read(raw string) ([]sources.Flag, error) {
	answers := split(raw, 3)
	if len(answers) < 3 {
		return nil, sources.ErrUnavailable
	}
	pic, err := seen("lb", answers)
	if err != nil {
		return nil, err
	}
	pairs, _ := found(pic)
	var flags []sources.Flag
	for _, p := range pairs {
		now, err := pic.pair("lb", p)
		if err != nil {
			return nil, err
		}
		flags = append(flags, now.flag("lb"))
	}
	return flags, nil
}

// Standing is canary weight, stable weight and administrative state.
type Standing struct {
	Canary, Stable int
	Admin          string
}

// Walk is how the pair stands after each command from one standing to another.
func Walk(from, to Standing) (way []Standing) {
	for _, s := range (Pair{"b", "s", "c"}).steps(setting{from.Canary, from.Stable, from.Admin}, setting{to.Canary, to.Stable, to.Admin}) {
		way = append(way, Standing{s.to.canary, s.to.stable, s.to.admin})
	}
	return way
}

// Express is the weights for a percentage, from two weights of now.
func Express(canary, stable int, p sources.Percent) (int, int, error) {
	n := pair{canary: server{uweight: canary, iweight: canary}, stable: server{uweight: stable, iweight: stable}}
	return n.express(p)
}
