package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
)

// newRestoreCmd returns a flag to a state that it was in before.
func newRestoreCmd(o *options) *cobra.Command {
	var to, before string
	var override bool
	cmd := changeCmd(o, &cobra.Command{
		Use:   "restore FLAG --to CHANGE",
		Short: "Return a flag directly to the state after, or before, a change of its history",
		Long: "Return a flag directly to the state that it was in after a change of its history, or with --before to the state\n" +
			"that the change found. \"log FLAG\" lists them. Whatever was changed since is passed over at once, by whomever. It\n" +
			"is a change as any other: on record, undone by undo, and held against the flag's guards where it raises the flag.",
		Args: argCount(1, 1, "one flag"), ValidArgsFunction: o.completeFlags,
	}, func(ctx context.Context, s *setup, args []string) (sources.Intent, error) {
		f, err := s.find(ctx, args[0], o.now)
		return sources.Intent{
			Kind: sources.Restore, Flag: f.ID, Seen: f.Revision, SeenAs: f.Brief(), Change: to + before, Before: before != "", Override: override,
		}, err
	})
	cmd.Flags().StringVar(&to, "to", "", "the change whose outcome the flag is returned to")
	cmd.Flags().StringVar(&before, "before", "", "the change that found what the flag is returned to")
	cmd.Flags().BoolVar(&override, "override", false, "raise the flag against its guards; needs --reason and is on record")
	do := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case (to == "") == (before == ""):
			return &usageError{msg: "restore wants one change, with --to or with --before: \"log " + shellQuote(args[0]) + "\" lists them"}
		case override && strings.TrimSpace(o.reason) == "":
			return &usageError{msg: "--override raises a flag once against its guards: it needs --reason"}
		}
		return do(cmd, args)
	}
	return cmd
}

// pastJSON is one line of a flag's history.
type pastJSON struct {
	changeJSON
	Before   bool   `json:"before"`
	Group    string `json:"group"`
	Undoes   string `json:"undoes"`
	Undone   string `json:"undone"`
	UndoneBy string `json:"undone_by"`
	InForce  bool   `json:"in_force"`
	Exact    bool   `json:"exact"`
	Cannot   string `json:"cannot_restore"`
}

func pastShape(p *sources.PastChange) pastJSON {
	return pastJSON{activityShape(&p.Activity), p.Before, p.Group, p.Undoes, p.Undone, p.UndoneBy, p.InForce, p.Exact, p.Cannot}
}

// logOf lists the history of one flag, with what its store has on record itself.
func (o *options) logOf(cmd *cobra.Command, s *setup, word string, limit int) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
	defer cancel()
	f, err := s.find(ctx, word, o.now)
	if err != nil {
		return err
	}
	h, err := s.controller(o.now).FlagHistory(ctx, f.ID)
	if err != nil {
		return err
	}
	say(cmd.ErrOrStderr(), h.Warnings...)
	past := h.Past[:min(limit, len(h.Past))]
	if o.output == "json" {
		list := make([]pastJSON, len(past))
		for i := range past {
			list[i] = pastShape(&past[i])
		}
		return writeJSON(cmd.OutOrStdout(), map[string]any{"flag": h.Flag.ID, "now": h.Flag.Brief(), "changes": list})
	}
	return historyTable(cmd.OutOrStdout(), &h, past)
}

func historyTable(out io.Writer, h *sources.History, past []sources.PastChange) error {
	if len(past) == 0 {
		_, err := fmt.Fprintf(out, "%s is %s, and nothing is on record of how it came to that\n", h.Flag.Name, h.Flag.Brief())
		return err
	}
	cols := []column{
		{title: "AT"},
		{title: "WHO"},
		{title: "WHAT"},
		{title: "OLD", right: true},
		{title: "NEW", right: true},
		{title: "OUTCOME"},
		{title: "RESTORE WITH"},
		{title: "WHY"},
	}
	var rows [][]string
	for i := range past {
		l := &past[i]
		at, what, with, outcome, why := "", l.Kind, "--to "+l.ID, string(l.Outcome), l.Reason
		if !l.At.IsZero() {
			at = l.At.Local().Format("2006-01-02 15:04:05")
		}
		if l.Before {
			with = "--before " + l.ID
		}
		if l.Cannot != "" || l.ID == "" || l.InForce {
			with = "-"
		}
		if l.First() { // nobody edited it, nor did anybody see that happen
			what, outcome = "at first", ""
		}
		switch {
		case l.InForce:
			outcome = "current"
		case l.UndoneBy != "":
			outcome = "undone by " + l.UndoneBy
		}
		if l.Err != "" {
			why = l.Err
		}
		rows = append(rows, []string{at, l.Actor, what, l.Old, l.New, outcome, with, why})
	}
	return writeTable(out, cols, rows)
}
