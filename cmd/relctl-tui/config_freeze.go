package main

import (
	"time"
	_ "time/tzdata" // a static binary has to know time zones where the machine does not

	"relctl-tui/sources"
)

// FreezeConfig is a window during which no flag is raised.
type FreezeConfig struct {
	From     Text   `yaml:"from" doc:"When it begins: 2026-12-18 18:00 once, Fri 18:00 every week, or 18:00 every day." need:"true"`
	To       Text   `yaml:"to" doc:"When it ends, written alike." need:"true"`
	Zone     Text   `yaml:"zone" doc:"Whose clocks are meant, such as Europe/Berlin or UTC." need:"true"`
	Reason   Text   `yaml:"reason" doc:"Why, for whoever is refused." need:"true"`
	Flags    []Text `yaml:"flags" doc:"Keys of the flags that it holds for. Default: all, or those with one of the tags."`
	Tags     []Text `yaml:"tags" doc:"Tags of the flags that it holds for."`
	Override bool   `yaml:"override" doc:"A flag may be raised all the same, with a reason and on record."`
}

// loadZone is a time zone by its IANA name. The machine's own zone has none that means
// the same elsewhere, so it cannot be meant.
func loadZone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

// freeze is the window itself, or the fault and where it stands.
func (z *FreezeConfig) freeze() (out sources.Freeze, at pos, fault string) {
	loc, ok := loadZone(z.Zone.S)
	if !ok {
		return out, z.Zone.at, "unknown time zone " + quote(z.Zone.S) + ": write one such as Europe/Berlin, America/New_York or UTC"
	}
	out, err := sources.NewFreeze(z.From.S, z.To.S, loc)
	if err != nil {
		return out, z.From.at, "freeze: " + trimInvalid(err)
	}
	for _, t := range z.Flags {
		out.Flags = append(out.Flags, t.S)
	}
	for _, t := range z.Tags {
		out.Tags = append(out.Tags, t.S)
	}
	out.Reason, out.Override = sources.Clean(z.Reason.S, 120), z.Override
	return out, pos{}, ""
}

func (c *Config) validateFreeze(list []FreezeConfig) error {
	for i := range list {
		if _, at, fault := list[i].freeze(); fault != "" {
			return c.errAt(at, "%s", fault)
		}
	}
	return nil
}

// calendar is all windows of a context, which was validated.
func (c *ContextConfig) calendar() (out sources.Calendar) {
	for i := range c.Freeze {
		z, _, _ := c.Freeze[i].freeze()
		out = append(out, z)
	}
	return out
}

// calendarWords are the windows in a line each, and what is closed at the moment.
func calendarWords(c sources.Calendar, now time.Time) (lines []string) {
	for i := range c {
		z := &c[i]
		line := z.String() + ", " + z.Reason
		one, frozen := sources.Calendar{*z}.Of(&sources.Flag{ID: sources.FlagID{Key: firstOr(z.Flags, "")}, Tags: z.Tags}, now)
		switch {
		case z.Ended(now):
			line += " (over)"
		case frozen:
			line += " (now, until " + sources.Soon(one.Until, now) + ")"
		}
		lines = append(lines, line)
	}
	return lines
}
