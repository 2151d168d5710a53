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
	Offset int32 // seconds east of UTC, in whole minutes
}

// ErrTimeRange says that an instant is before 1678 or after 2261.
var ErrTimeRange = errors.New("time out of range (1678 to 2261)")

// TimeOf returns t with its offset, less the seconds that an offset of RFC 3339
// cannot have; an error that is [ErrTimeRange] where it does not fit.
func TimeOf(t time.Time) (Time, error) {
	if y := t.UTC().Year(); y < firstYear || y > lastYear {
		return Time{}, ErrTimeRange
	}
	_, offset := t.Zone()
	return Time{t.UnixNano(), int32(offset - offset%60)}, nil
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
// zeros in the fraction. An offset of 0 is Z. It never fails.
func (t Time) AppendText(b []byte) ([]byte, error) {
	minutes := t.Offset / 60
	const second = int64(time.Second)
	local := time.Unix(t.Nanos/second+int64(minutes)*60, t.Nanos%second).UTC()
	b = local.AppendFormat(b, time.RFC3339Nano)
	if minutes == 0 {
		return b, nil
	}
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	h, m := byte(minutes/60), byte(minutes%60)
	return append(b[:len(b)-1], sign, '0'+h/10, '0'+h%10, ':', '0'+m/10, '0'+m%10), nil
}

// String returns the text of AppendText.
func (t Time) String() string {
	var buf [40]byte
	b, _ := t.AppendText(buf[:0]) // it never fails
	return string(b)
}

// The years of instants, and their seconds: the first one and the one behind
// the last.
const (
	firstYear, lastYear     = 1678, 2261
	firstSecond, lastSecond = -9_214_560_000, 9_214_646_400
)

var (
	errTimeForm   = errors.New("is not an RFC 3339 time, as in 2000-01-31T13:30:00+01:00")
	errLeapSecond = errors.New("is a leap second, which no instant in nanoseconds since 1970 is; write the second before or after it")
	errFraction   = errors.New("has more than 9 digits behind the second")
)

// ParseTime reads RFC 3339, strictly, and keeps the offset: as digits of fixed
// width, T and Z in upper case, hours to 23 and minutes to 59, also in the
// offset. A fraction finer than nanoseconds, and a leap second, are errors: no
// Time holds them. It does not allocate.
func ParseTime(s string) (Time, error) {
	t, err := parseTime(s)
	if err != nil && !errors.Is(err, ErrTimeRange) {
		err = fmt.Errorf("%q %w", s, err)
	}
	return t, err
}

func parseTime(s string) (Time, error) {
	if len(s) < len("2006-01-02T15:04:05Z") ||
		s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return Time{}, errTimeForm
	}
	year, month, day := 100*twoDigits(s, 0)+twoDigits(s, 2), twoDigits(s, 5), twoDigits(s, 8)
	hour, minute, second := twoDigits(s, 11), twoDigits(s, 14), twoDigits(s, 17)
	if year > 9999 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month) ||
		hour > 23 || minute > 59 || second > 60 {
		return Time{}, errTimeForm
	}
	nanos, end, err := parseFraction(s, 19)
	if err != nil {
		return Time{}, err
	}
	offset, ok := parseOffset(s[end:])
	if !ok {
		return Time{}, errTimeForm
	}
	if second == 60 {
		return Time{}, errLeapSecond
	}
	seconds := int64(daysSince1970(year, month, day))*86400 + int64(hour*3600+minute*60+second-offset)
	if seconds < firstSecond || seconds >= lastSecond {
		return Time{}, ErrTimeRange
	}
	return Time{seconds*int64(time.Second) + nanos, int32(offset)}, nil
}

// noDigits is more than any part of a time may be.
const noDigits = 10_000

// twoDigits reads two digits; noDigits where they are none.
func twoDigits(s string, at int) int {
	a, b := s[at]-'0', s[at+1]-'0'
	if a > 9 || b > 9 {
		return noDigits
	}
	return int(a)*10 + int(b)
}

// parseFraction reads a point and digits, if they are there, and returns where
// they end.
func parseFraction(s string, at int) (nanos int64, end int, err error) {
	if s[at] != '.' {
		return 0, at, nil
	}
	unit := int64(time.Second)
	for end = at + 1; end < len(s) && s[end]-'0' <= 9; end++ {
		unit /= 10
		if nanos += unit * int64(s[end]-'0'); unit == 0 && s[end] != '0' {
			return 0, end, errFraction
		}
	}
	if end == at+1 {
		return 0, end, errTimeForm
	}
	return nanos, end, nil
}

// parseOffset reads Z or hours and minutes, in seconds.
func parseOffset(s string) (offset int, ok bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != len("+01:00") || s[3] != ':' {
		return 0, false
	}
	hours, minutes := twoDigits(s, 1), twoDigits(s, 4)
	offset = hours*3600 + minutes*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, (s[0] == '+' || s[0] == '-') && hours <= 23 && minutes <= 59
}

// daysOf is how many days a month has.
func daysOf(year, month int) int {
	if month == 2 {
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 30 + (month+month/8)%2
}

// daysSince1970 counts days of the Gregorian calendar. Its years begin in
// March, so that the leap day is the last one.
func daysSince1970(year, month, day int) int {
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	const before1970 = 719468 // from 0000-03-01
	return year*365 + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - before1970
}
