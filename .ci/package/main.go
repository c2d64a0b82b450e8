// Command package turns what .goreleaser.yaml says of packages into a config for nfpm,
// which builds them for this machine without goreleaser: one list of contents serves
// both. Run it from the root:
//
//	go run ./.ci/package PROGRAM VERSION >nfpm.yaml
package main

import (
	"fmt"
	"log"
	"os"
	"regexp"
	"runtime"

	"go.yaml.in/yaml/v3"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: package PROGRAM VERSION")
	}
	config, err := nfpm(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stdout.Write(config); err != nil {
		log.Fatal(err)
	}
}

// fallback is the only template that the section may hold besides that of mtime.
var fallback = regexp.MustCompile(`\{\{ envOrDefault "(\w+)" "([^"]*)" \}\}`)

func nfpm(program, version string) ([]byte, error) {
	raw, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		return nil, err
	}
	raw = fallback.ReplaceAllFunc(raw, func(ref []byte) []byte {
		m := fallback.FindSubmatch(ref)
		if v := os.Getenv(string(m[1])); v != "" {
			return []byte(v)
		}
		return m[2]
	})
	var all struct {
		Packages []map[string]any `yaml:"nfpms"`
	}
	if err := yaml.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf(".goreleaser.yaml: %w", err)
	}
	if len(all.Packages) != 1 {
		return nil, fmt.Errorf(".goreleaser.yaml has %d sections of packages, and one is expected", len(all.Packages))
	}
	p := all.Packages[0]
	contents, ok := p["contents"].([]any)
	if !ok {
		return nil, fmt.Errorf(".goreleaser.yaml: the packages have no contents")
	}
	p["contents"] = append(contents, map[string]any{"src": program, "dst": fmt.Sprint(p["bindir"], "/relctl-tui"), "file_info": map[string]any{"mode": 0o755}})
	p["name"], p["arch"], p["platform"], p["version"] = p["package_name"], runtime.GOARCH, runtime.GOOS, version
	for _, own := range []string{"id", "package_name", "formats", "bindir", "mtime"} { // which nfpm does not know
		delete(p, own)
	}
	return yaml.Marshal(p)
}
