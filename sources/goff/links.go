package goff

import (
	"hash"

	"go.yaml.in/yaml/v3"
)

// links are the anchors of a document that aliases lead to, with the number of
// those aliases.
type links struct{ of map[*yaml.Node]int }

func linksOf(root *yaml.Node) links {
	l := links{map[*yaml.Node]int{}}
	walk(root, func(n *yaml.Node) bool {
		if n.Kind == yaml.AliasNode && n.Alias != nil {
			l.of[n.Alias]++
		}
		return true
	})
	return l
}

// walk visits a node and what stands in it, as far as visit says so. It does not
// follow aliases.
func walk(n *yaml.Node, visit func(*yaml.Node) bool) {
	if !visit(n) {
		return
	}
	for _, c := range n.Content {
		walk(c, visit)
	}
}

// why says what shares a node's own text with others, "" for nothing.
func (l links) why(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return "it stands elsewhere, at &" + short(n.Value)
	case l.of[n] > 0:
		return "other parts of the file read it through *" + short(n.Anchor)
	default:
		return ""
	}
}

// inside is the same for a node or anything in it.
func (l links) inside(n *yaml.Node) (why string) {
	walk(n, func(n *yaml.Node) bool {
		if why == "" {
			why = l.why(n)
		}
		return why == ""
	})
	return why
}

// describe says what of a flag is shared, and adds what it reads through aliases
// to its revision.
func (l links) describe(e *entry, v *yaml.Node, h hash.Hash) {
	e.linked = l.inside(v) != ""
	if !e.linked {
		return
	}
	e.shared = l.why(v)
	e.fixed = e.shared
	if v.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(v.Content) && e.fixed == ""; i += 2 {
			switch k := v.Content[i]; {
			case k.Kind == yaml.AliasNode:
				e.fixed = "a key of it is an alias"
			case k.Value == "defaultRule", k.Value == "scheduledRollout":
				if why := l.inside(v.Content[i+1]); why != "" {
					e.fixed = k.Value + " is shared: " + why
				}
			case merging(k) && child(v, "defaultRule") == nil:
				e.fixed = "defaultRule comes through <<"
			}
		}
	}
	seen := map[*yaml.Node]bool{}
	var add func(n *yaml.Node)
	add = func(n *yaml.Node) {
		h.Write([]byte{byte(n.Kind), byte(n.Style), 0})
		h.Write([]byte(n.Tag + "\x00" + n.Value + "\x00"))
		if n.Alias != nil && !seen[n.Alias] {
			seen[n.Alias] = true
			add(n.Alias)
		}
		for _, c := range n.Content {
			add(c)
		}
		h.Write([]byte{0xFF})
	}
	add(v)
}

// child is the value of a key that stands in a mapping itself, nil for none.
func child(m *yaml.Node, key string) *yaml.Node {
	if _, v := pair(m, key); v != nil {
		return v
	}
	return nil
}

// pair is a key and its value in a mapping itself; nil for none.
func pair(m *yaml.Node, key string) (k, v *yaml.Node) {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if k := m.Content[i]; k.Kind == yaml.ScalarNode && k.Value == key {
			return k, m.Content[i+1]
		}
	}
	return nil, nil
}
