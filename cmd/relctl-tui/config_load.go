package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

const maxConfig = 1 << 20

// loadConfig reads and checks a config file. Warnings are sentences for stderr.
func loadConfig(path string) (cfg *Config, warnings []string, err error) {
	if path == "" {
		return nil, nil, homeless("name the config with --config")
	}
	show := sources.Clean(path, sources.MaxName)
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &usageError{msg: fmt.Sprintf("config %s: no such file: name another one, or write one to start from with: relctl-tui config init %s", show, shellQuote(path))}
	case err != nil:
		return nil, nil, &usageError{msg: fmt.Sprintf("config %s: %s", show, plainIOError(err))}
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.IsDir() {
		return nil, nil, &usageError{msg: fmt.Sprintf("config %s is a directory: name the file", show)}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, nil, &usageError{msg: fmt.Sprintf("config %s: %s", show, plainIOError(err))}
	}
	if len(data) > maxConfig {
		return nil, nil, &usageError{msg: fmt.Sprintf("config %s is larger than 1 MiB: is it the right file?", show)}
	}
	cfg, err = decodeConfig(path, data)
	if err != nil {
		return nil, nil, err
	}
	if err := cfg.readPresets(); err != nil {
		return nil, nil, err
	}
	if err := cfg.readThemes(); err != nil {
		return nil, nil, err
	}
	if err := cfg.validate(); err != nil {
		return nil, nil, err
	}
	if othersMayRead(st) && cfg.inlineSecret() {
		warnings = append(warnings, fmt.Sprintf(
			"config %s holds a secret and others may read it: chmod 600 it, or use ${VARIABLE} or token_file", show))
	}
	return cfg, warnings, nil
}

// inlineSecret tells whether a secret stands in the file itself.
func (c *Config) inlineSecret() bool {
	inline := func(s Secret) bool { return s.Set() && !envRef.MatchString(s.s) }
	access := func(a *AccessConfig) bool {
		return inline(a.Token) || inline(a.Password) || slices.ContainsFunc(slices.Collect(maps.Values(a.Headers)), inline)
	}
	for _, ctx := range c.Contexts {
		for i := range ctx.Metrics {
			if access(&ctx.Metrics[i].AccessConfig) {
				return true
			}
		}
		for i := range ctx.Flags {
			f := &ctx.Flags[i]
			if access(&f.AccessConfig) || inline(f.ClientToken) || inline(f.FrontendToken) ||
				slices.ContainsFunc(f.Verify, func(v VerifyConfig) bool { return access(&v.AccessConfig) }) {
				return true
			}
		}
	}
	return false
}

// readPresets reads the files of presets that contexts name, which the rules of the
// same context may then use.
func (c *Config) readPresets() error {
	for _, name := range keysOf(c.Contexts) {
		ctx := c.Contexts[name]
		if ctx == nil {
			continue
		}
		var err error
		if ctx.presets, err = presetsIn(c, ctx.Presets, "breaker_presets", metrics.ParseBreakerPresets); err != nil {
			return err
		}
		if ctx.latencies, err = presetsIn(c, ctx.Latencies, "latency_presets", metrics.ParseLatencyPresets); err != nil {
			return err
		}
	}
	return nil
}

// presetsIn reads the file that a key names; nothing where it names none.
func presetsIn[T any](c *Config, file Text, key string, parse func([]byte) ([]T, error)) ([]T, error) {
	if file.S == "" {
		return nil, nil
	}
	path := resolvePath(file.S, c.file)
	data, err := readBounded(path)
	if err != nil {
		return nil, c.errAt(file.at, "%q: %s: %s", key, sources.Clean(path, sources.MaxName), plainIOError(err))
	}
	list, err := parse(data)
	if err != nil {
		return nil, c.errAt(file.at, "%q: %s: %s", key, sources.Clean(path, sources.MaxName), trimInvalid(err))
	}
	return list, nil
}

// readBounded reads a file that the config names, to a byte beyond what any of them may
// have: whoever parses it says how large it may be.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller names the file and says it in plain words
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxConfig+1)) //nolint:wrapcheck // likewise
}

// plainWriteError is plainIOError of something that was to be written or made.
func plainWriteError(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "you may not write there"
	}
	return plainIOError(err)
}

// plainIOError is the reason without the path that os errors repeat.
func plainIOError(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, fs.ErrPermission):
		return "you may not read it"
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return cleanMsg(err.Error())
}
