package flagd

import (
	"io/fs"
	"time"
)

// WithStat stands in for a file system that hangs, and Watch says so after hang.
func WithStat(stat func(string) (fs.FileInfo, error), hang time.Duration) Option {
	return func(s *Store) { s.stat, s.hang = stat, hang }
}
