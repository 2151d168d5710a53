package avro

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// stricter are the errors of ours for what the oracle lets pass.
var stricter = []error{errBool, errDepth, errUTF8, errDigits, errInstant, errInt, errSize, errTail, errSymbol, errEmpty}

// tester is a test, or what rapid has for one.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check compares what we read with what the oracle reads.
func (c *compiled) check(t tester, payload []byte) {
	t.Helper()
	var want any
	rest, oracleErr := c.oracle.Decode(payload, &want)
	if oracleErr == nil && len(rest) > 0 {
		oracleErr = errTail
	}
	slots := make([]streams.Slot, len(c.paths))
	for k := range slots { // as the last event left them
		slots[k] = streams.Slot{Str: "left over", Bits: 0x5555, Offset: 60, Null: k%2 == 0}
	}
	value := append(bytes.Clone(c.header), payload...)
	before := bytes.Clone(value)
	err := c.reader.Read(value, slots)
	if !bytes.Equal(value, before) {
		t.Fatalf("%s: the value was written to", c.name)
	}
	if err != nil {
		if oracleErr == nil && !isAny(err, stricter) && c.whole(payload) {
			t.Fatalf("%s: the oracle reads %x as %v, we say %v", c.name, payload, want, err)
		}
		return
	}
	if oracleErr != nil {
		if c.unread(oracleErr) {
			return
		}
		t.Fatalf("%s: the oracle refuses %x (%v), we do not: %v", c.name, payload, oracleErr, slots)
	}
	root := c.codec.types["Event"]
	for k, path := range c.paths {
		if w := pick(want, strings.Split(path, ".")); !same(typeAt(root, path), &slots[k], w) {
			t.Fatalf("%s.%s: the oracle reads %T %v, we read %+v from %x", c.name, path, w, w, slots[k], payload)
		}
	}
}

// whole says whether the oracle reads all that was written, too. What it skips it
// passes by the length that a block claims.
func (c *compiled) whole(payload []byte) bool {
	var v any
	rest, err := c.written.Decode(payload, &v)
	return err == nil && len(rest) == 0
}

// unread says whether the oracle's error is about a field of the reader's that
// none of the paths names, and whose content we do not look at.
func (c *compiled) unread(err error) bool {
	return strings.Contains(err.Error(), "overflows time.Duration") || strings.Contains(err.Error(), "UTF-8")
}

func isAny(err error, targets []error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// pick follows a path through records; a null on the way is the result.
func pick(v any, path []string) any {
	for _, name := range path {
		record, _ := v.(map[string]any)
		v = record[name]
	}
	return v
}

func typeAt(t streams.Type, path string) streams.Type {
	for name := range strings.SplitSeq(path, ".") {
		t = t.Field(name).Type
	}
	return t
}

func same(t streams.Type, s *streams.Slot, want any) bool {
	if want == nil || s.Null {
		return want == nil && s.Null
	}
	switch v := want.(type) {
	case int32:
		return t.Kind == streams.KindInt && s.Int() == int64(v)
	case int64:
		return t.Kind == streams.KindInt && s.Int() == v
	case time.Duration:
		n := time.Duration(s.Int()) // in the unit of its type
		return t.Kind == streams.KindInt && (n*time.Microsecond == v || n*time.Millisecond == v)
	case time.Time:
		return t.Kind == streams.KindTime && s.Time().Std().Equal(v)
	case float32:
		return t.Kind == streams.KindFloat && sameFloat(s.Float(), float64(v))
	case float64:
		return t.Kind == streams.KindFloat && sameFloat(s.Float(), v)
	case bool:
		return t.Kind == streams.KindBool && s.Bool() == v
	case string:
		return t.Kind == streams.KindString && s.Str == v
	case []byte:
		return t.Kind == streams.KindBytes && s.Str == string(v)
	case avro.Duration:
		b := v.Bytes()
		return t.Kind == streams.KindBytes && s.Str == string(b[:])
	case [16]byte:
		return t.Kind == streams.KindString && s.Str == uuidText(v[:])
	case *big.Rat:
		got, ok := new(big.Rat).SetString(s.Decimal(t.Scale).String())
		return t.Kind == streams.KindDecimal && ok && got.Cmp(v) == 0
	}
	return false
}

func sameFloat(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// TestReadAsTheOracle reads values, every prefix of them, and them with every
// byte damaged in several ways.
func TestReadAsTheOracle(t *testing.T) {
	for _, p := range pairs(t) {
		t.Run(p.name, func(t *testing.T) {
			c := compilePair(t, p)
			for _, b := range c.payloads(t) {
				slots := make([]streams.Slot, len(c.paths))
				if err := c.reader.Read(append(bytes.Clone(c.header), b...), slots); err != nil {
					t.Fatal(err)
				}
				c.check(t, b)
				c.check(t, append(bytes.Clone(b), 0))
				for k := range b {
					c.check(t, b[:k])
					for _, flip := range []byte{1, 2, 0x80, 0x81, 0xff} {
						d := bytes.Clone(b)
						d[k] ^= flip
						c.check(t, d)
					}
				}
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	var all []*compiled
	for k, p := range pairs(f) {
		c := compilePair(f, p)
		all = append(all, c)
		for _, b := range c.payloads(f) {
			f.Add(uint8(k), b)
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, b []byte) {
		if len(b) < 1<<12 {
			all[int(k)%len(all)].check(t, b)
		}
	})
}

func TestReadDoesNotAllocate(t *testing.T) {
	for _, p := range pairs(t) {
		c, most := compilePair(t, p), 0.0
		if p.name == "uuid" {
			most = 1 // its text
		}
		value := append(bytes.Clone(c.header), c.payloads(t)[0]...)
		slots := make([]streams.Slot, len(c.paths))
		if n := testing.AllocsPerRun(10, func() {
			if err := c.reader.Read(value, slots); err != nil {
				t.Fatal(err)
			}
		}); n > most {
			t.Errorf("%s: %v allocations", p.name, n)
		}
	}
}
