package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

//go:embed config_starter.yaml
var configStarter []byte

// starterFlags is the flag file that the starter names, in its own folder.
const starterFlags = "prod.flagd.json"

func newConfigCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, check or describe the config file",
		Args:  noVerb,
		RunE: func(*cobra.Command, []string) error {
			return &usageError{msg: "config needs one of: init, check, schema, presets"}
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "init [FILE]",
			Short: "Write a commented config file to start from, and example flags for it",
			Args:  argCount(0, 1, "at most one file"),
			RunE: func(cmd *cobra.Command, args []string) error {
				path, _ := configPath(firstOr(args, o.config))
				return initConfig(cmd.OutOrStdout(), path)
			},
		},
		&cobra.Command{
			Use:   "check [FILE]",
			Short: "Validate the config file and say what was understood",
			Args:  argCount(0, 1, "at most one file"),
			RunE: func(cmd *cobra.Command, args []string) error {
				path, _ := configPath(firstOr(args, o.config))
				return checkConfig(cmd.OutOrStdout(), cmd.ErrOrStderr(), path)
			},
		},
		&cobra.Command{
			Use:       "presets [breakers|latency]",
			Short:     "Print the presets of breakers or latencies, to add to them in a file of your own",
			Args:      argCount(0, 1, "breakers or latency"),
			ValidArgs: []string{"breakers", "latency"},
			RunE: func(cmd *cobra.Command, args []string) error {
				data, ok := map[string][]byte{"": metrics.BreakerData, "breakers": metrics.BreakerData, "latency": metrics.LatencyData}[firstOr(args, "")]
				if !ok {
					return &usageError{msg: fmt.Sprintf("there are no presets of %s: write breakers or latency", quote(args[0]))}
				}
				_, err := cmd.OutOrStdout().Write(data)
				return err
			},
		},
		&cobra.Command{
			Use:   "schema",
			Short: "Print the config file's JSON Schema, for editors",
			Args:  argCount(0, 0, "no argument"),
			RunE: func(cmd *cobra.Command, _ []string) error {
				schema, err := configSchema()
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", schema)
				return err
			},
		},
	)
	return cmd
}

func firstOr(args []string, fallback string) string {
	if len(args) > 0 {
		return args[0]
	}
	return fallback
}

// initConfig never overwrites: the file may hold somebody's rules.
func initConfig(out io.Writer, path string) error {
	if path == "" {
		return homeless("name the file to write")
	}
	show := sources.Clean(path, sources.MaxName)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("config init: cannot make the folder of %s: %s", show, plainWriteError(err))
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("config init: %s exists and is left as it is: remove it first, or name another file", show)
	}
	if err != nil {
		return fmt.Errorf("config init: cannot write %s: %s", show, plainWriteError(err))
	}
	_, err = f.Write(configStarter)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("config init: cannot write %s: %s", show, plainWriteError(err))
	}
	flags := filepath.Join(filepath.Dir(path), starterFlags)
	made, err := writeExample(flags)
	if err != nil {
		return fmt.Errorf("config init: wrote %s, but cannot write the example flags that it names, %s: %s", show, sources.Clean(flags, sources.MaxName), plainWriteError(err))
	}
	beside := "and example flags beside it in " + starterFlags
	if !made {
		beside = "for the flags in " + starterFlags + ", which was there and is left as it is"
	}
	_, err = fmt.Fprintf(out, "wrote %s, %s: edit it, then run relctl-tui config check\n", show, beside)
	return err
}

func checkConfig(out, errOut io.Writer, path string) error {
	cfg, warnings, err := loadConfig(path)
	if err != nil {
		return err
	}
	for _, name := range keysOf(cfg.Contexts) {
		if err := cfg.Contexts[name].expand(path, os.LookupEnv); err != nil {
			warnings = append(warnings, err.Error())
			continue
		}
		if err := errors.Join(cfg.validateContext(cfg.Contexts[name]), cfg.validateAddresses(cfg.Contexts[name])); err != nil {
			return err
		}
		warnings = append(warnings, cfg.Contexts[name].lacking()...)
		for _, w := range cfg.Contexts[name].misnamed(path) {
			warnings = append(warnings, "warning: "+w)
		}
	}
	say(errOut, warnings...)
	_, err = fmt.Fprintf(out, "%s is valid\n%s", sources.Clean(path, sources.MaxName), describeConfig(cfg))
	return err
}

// describeConfig is what was understood, one line per context and source, without
// any secret.
func describeConfig(cfg *Config) string {
	var b strings.Builder
	for _, name := range keysOf(cfg.Contexts) {
		c := cfg.Contexts[name]
		fmt.Fprintf(&b, "context %s", name)
		for _, mark := range []struct {
			on   bool
			word string
		}{{name == cfg.Default.S, "default"}, {c.ReadOnly, "read-only"}, {c.Confirm, "confirm"}} {
			if mark.on {
				b.WriteString(", " + mark.word)
			}
		}
		b.WriteByte('\n')
		for _, f := range c.Flags {
			fmt.Fprintf(&b, "  flags    %s\n", sources.Clean(redactURL(f.DSN.S), sources.MaxName))
		}
		for _, m := range c.Metrics {
			fmt.Fprintf(&b, "  metrics  %s%s\n", sources.Clean(redactURL(m.DSN.S), sources.MaxName), authWord(m))
		}
		for _, r := range c.Breakers {
			fmt.Fprintf(&b, "  breakers %s\n", sources.Clean(r.Preset.S+r.Metric.S, sources.MaxName))
		}
		for _, l := range c.Latency {
			fmt.Fprintf(&b, "  latency  %s\n", sources.Clean(l.Name.S, sources.MaxName))
		}
		for _, z := range calendarWords(c.calendar(), time.Now()) {
			fmt.Fprintf(&b, "  freeze   %s\n", z)
		}
		for _, key := range keysOf(c.Rules) {
			fmt.Fprintf(&b, "  rule     %s\n", sources.Clean(key, sources.MaxName))
		}
	}
	return b.String()
}

func authWord(m MetricsConfig) string {
	switch {
	case m.Token.Set():
		return " (token)"
	case m.TokenFile.S != "":
		return " (token from " + sources.Clean(m.TokenFile.S, sources.MaxName) + ")"
	case m.Username.S != "":
		return " (basic authentication)"
	default:
		return ""
	}
}

// say prints sentences for the operator, one a line.
func say(w io.Writer, sentences ...string) {
	for _, s := range sentences {
		_, _ = fmt.Fprintf(w, "relctl-tui: %s\n", s)
	}
}
