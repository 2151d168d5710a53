package fines

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxDiffs is how many differences are told in full.
const maxDiffs = 20

// Diff compares the rows of a view with those that were expected, and returns a
// text that names what differs, at most 20 fields and how many more there are;
// an empty text where every byte is equal.
func Diff(want, got map[string]Row) string {
	if maps.EqualFunc(want, got, maps.Equal) {
		return ""
	}
	var diffs []string
	for _, key := range sortedKeys(want, got) {
		w, inWant := want[key]
		g, inGot := got[key]
		switch {
		case !inGot:
			diffs = append(diffs, fmt.Sprintf("row %q is missing", key))
		case !inWant:
			diffs = append(diffs, fmt.Sprintf("row %q should not exist: %v", key, g))
		default:
			diffs = append(diffs, diffRow(key, w, g)...)
		}
	}
	if more := len(diffs) - maxDiffs; more > 0 {
		diffs = append(diffs[:maxDiffs], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(diffs, "\n")
}

func diffRow(key string, want, got Row) (diffs []string) {
	if maps.Equal(want, got) {
		return nil
	}
	for _, field := range sortedKeys(want, got) {
		w, inWant := want[field]
		g, inGot := got[field]
		switch {
		case !inGot:
			diffs = append(diffs, fmt.Sprintf("row %q: field %s is missing, want %q", key, field, w))
		case !inWant:
			diffs = append(diffs, fmt.Sprintf("row %q: field %s should not exist: %q", key, field, g))
		case w != g:
			diffs = append(diffs, fmt.Sprintf("row %q: field %s is %q, want %q", key, field, g, w))
		}
	}
	return diffs
}

// sortedKeys returns the keys of both maps, each once.
func sortedKeys[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
