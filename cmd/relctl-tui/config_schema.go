package main

import (
	"encoding/json"
	"reflect"
	"strings"
)

// configSchema is the JSON Schema of the config file, worked out of the very
// types that the decoder fills: no key can be in one and not in the other.
func configSchema() ([]byte, error) {
	root := schemaOf(reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "relctl-tui config.yaml"
	root["required"] = []string{"contexts"}
	return json.MarshalIndent(root, "", "  ")
}

func schemaOf(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[Text]():
		return map[string]any{"type": []string{"string", "number", "boolean"}}
	case reflect.TypeFor[Secret]():
		return map[string]any{"type": []string{"string", "number"}}
	case reflect.TypeFor[Duration]():
		return map[string]any{"type": "string", "pattern": `^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*$|^[0-9]{1,5}d$`}
	case reflect.TypeFor[Share]():
		return map[string]any{"type": []string{"number", "string"}, "exclusiveMinimum": 0, "exclusiveMaximum": 100, "pattern": `^[0-9]{1,2}(\.[0-9]+)?%?$`}
	case reflect.TypeFor[KeyList]():
		return map[string]any{"type": []string{"string", "number", "boolean", "array"}, "items": schemaOf(reflect.TypeFor[Text]())}
	case reflect.TypeFor[Step]():
		return map[string]any{"type": []string{"number", "string"}, "exclusiveMinimum": 0, "maximum": 100, "pattern": `^\s*[0-9]{1,3}(\.[0-9]{1,3})?\s*%?\s*$`}
	}
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem())}
	case reflect.Map:
		if named, ok := reflect.Zero(t).Interface().(closedMap); ok {
			return closedSchema(t, named)
		}
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem())}
	default:
		return structSchema(t)
	}
}

// closedSchema is a mapping whose keys are known.
func closedSchema(t reflect.Type, named closedMap) map[string]any {
	props := map[string]any{}
	_, does := named.names()
	for name, about := range does {
		s := schemaOf(t.Elem())
		s["description"] = about
		props[name] = s
	}
	return map[string]any{"type": []string{"object", "null"}, "additionalProperties": false, "properties": props}
}

func structSchema(t reflect.Type) map[string]any {
	props := map[string]any{}
	var required []string
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("yaml")
		if key == "" {
			continue
		}
		s := schemaOf(f.Type)
		s["description"] = f.Tag.Get("doc")
		if enum := schemaEnums(t.Name() + "." + key); enum != nil {
			s["enum"] = enum
			delete(s, "type")
		}
		props[key] = s
		if f.Tag.Get("need") == "true" {
			required = append(required, key)
		}
	}
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": props}
	if required != nil {
		out["required"] = required
	}
	if strings.HasSuffix(t.Name(), "ContextConfig") || t.Name() == "RuleConfig" {
		out["type"] = []string{"object", "null"}
	}
	return out
}
