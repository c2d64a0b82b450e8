package main

import (
	"io"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
)

func newLogCmd(o *options) *cobra.Command {
	limit := 50
	cmd := &cobra.Command{
		Use:               "log [FLAG]",
		Short:             "List the changes on record, newest first, of all flags or one",
		Args:              argCount(0, 1, "at most one flag"),
		ValidArgsFunction: o.completeFlags,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return &usageError{msg: "--limit wants a number above 0"}
			}
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if len(s.stores) == 0 && !s.anySwitch() && !s.anySilencer() {
				return s.canAnswer(want{flags: true})
			}
			if len(args) > 0 {
				return o.logOf(cmd, s, args[0], limit)
			}
			acts, warnings := s.controller(o.now).History(limit)
			say(cmd.ErrOrStderr(), warnings...)
			if o.output == "json" {
				list := make([]changeJSON, len(acts))
				for i := range acts {
					list[i] = activityShape(&acts[i])
				}
				return writeJSON(cmd.OutOrStdout(), map[string]any{"changes": list})
			}
			return logTable(cmd.OutOrStdout(), acts)
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", limit, "how many changes to list")
	addOutput(cmd, o)
	return cmd
}

func logTable(out io.Writer, acts []sources.Activity) error {
	if len(acts) == 0 {
		_, err := io.WriteString(out, "no changes on record\n")
		return err
	}
	several := severalSources(acts, func(a sources.Activity) string { return a.Flag.Source })
	cols := []column{
		{title: "AT"},
		{title: "WHO"},
		{title: "WHAT"},
		{title: "SOURCE"},
		{title: "FLAG"},
		{title: "OLD", right: true},
		{title: "NEW", right: true},
		{title: "OUTCOME"},
		{title: "CHANGE"},
		{title: "WHY"},
	}
	var rows [][]string
	for i := range acts {
		a := &acts[i]
		why := a.Reason
		if a.Err != "" {
			why = a.Err
		}
		rows = append(rows, []string{
			a.At.Local().Format("2006-01-02 15:04:05"), a.Actor, a.Kind, only(several, a.Flag.Source),
			a.Name, a.Old, a.New, string(a.Outcome), a.ID, why,
		})
	}
	return writeTable(out, cols, rows)
}
