//go:build !unix

package sshserver

import "os"

// ownerOf is a file's owner and number; -1 where that is not known.
func ownerOf(os.FileInfo) (owner int, ino uint64) { return -1, 0 }

// permissions are none: a file's mode says nothing here about who else may have it, and
// its folder's access list decides.
func permissions(os.FileInfo) os.FileMode { return 0 }
