package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagdef"
)

const (
	maxImport     = 64 << 20 // bytes of a document
	importTimeout = 2 * time.Minute
)

func newExportCmd(o *options) *cobra.Command {
	var name, file string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write a store's flags as one flagd file",
		Long: `Write all flags of a store as one flagd definition file, to standard output or to a file.
Each definition has the very bytes that the store holds.`,
		Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			st, err := s.pick(name, "exported", func(src any) bool { _, ok := src.(sources.Exporter); return ok })
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
			defer cancel()
			doc, flags, err := export(ctx, st)
			if err != nil {
				return err
			}
			if file == "" || file == "-" {
				_, err = cmd.OutOrStdout().Write(doc)
				return err
			}
			if err := wholeFile(file, doc, 0o644); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s of %s in %s\n", count(flags, "flag"), st.name, sources.Clean(file, sources.MaxName))
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write (default: standard output)")
	cmd.Flags().StringVar(&name, "store", "", "name of the store, where there are several")
	return cmd
}

// pick is the one store that a verb is about: the named one, or the only one that
// can do it.
func (s *setup) pick(name, done string, can func(src any) bool) (*store, error) {
	if len(s.stores) == 0 {
		return nil, s.canAnswer(want{flags: true})
	}
	var able []*store
	var names []string
	for i := range s.stores {
		st := &s.stores[i]
		names = append(names, quote(st.name))
		if name == "" && can(st.src) || name != "" && st.name == name {
			able = append(able, st)
		}
	}
	switch {
	case name != "" && len(able) == 0:
		return nil, &usageError{msg: fmt.Sprintf("no store is called %s: write one of %s", quote(name), strings.Join(names, ", "))}
	case len(able) > 1:
		return nil, &usageError{msg: "there are several stores: name one with --store, one of " + strings.Join(names, ", ")}
	case len(able) == 0 || !can(able[0].src):
		return nil, fmt.Errorf("flags of %s cannot be %s: %w", strings.Join(names, ", "), done, sources.ErrUnsupported)
	}
	return able[0], nil
}

// export is the document and how many flags are in it. A flag that cannot be part
// of a document is an error: a copy must not be short of one in silence.
func export(ctx context.Context, st *store) ([]byte, int, error) {
	exporter, _ := st.src.(sources.Exporter) // pick has asked
	b, _, err := exporter.Export(ctx)
	if err != nil {
		return nil, 0, err
	}
	doc, err := flagdef.Parse(b)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: what it exports is no flagd document: %w", st.name, err)
	}
	there := map[string]bool{}
	doc.Raw(func(key string, _ []byte) { there[key] = true })
	set, err := listFlags(ctx, st)
	if err != nil {
		return nil, 0, err
	}
	var missing []string
	for i := range set.Flags {
		if f := &set.Flags[i]; f.State == sources.FlagBroken && !there[f.ID.Key] {
			missing = append(missing, quote(f.Name))
		}
	}
	if len(missing) > 0 {
		return nil, 0, fmt.Errorf("%s: nothing was exported, because these values are no definitions and would be missing: %s; repair or delete them first: %w",
			st.name, strings.Join(missing[:min(len(missing), 5)], ", "), sources.ErrInvalid)
	}
	return b, len(there), nil
}

// wholeFile writes a file as a whole or not at all.
func wholeFile(path string, b []byte, mode os.FileMode) error {
	fail := func(err error) error {
		return fmt.Errorf("cannot write %s: %s: %w", sources.Clean(path, sources.MaxName), whyNot(err), sources.ErrUnavailable)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".relctl-*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return fail(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fail(err)
	}
	return nil
}

func newImportCmd(o *options) *cobra.Command {
	var name string
	in := sources.Import{}
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take a flagd file's flags into a store of etcd",
		Long: `Take the flags of a flagd definition file into a store of etcd: what is in the file is added
or replaced, what is equal is left alone, and what is only in the store is kept unless --prune.
Batches of up to 60 flags are written at once or not at all. FILE may be - for standard input.`,
		Args: argCount(1, 1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			st, err := s.pick(name, "imported", func(src any) bool { _, ok := src.(sources.Importer); return ok })
			if err != nil {
				return err
			}
			if in.Document, err = readDocument(args[0], cmd.InOrStdin()); err != nil {
				return err
			}
			in.Actor, in.Reason = o.actorName(), sources.Clean(o.reason, 500)
			ctx, cancel := context.WithTimeout(cmd.Context(), importTimeout)
			defer cancel()
			r, err := s.controller(o.now).Import(ctx, st.name, in)
			if err != nil && !errors.Is(err, control.ErrUnconfirmed) {
				return err
			}
			for i := range r.Flags {
				if f := &r.Flags[i]; f.Note != "" {
					say(cmd.ErrOrStderr(), f.Name+": "+f.Note)
				}
			}
			if printed := o.printImport(cmd.OutOrStdout(), st.name, &r, in, err); err == nil {
				err = printed
			}
			return err
		},
	}
	cmd.Flags().StringVar(&name, "store", "", "name of the store, where there are several")
	cmd.Flags().BoolVar(&in.Prune, "prune", false, "remove flags that are not in the file")
	cmd.Flags().BoolVar(&in.DryRun, "dry-run", false, "say what would be done and write nothing")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the record")
	addOutput(cmd, o)
	return cmd
}

func readDocument(path string, stdin io.Reader) ([]byte, error) {
	show, from := sources.Clean(path, sources.MaxName), stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, &usageError{msg: fmt.Sprintf("cannot read %s: %s", show, plainIOError(err))}
		}
		defer f.Close()
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, maxImport+1))
	switch {
	case err != nil:
		return nil, &usageError{msg: fmt.Sprintf("cannot read %s: %s", show, plainIOError(err))}
	case len(b) > maxImport:
		return nil, &usageError{msg: fmt.Sprintf("%s is larger than %d MiB", show, maxImport>>20)}
	}
	return b, nil
}

type importedJSON struct {
	Key     string `json:"key"`
	Step    string `json:"step"`
	Old     string `json:"old"`
	New     string `json:"new"`
	Change  string `json:"change"`
	Written bool   `json:"written"`
	Note    string `json:"note"`
}

// printImport says what became of each flag, and how many of each there are.
func (o *options) printImport(out io.Writer, name string, r *sources.ImportResult, in sources.Import, failed error) error {
	n := map[sources.ImportStep]int{}
	for i := range r.Flags {
		n[r.Flags[i].Step]++
	}
	if o.output == "json" {
		list := make([]importedJSON, len(r.Flags))
		for i := range r.Flags {
			f := &r.Flags[i]
			list[i] = importedJSON{f.ID.Key, string(f.Step), f.Old, f.New, f.Change, f.Written, f.Note}
		}
		return writeJSON(out, map[string]any{"import": map[string]any{
			"source": name, "dry_run": in.DryRun, "flags": list, "document": r.Document, "complete": failed == nil,
			"added": n[sources.StepAdded], "changed": n[sources.StepChanged], "removed": n[sources.StepRemoved],
			"unchanged": n[sources.StepUnchanged], "kept": n[sources.StepKept],
		}})
	}
	var b strings.Builder
	for i := range r.Flags {
		if f := &r.Flags[i]; f.Written || in.DryRun && f.Step.Writes() {
			fmt.Fprintf(&b, "%-7s  %s  %s → %s\n", f.Step, f.Name, f.Old, f.New)
		}
	}
	total := fmt.Sprintf("%d added, %d changed, %d removed, %d unchanged", n[sources.StepAdded], n[sources.StepChanged], n[sources.StepRemoved], n[sources.StepUnchanged])
	if kept := n[sources.StepKept]; kept > 0 {
		total += fmt.Sprintf(", %d only in %s kept", kept, name)
	}
	switch {
	case in.DryRun:
		total = "dry run, nothing was written: " + total
	case failed != nil:
		total = fmt.Sprintf("not complete, %s written of: %s", count(r.Written, "flag"), total)
	}
	b.WriteString(total + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}
