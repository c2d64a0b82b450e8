//go:build !race

package main

// abreast is how many cells run at a time: all of them, since they mostly wait.
const abreast = 100
