package rules

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTuplesAreNotAmbiguous: a row key says which parts it was made of.
func TestTuplesAreNotAmbiguous(t *testing.T) {
	part := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a%|257C]{0,6}`))
	unescape := strings.NewReplacer("%25", "%", "%7C", "|")
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(part, 1, 5).Draw(t, "parts")
		var fns []fn[string]
		for _, p := range parts {
			fns = append(fns, func(*env) string { return p })
		}
		key := (&env{}).tuple(place{}, fns)
		back := strings.Split(key, "|")
		for i := range back {
			back[i] = unescape.Replace(back[i])
		}
		if !slices.Equal(back, parts) {
			t.Fatalf("%q becomes %q, which reads as %q", parts, key, back)
		}
	})
}
