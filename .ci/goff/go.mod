module relctl-tui/ci/goff

go 1.26.0

require (
	github.com/thomaspoignant/go-feature-flag v1.50.0
	github.com/thomaspoignant/go-feature-flag/modules/core v0.3.1
)

require (
	github.com/BurntSushi/toml v1.6.0 // indirect
	github.com/GeorgeD19/json-logic-go v0.0.0-20220225111652-48cc2d2c387e // indirect
	github.com/antlr4-go/antlr/v4 v4.13.0 // indirect
	github.com/blang/semver v3.5.1+incompatible // indirect
	github.com/buger/jsonparser v1.1.1 // indirect
	github.com/dariubs/percent v0.0.0-20190521174708-8153fcbd48ae // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/nikunjy/rules v1.5.0 // indirect
	github.com/spf13/cast v1.3.0 // indirect
	github.com/thomaspoignant/go-feature-flag/modules/evaluation v0.2.1 // indirect
	golang.org/x/exp v0.0.0-20240506185415-9bf2ced13842 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
