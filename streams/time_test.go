package streams

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTimeKeepsItsOffset(t *testing.T) {
	for in, want := range map[string]string{
		"2000-01-01T00:00:00+01:00":           "2000-01-01T00:00:00+01:00",
		"2000-01-01T00:00:00Z":                "2000-01-01T00:00:00Z",
		"2000-01-01T00:00:00+00:00":           "2000-01-01T00:00:00Z",
		"2000-01-01T00:00:00-00:00":           "2000-01-01T00:00:00Z",
		"2000-01-01T00:00:00.1000-03:30":      "2000-01-01T00:00:00.1-03:30",
		"1969-12-31T23:59:59.999999999Z":      "1969-12-31T23:59:59.999999999Z",
		"1999-12-31T23:59:59.123456789+14:00": "1999-12-31T23:59:59.123456789+14:00",
		"2000-02-29T00:00:00.10000000000Z":    "2000-02-29T00:00:00.1Z",
		"1678-01-01T00:00:00Z":                "1678-01-01T00:00:00Z",
		"1677-12-31T23:00:00-01:00":           "1677-12-31T23:00:00-01:00",
		"2261-12-31T23:59:59.999999999Z":      "2261-12-31T23:59:59.999999999Z",
		"2262-01-01T23:58:59+23:59":           "2262-01-01T23:58:59+23:59",
	} {
		got, err := ParseTime(in)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
}

func TestTimeIsStrict(t *testing.T) {
	tests := []struct {
		in   string
		want error
	}{
		{"", errTimeForm}, {"yesterday", errTimeForm}, {"2000-01-01", errTimeForm},
		{"2000-01-01T0:00:00Z", errTimeForm}, {"2000-01-01T00:00:00", errTimeForm},
		{"2000-01-01T00:00:00,5Z", errTimeForm}, {"2000-01-01T00:00:00.Z", errTimeForm},
		{"2000-01-01 00:00:00Z", errTimeForm}, {"2000-01-01t00:00:00Z", errTimeForm},
		{"2000-01-01T00:00:00z", errTimeForm}, {"2000-01-01T00:00:00.5", errTimeForm},
		{"2000-01-01T24:00:00Z", errTimeForm}, {"2000-01-01T00:60:00Z", errTimeForm},
		{"2000-01-01T00:00:61Z", errTimeForm}, {"2000-13-01T00:00:00Z", errTimeForm},
		{"2000-00-01T00:00:00Z", errTimeForm}, {"2000-01-00T00:00:00Z", errTimeForm},
		{"2001-02-29T00:00:00Z", errTimeForm}, {"1900-02-29T00:00:00Z", errTimeForm},
		{"2000-04-31T00:00:00Z", errTimeForm}, {"2000-01-01T00:00:00+24:00", errTimeForm},
		{"2000-01-01T00:00:00+01:60", errTimeForm}, {"2000-01-01T00:00:00+1:00", errTimeForm},
		{"2000-01-01T00:00:00+0100", errTimeForm}, {"2000-01-01T00:00:00ZZ", errTimeForm},
		{"+200-01-01T00:00:00Z", errTimeForm}, {" 2000-01-01T00:00:00Z", errTimeForm},
		{"2000-01-01T00:00:00Z\x00", errTimeForm}, {"２000-01-01T00:00:00Z", errTimeForm},
		{"2016-12-31T23:59:60Z", errLeapSecond}, {"2000-01-01T00:00:00.1234567891Z", errFraction},
		{"1500-01-01T00:00:00Z", ErrTimeRange}, {"2262-01-01T00:00:00Z", ErrTimeRange},
		{"0000-01-01T00:00:00Z", ErrTimeRange}, {"9999-12-31T23:59:59Z", ErrTimeRange},
		{"1678-01-01T00:00:00+00:01", ErrTimeRange}, {"2261-12-31T23:59:59-00:01", ErrTimeRange},
	}
	for _, tt := range tests {
		if got, err := ParseTime(tt.in); !errors.Is(err, tt.want) {
			t.Errorf("%q: got %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestTimeOfKeepsTheInstant(t *testing.T) {
	if _, err := TimeOf(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, ErrTimeRange) {
		t.Errorf("year 1: %v", err)
	}
	// Offsets had seconds before there were time zones, and RFC 3339 has none.
	for _, offset := range []int{2996, -2996, 59, -59, 3600} {
		at := time.Date(1850, 1, 1, 12, 0, 0, 7, time.FixedZone("", offset))
		got, err := TimeOf(at)
		if err != nil || !got.Std().Equal(at) {
			t.Fatalf("%v: got %v, %v", at, got, err)
		}
		if again, err := ParseTime(got.String()); err != nil || again != got {
			t.Errorf("%v: its text %s reads as %v, %v", at, got, again, err)
		}
	}
}

// TestTimeWithoutAllocation: each event has a time, and rows have many.
func TestTimeWithoutAllocation(t *testing.T) {
	buf := make([]byte, 0, 64)
	for _, s := range []string{"2000-01-31T13:30:00+01:00", "2000-01-31T13:30:00.123456789-03:30", "2000-01-31T13:30:00Z"} {
		if n := testing.AllocsPerRun(100, func() {
			at, err := ParseTime(s)
			if err != nil {
				t.Fatal(err)
			}
			buf, _ = at.AppendText(buf[:0])
		}); n != 0 {
			t.Errorf("%s: %v allocations", s, n)
		}
		if string(buf) != s {
			t.Errorf("%s becomes %s", s, buf)
		}
	}
}

var timeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9}0*)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// FuzzParseTime compares with the standard library, which takes more forms.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{
		"2000-01-31T13:30:00+01:00", "2000-02-29T00:00:00.5Z", "1900-02-29T00:00:00Z", "2000-01-01T00:00:00.1234567890Z",
		"1677-12-31T23:59:59-23:59", "2262-01-01T00:00:00+23:59", "2016-12-31T23:59:60Z", "2000-01-01T1:00:00,5Z",
		"2000-01-01T00:00:00+24:60", "10A0-01-01T00:00:00+00:00", "0000-03-01T00:00:00Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTime(s)
		std, stdErr := time.Parse(time.RFC3339Nano, s)
		var want Time
		if stdErr == nil {
			want, stdErr = TimeOf(std)
		}
		if valid := stdErr == nil && timeForm.MatchString(s); valid != (err == nil) {
			t.Fatalf("%q: %v, %v; the standard library: %v, %v", s, got, err, std, stdErr)
		}
		if err != nil {
			if !errors.Is(err, ErrTimeRange) && !strings.Contains(err.Error(), " ") {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if got != want {
			t.Fatalf("%q: got %v, want %v", s, got, want)
		}
		text := got.String()
		if text != got.Std().Format(time.RFC3339Nano) {
			t.Fatalf("%q: the text is %s, want %s", s, text, got.Std().Format(time.RFC3339Nano))
		}
		if again, err := ParseTime(text); err != nil || again != got {
			t.Fatalf("%q: %s reads as %v, %v", s, text, again, err)
		}
	})
}

func BenchmarkParseTime(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseTime("2000-01-31T13:30:00.123+01:00"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTimeText(b *testing.B) {
	at, err := ParseTime("2000-01-31T13:30:00.123+01:00")
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = at.AppendText(buf[:0])
	}
}
