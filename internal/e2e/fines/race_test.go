//go:build race

package fines

const raceEnabled = true
