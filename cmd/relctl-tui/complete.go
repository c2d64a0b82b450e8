package main

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// This file is what a completing shell is offered. Whatever goes wrong offers
// nothing: an error would stand in the middle of a line that somebody types.

// completeWithin is for how long a shell is kept waiting.
const completeWithin = time.Second

// inTime is what f says within that time, else the zero value. f may go on: a disk
// that hangs listens to no ctx, and the program ends anyway.
func inTime[T any](cmd *cobra.Command, f func(context.Context) T) (out T) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	done := make(chan T, 1)
	go func() { done <- f(ctx) }()
	select {
	case out = <-done:
	case <-ctx.Done():
	}
	return out
}

// offered is what sources say to a shell.
type offered struct {
	*reading
	setup *setup
}

// completeReading is what the sources say in time, or nothing.
func (o *options) completeReading(cmd *cobra.Command, w want) offered {
	o.completing = true
	out := inTime(cmd, func(ctx context.Context) offered {
		s, err := o.open(io.Discard)
		if err != nil {
			return offered{}
		}
		return offered{s.read(ctx, w, o.now), s}
	})
	if out.reading == nil {
		out.reading = &reading{}
	}
	return out
}

// completeMore offers the keys of flags that are not there yet, for verbs that take
// several. A key that is not printable as it is would be dangerous at a prompt and is
// left out.
func (o *options) completeMore(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	p := o.completeReading(cmd, want{flags: true})
	keys := make([]cobra.Completion, 0, len(p.flags))
	for i := range p.flags {
		if f := &p.flags[i]; f.Name == f.ID.Key && !slices.Contains(args, f.Name) {
			keys = append(keys, cobra.CompletionWithDesc(f.Name, cmp.Or(views.StageText(f), f.State.String()+" "+f.Brief())))
		}
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}

// completeFlags is the same for verbs that take one flag, first.
func (o *options) completeFlags(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.completeMore(cmd, args, word)
}

// completeBreakers offers the breakers that can be switched.
func (o *options) completeBreakers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	p := o.completeReading(cmd, want{breakers: true})
	var names []cobra.Completion
	for _, b := range p.breakers {
		if p.setup.switches(b.Source) && printable(b.Name) {
			names = append(names, cobra.CompletionWithDesc(b.Name, b.State.String()))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeOptions has the shell offer contexts and themes.
func (o *options) completeOptions(root *cobra.Command) {
	_ = root.RegisterFlagCompletionFunc("context", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return inTime(cmd, o.contextNames), cobra.ShellCompDirectiveNoFileComp
	})
	_ = root.RegisterFlagCompletionFunc("theme", func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if aThemesFile(word) {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return themes.Names(), cobra.ShellCompDirectiveNoFileComp
	})
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml")
}

// contextNames are those of the config that would be read; none where that cannot be.
func (o *options) contextNames(context.Context) (names []cobra.Completion) {
	path, _ := configPath(o.config)
	cfg, _, err := loadConfig(path)
	if err != nil {
		return nil
	}
	for _, name := range keysOf(cfg.Contexts) {
		if printable(name) {
			names = append(names, name)
		}
	}
	return names
}

// printable tells whether a name can stand at a prompt as it is.
func printable(name string) bool {
	return name != "" && sources.Clean(name, sources.MaxName) == name && !strings.ContainsAny(name, "\t\n")
}
