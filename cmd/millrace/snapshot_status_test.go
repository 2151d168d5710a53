package main

import "testing"

// TestStatusNotesOtherRules: also where only some partitions have snapshots of them.
func TestStatusNotesOtherRules(t *testing.T) {
	for _, c := range []struct {
		digest     string // of the configuration
		partitions []string
		noted      bool
	}{
		{"a", nil, false},
		{"a", []string{"", "a", "a"}, false},
		{"a", []string{"", "a", "b"}, true},
		{"", []string{"", "a", "a"}, false},
		{"", []string{"a", "b"}, true},
	} {
		var f foldStatus
		for _, digest := range c.partitions {
			f.Partitions = append(f.Partitions, snapshotsStatus{digest: digest})
		}
		if f.compare(c.digest); (f.Note == "the snapshots were folded by other rules: raise version") != c.noted {
			t.Errorf("%+v: %q", c, f.Note)
		}
	}
}
