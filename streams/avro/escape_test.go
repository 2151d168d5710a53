package avro

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestEscapeName(t *testing.T) {
	for name, want := range map[string]string{
		"amount":        "amount",
		"vehicle_class": "vehicle_class",
		"_user":         "_user",
		"vehicle class": "vehicle_u0020_class",
		"1st":           "_u0031_st",
		"größe":         "gr_u00F6__u00DF_e",
		"😀":             "_u1F600_",
		"_u0041_":       "_u005F_u0041_",
		"_u0041":        "_u005F_u0041",
		"":              "_u_",
		"_u_":           "_u005F_u_",
		"a.b":           "a_u002E_b",
	} {
		if got := EscapeName(name); got != want {
			t.Errorf("EscapeName(%q) = %q, want %q", name, got, want)
		}
		if got := UnescapeName(want); got != name {
			t.Errorf("UnescapeName(%q) = %q, want %q", want, got, name)
		}
	}
}

func TestEscapeNameIsReversible(t *testing.T) {
	legal := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	pieces := rapid.OneOf(rapid.String(), rapid.StringMatching(`[_u0-9A-F ]{0,12}`))
	rapid.Check(t, func(t *rapid.T) {
		name := pieces.Draw(t, "name")
		escaped := EscapeName(name)
		if !legal.MatchString(escaped) {
			t.Fatalf("%q is escaped as %q, which Avro cannot hold", name, escaped)
		}
		if back := UnescapeName(escaped); back != name {
			t.Fatalf("%q is escaped as %q, which reads as %q", name, escaped, back)
		}
	})
}

func FuzzUnescapeName(f *testing.F) {
	for _, name := range []string{"_u_", "_u0041_", "_u00041_", "a_uD800_b", "_u110000_", "x"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { UnescapeName(name) })
}
