package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"relctl-tui/sources"
)

// newManCmd writes man pages, for packages: hidden, since nobody types it at night.
func newManCmd() *cobra.Command {
	return &cobra.Command{
		Use:    "man [DIR]",
		Short:  "Print the man page, or write one for each verb to a folder",
		Hidden: true,
		Args:   argCount(0, 1, "at most one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.InitDefaultHelpFlag()
			if len(args) == 0 {
				_, err := io.WriteString(cmd.OutOrStdout(), manPage(root, thisBuild()))
				return err
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // documentation is for everybody
				return fmt.Errorf("man pages: cannot make the folder %s: %s", sources.Clean(args[0], sources.MaxName), plainWriteError(err))
			}
			return writeManPages(args[0], root, thisBuild())
		},
	}
}

func writeManPages(dir string, cmd *cobra.Command, is build) error {
	path := filepath.Join(dir, manName(cmd)+".1")
	if err := os.WriteFile(path, []byte(manPage(cmd, is)), 0o644); err != nil { //nolint:gosec // documentation is for everybody
		return fmt.Errorf("man page %s: %s", sources.Clean(path, sources.MaxName), plainWriteError(err))
	}
	for _, c := range manned(cmd) {
		if err := writeManPages(dir, c, is); err != nil {
			return err
		}
	}
	return nil
}

// manned are the verbs below a command that have a page.
func manned(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool {
		return !c.IsAvailableCommand() || c.Name() == "completion" // whose help is about shells
	})
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// roff makes text plain in a man page. A hyphen is one that can be copied.
var roff = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// manLine is a line of text, which a dot at its beginning would make a request.
func manLine(s string) string {
	if s = roff.Replace(s); strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// manPage is a command's page. It says nothing of the machine that it was made on, so
// that a package can be built again byte for byte.
func manPage(cmd *cobra.Command, is build) string {
	var b strings.Builder
	line := func(parts ...string) { b.WriteString(strings.Join(parts, "") + "\n") }
	day, _, _ := strings.Cut(is.Date, "T")
	line(`.TH "`, strings.ToUpper(roff.Replace(manName(cmd))), `" 1 "`, roff.Replace(day), `" "relctl\-tui `, roff.Replace(is.Version), `" "Release operations"`)
	line(".SH NAME\n", roff.Replace(manName(cmd)), ` \- `, roff.Replace(cmd.Short))
	line(".SH SYNOPSIS\n.B ", roff.Replace(cmd.CommandPath()))
	_, args, _ := strings.Cut(cmd.Use, " ")
	if cmd.HasAvailableSubCommands() {
		args = strings.TrimSpace("[COMMAND] " + args)
	}
	line(manLine(strings.TrimSpace(args + " [OPTIONS]")))
	line(".SH DESCRIPTION")
	var exits []string
	for i, p := range strings.Split(strings.TrimSpace(firstWord(cmd.Long, cmd.Short+".")), "\n\n") {
		p = strings.ReplaceAll(p, "\n", " ")
		if codes, ok := strings.CutPrefix(p, "Exit codes: "); ok {
			exits = strings.Split(strings.TrimSuffix(codes, "."), " · ")
			continue
		}
		if i > 0 {
			line(".PP")
		}
		line(manLine(p))
	}
	manVerbs(line, cmd)
	manOptions(line, "OPTIONS", cmd.NonInheritedFlags())
	manOptions(line, "OPTIONS OF EVERY VERB", cmd.InheritedFlags())
	if cmd.Example != "" {
		line(".SH EXAMPLES\n.nf")
		for l := range strings.SplitSeq(cmd.Example, "\n") {
			line(manLine(strings.TrimSpace(l)))
		}
		line(".fi")
	}
	if len(exits) > 0 {
		line(".SH EXIT STATUS")
		for _, e := range exits {
			code, what, _ := strings.Cut(e, " ")
			line(".TP\n.B ", code, "\n", manLine(what))
		}
	}
	if !cmd.HasParent() {
		manAround(line)
	} else {
		line(".SH SEE ALSO\n.BR ", roff.Replace(manName(cmd.Parent())), " (1)")
	}
	return b.String()
}

// manAround is what surrounds the program.
func manAround(line func(...string)) {
	line(".SH ENVIRONMENT")
	for _, v := range [][2]string{
		{"RELCTL_CONFIG", "the config file."},
		{"RELCTL_ACTOR", "who acts."},
		{"NO_COLOR", "with any value: no colours."},
		{"XDG_CONFIG_HOME, XDG_STATE_HOME", "where config, and journals, recordings, reports and saved filters lie."},
	} {
		line(".TP\n.B ", roff.Replace(v[0]), "\n", manLine(v[1]))
	}
	line(".SH FILES\n.TP\n.I ", roff.Replace("~/.config/relctl-tui/config.yaml"), "\n", manLine("The config: relctl-tui config init writes one, config schema describes it."))
	line(".TP\n.I ", roff.Replace("~/.local/state/relctl-tui"), "\n", manLine("Journals, recordings, reports."))
}

func manVerbs(line func(...string), cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	line(".SH COMMANDS")
	for _, c := range manned(cmd) {
		line(".TP\n.BR ", roff.Replace(manName(c)), " (1)\n", manLine(c.Short))
	}
}

func manOptions(line func(...string), title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	line(".SH ", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := `\fB` + roff.Replace("--"+f.Name) + `\fR`
		if f.Shorthand != "" {
			name = `\fB` + roff.Replace("-"+f.Shorthand) + `\fR, ` + name
		}
		switch f.Value.Type() {
		case "bool":
		case "stringArray":
			name += ` \fISTRING\fR`
		default:
			name += ` \fI` + strings.ToUpper(f.Value.Type()) + `\fR`
		}
		usage := f.Usage
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			usage += " (default " + f.DefValue + ")"
		}
		line(".TP\n", name, "\n", manLine(usage))
	})
}
