package streams

import (
	"errors"
	"fmt"
	"time"
)

// Time is an instant with the offset that it was written with. Instants reach
// from 1678 to 2261, what 64 bits of nanoseconds hold.
type Time struct {
	Nanos  int64 // since 1970-01-01 00:00 UTC
	Offset int32 // seconds east of UTC
}

// ErrTimeRange says that an instant is before 1678 or after 2261.
var ErrTimeRange = errors.New("time out of range (1678 to 2261)")

// ParseTime reads RFC 3339 and keeps its offset.
func ParseTime(s string) (Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return Time{}, fmt.Errorf("%q is not an RFC 3339 time", s)
	}
	return TimeOf(t)
}

// TimeOf returns t with its offset; an error that is [ErrTimeRange] where it
// does not fit.
func TimeOf(t time.Time) (Time, error) {
	if y := t.UTC().Year(); y < 1678 || y > 2261 {
		return Time{}, ErrTimeRange
	}
	_, offset := t.Zone()
	return Time{t.UnixNano(), int32(offset)}, nil
}

// Std returns the time as the standard library has it.
func (t Time) Std() time.Time {
	u := time.Unix(0, t.Nanos)
	if t.Offset == 0 {
		return u.UTC()
	}
	return u.In(time.FixedZone("", int(t.Offset)))
}

// AppendText appends the time in RFC 3339, with its offset, without trailing
// zeros in the fraction. It never fails.
func (t Time) AppendText(b []byte) ([]byte, error) {
	return t.Std().AppendFormat(b, time.RFC3339Nano), nil
}

// String returns the text of AppendText.
func (t Time) String() string { return t.Std().Format(time.RFC3339Nano) }
