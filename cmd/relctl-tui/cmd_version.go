package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// What a release is told by its linker (-X main.version=…); "" in any other build.
var version, commit, date string

// build is which program this is.
type build struct {
	Version  string // "devel" where nothing has a number
	Commit   string // "" where it is not known
	Date     string // of the commit, RFC 3339; "" where it is not known
	Modified bool   // built from files that are in no commit
}

// thisBuild is what the linker was told, else what the Go command wrote into the
// program. No number is made up: without a tag it is "devel".
func thisBuild() build {
	is := build{Version: cmp.Or(version, "devel"), Commit: commit, Date: date}
	if commit == "none" { // as goreleaser says without a remote, with the year 1
		is.Commit, is.Date = "", ""
	}
	if version != "" {
		return is
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return is
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			is.Commit = s.Value
		case "vcs.time":
			is.Date = s.Value
		case "vcs.modified":
			is.Modified = s.Value == "true"
		}
	}
	// Of a commit without a tag the Go command makes a v0.0.0-…, which the commit says
	// better.
	v := info.Main.Version
	if v != "" && v != "(devel)" && (is.Commit == "" || !strings.HasPrefix(v, "v0.0.0-")) {
		is.Version = v
	}
	return is
}

func newVersionCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which program this is: version, commit, date, system",
		Args:  argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writeVersion(cmd.OutOrStdout(), thisBuild(), o.output == "json")
		},
	}
	addOutput(cmd, o)
	return cmd
}

// versionShape is the JSON of version; what is not known is null.
type versionShape struct {
	Version  string  `json:"version"`
	Commit   *string `json:"commit"`
	Date     *string `json:"date"`
	Modified bool    `json:"modified"`
	Go       string  `json:"go"`
	OS       string  `json:"os"`
	Arch     string  `json:"arch"`
}

func writeVersion(out io.Writer, is build, asJSON bool) error {
	if asJSON {
		known := func(s string) *string {
			if s == "" {
				return nil
			}
			return &s
		}
		return writeJSON(out, versionShape{is.Version, known(is.Commit), known(is.Date), is.Modified, runtime.Version(), runtime.GOOS, runtime.GOARCH})
	}
	from := cmp.Or(is.Commit, "not known")
	if is.Modified {
		from += ", with changes that are in no commit"
	}
	_, err := fmt.Fprintf(out, "relctl-tui %s\ncommit  %s\ndate    %s\ngo      %s\nsystem  %s/%s\n",
		is.Version, from, cmp.Or(is.Date, "not known"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
