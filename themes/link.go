package themes

import "net/url"

// longestLink bounds an address that a terminal is handed.
const longestLink = 2000

// Link is an ink whose text leads to an address, on a terminal that knows such links.
// Elsewhere, and for what is no plain http(s) address, it is the ink itself.
func (t *Theme) Link(ink Ink, address string) Ink {
	if !t.Links || !plainAddress(address) {
		return ink
	}
	ink.open = "\x1b]8;;" + address + "\x1b\\" + ink.open
	ink.close += "\x1b]8;;\x1b\\"
	return ink
}

// plainAddress tells whether an address is one of the web, without a character that
// could end the sequence that it stands in.
func plainAddress(s string) bool {
	if s == "" || len(s) > longestLink {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
