package main

import (
	"slices"

	"relctl-tui/sources"
	"relctl-tui/sources/outlet"
)

// OutletConfig is one system that is told of changes.
type OutletConfig struct {
	Type    Text   `yaml:"type" doc:"grafana (annotations), webhook (signed JSON), slack (an incoming webhook, also of those that took over its form) or pagerduty (change events)." need:"true"`
	Name    Text   `yaml:"name" doc:"Name in sentences and in the journal. Default: the type."`
	URL     Secret `yaml:"url" doc:"Address: Grafana's base, or that of the webhook. One that is a secret itself is written ${VARIABLE}, or stands in url_file."`
	URLFile Text   `yaml:"url_file" doc:"File that holds the address."`
	Key     Secret `yaml:"key" doc:"What signs a webhook, or PagerDuty's routing key, as ${VARIABLE}."`
	KeyFile Text   `yaml:"key_file" doc:"File that holds the key."`
	AccessConfig
}

var outletTypes = []string{"grafana", "webhook", "slack", "pagerduty"}

// name is how sentences and the journal call it.
func (c *OutletConfig) name() string { return sources.Clean(firstWord(c.Name.S, c.Type.S), 40) }

func (c *OutletConfig) expand(one func(s *string, at pos, key string)) {
	one(&c.URL.s, c.URL.at, "url")
	one(&c.URLFile.S, c.URLFile.at, "url_file")
	one(&c.Key.s, c.Key.at, "key")
	one(&c.KeyFile.S, c.KeyFile.at, "key_file")
	c.AccessConfig.expand(one)
}

// validateOutlets checks outlets as they are written, before anything is expanded:
// secrets are named, never written.
func (c *Config) validateOutlets(ctx *ContextConfig) error {
	names := map[string]bool{}
	for i := range ctx.Outlets {
		o := &ctx.Outlets[i]
		name := firstWord(o.Name.S, o.Type.S)
		switch kind := o.Type.S; {
		case !slices.Contains(outletTypes, kind):
			return c.errAt(o.Type.at, "unknown type %s%s", quote(kind), didYouMean(kind, "types", slices.Clone(outletTypes)))
		case names[name]:
			return c.errAt(firstPos(o.Name.at, o.Type.at), "outlet %s is there twice: give each a name", quote(name))
		case sources.Clean(name, 40) != name:
			return c.errAt(o.Name.at, "name %s: keep to 40 printable characters", quote(name))
		case o.URL.Set() && o.URLFile.S != "":
			return c.errAt(o.URL.at, `"url" and "url_file" are both there: keep one`)
		case !o.URL.Set() && o.URLFile.S == "" && kind != "pagerduty":
			return c.errAt(o.Type.at, `an outlet of type %s wants "url" or "url_file"`, kind)
		case o.Key.Set() && o.KeyFile.S != "":
			return c.errAt(o.Key.at, `"key" and "key_file" are both there: keep one`)
		case (kind == "webhook" || kind == "pagerduty") && !o.Key.Set() && o.KeyFile.S == "":
			return c.errAt(o.Type.at, `an outlet of type %s wants "key" or "key_file"`, kind)
		}
		if err := c.validateSecrets(o); err != nil {
			return err
		}
		names[name] = true
	}
	return nil
}

// validateAddresses checks where outlets send to, once variables are filled in. A change
// waits for none of it: this is for who asks whether the config is right.
func (c *Config) validateAddresses(ctx *ContextConfig) error {
	for i := range ctx.Outlets {
		o := &ctx.Outlets[i]
		if o.lacks != nil || !o.URL.Set() {
			continue
		}
		if _, err := outlet.NewChat(outlet.Server{Name: o.name(), URL: o.URL.Reveal()}); err != nil {
			return c.errAt(o.URL.at, "%s", trimInvalid(err))
		}
	}
	return nil
}

// validateSecrets checks that an outlet's secrets are named and not written.
func (c *Config) validateSecrets(o *OutletConfig) error {
	named := func(s Secret) bool { return !s.Set() || envRef.MatchString(s.s) }
	switch {
	case o.Type.S == "slack" && !named(o.URL):
		return c.errAt(o.URL.at, `the address of an incoming webhook is a secret: write "url" as ${VARIABLE} or use "url_file"`)
	case !named(o.Key):
		return c.errAt(o.Key.at, `a key is a secret: write it as ${VARIABLE} or use "key_file"`)
	case !named(o.Token):
		return c.errAt(o.Token.at, `a token is a secret: write it as ${VARIABLE} or use "token_file"`)
	}
	return nil
}
