//go:build !unix

package main

import "os"

// flowControl is nothing that terminals have here.
func flowControl(*os.File) bool { return false }
