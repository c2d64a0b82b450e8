//go:build !unix

package main

import "os"

// writable cannot be told without trying here; the write itself will tell.
func writable(string) bool { return true }

// othersMayRead cannot be told from a mode here; the access list of its folder decides.
func othersMayRead(os.FileInfo) bool { return false }
