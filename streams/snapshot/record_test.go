package snapshot

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/state"
)

// read is the record as a reader gets it.
func read(out kafka.OutRecord) *streams.Record {
	return &streams.Record{Topic: snapshots, Offset: 41, Key: out.Key, Value: out.Value, Headers: out.Headers}
}

func TestSnapshotIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := state.Entry{
			Offset:  rapid.Int64Range(0, math.MaxInt64).Draw(t, "offset"),
			Version: rapid.Int64Range(0, math.MaxInt64).Draw(t, "version"),
			Gone:    rapid.Bool().Draw(t, "gone"),
		}
		if !e.Gone {
			e.Value = rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "value")
		}
		stream := rapid.StringMatching(`[ -~é€]{1,20}`).Draw(t, "stream")
		s, err := Parse(read(Encode([]byte(stream), e)))
		if err != nil {
			t.Fatal(err)
		}
		if string(s.Stream) != stream || s.Offset != e.Offset || s.Version != e.Version || s.Gone != e.Gone || !bytes.Equal(s.Value, e.Value) {
			t.Errorf("read %q %+v, want %q %+v", s.Stream, s.Entry, stream, e)
		}
		if s.Next != 42 || s.Forgotten || s.Watermark != nil {
			t.Errorf("%+v", s)
		}
	})
}

func TestWatermarkIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Watermark{
			Topic: rapid.StringMatching(`[a-zA-Z0-9._-]{1,20}`).Draw(t, "topic"), TopicID: rapid.StringMatching(`[a-zA-Z0-9_-]{0,22}`).Draw(t, "id"),
			Partition: rapid.Int32Range(0, math.MaxInt32).Draw(t, "partition"), Partitions: rapid.Int32Range(1, math.MaxInt32).Draw(t, "partitions"),
			Next: rapid.Int64Range(0, math.MaxInt64).Draw(t, "next"), Digest: rapid.StringMatching(`[0-9a-f]{1,64}`).Draw(t, "digest"),
		}
		out, err := w.Encode()
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(read(out))
		if err != nil || s.Watermark == nil || *s.Watermark != w || s.Stream != nil || s.Next != 42 {
			t.Errorf("read %+v, %v, want %+v", s.Watermark, err, w)
		}
	})
}

// What another one has written to the topic is told with its place and what is
// wrong with it.
func TestParseRefusesWhatIsNoSnapshot(t *testing.T) {
	good := func() *streams.Record {
		return read(Encode([]byte("order-1"), state.Entry{Offset: 7, Version: 3, Value: []byte("state")}))
	}
	mark := func(value string) func(*streams.Record) {
		return func(r *streams.Record) { r.Key, r.Value, r.Headers = []byte(WatermarkKey), []byte(value), nil }
	}
	for words, damage := range map[string]func(*streams.Record){
		"it has no key":                           func(r *streams.Record) { r.Key = nil },
		`key "\x00position" is neither`:           func(r *streams.Record) { r.Key = []byte("\x00position") },
		"header src-offset is missing":            func(r *streams.Record) { r.Headers = r.Headers[1:] },
		"header src-version is missing":           func(r *streams.Record) { r.Headers = r.Headers[:1] },
		`header src-offset is "-1", not a number`: func(r *streams.Record) { r.Headers[0].Value = []byte("-1") },
		`header src-offset is "", not a number`:   func(r *streams.Record) { r.Headers[0].Value = nil },
		`"9223372036854775808", not a number`:     func(r *streams.Record) { r.Headers[1].Value = []byte("9223372036854775808") },
		`header gone is "yes", not true`: func(r *streams.Record) {
			r.Headers = append(r.Headers, streams.Header{Key: HeaderGone, Value: []byte("yes")})
		},
		"and this one has 5 bytes":                 func(r *streams.Record) { r.Headers = append(r.Headers, streams.Header{Key: HeaderGone, Value: gone}) },
		"and this one has 0 bytes":                 func(r *streams.Record) { r.Value = []byte{} },
		"watermark is not JSON: unexpected end":    mark(""),
		"watermark is not JSON: invalid character": mark(`{"topic":"t","partitions":1,"digest":"d"} and more`),
		"watermark is not JSON: json: cannot":      mark(`{"topic":"t","partitions":1,"digest":"d","next":"7"}`),
		`watermark is not complete: {"topic":"t"`:  mark(`{"topic":"t","partitions":1}`),
		`watermark is not complete: {"partitions"`: mark(`{"partitions":1,"digest":"d"}`),
		`watermark is not complete: {}`:            mark(`{}`),
		`complete: {"next":-1`:                     mark(`{"next":-1,"topic":"t","partitions":1,"digest":"d"}`),
		`complete: {"partition":-1`:                mark(`{"partition":-1,"topic":"t","partitions":1,"digest":"d"}`),
	} {
		r := good()
		damage(r)
		_, err := Parse(r)
		var at *streams.RecordError
		if !errors.As(err, &at) || !strings.HasPrefix(err.Error(), "record orders.snapshots/0/41: no snapshot: ") || !strings.Contains(err.Error(), words) {
			t.Errorf("%v does not say %q", err, words)
		}
	}
	if _, err := Parse(good()); err != nil {
		t.Error(err)
	}
}

// FuzzParse: whatever is in a record, it is refused, or is what it says when it
// is written again.
func FuzzParse(f *testing.F) {
	f.Add([]byte("order-1"), []byte("state"), []byte("7"), []byte("3"), []byte(nil))
	f.Add([]byte("order-1"), []byte(nil), []byte("7"), []byte("3"), []byte("true"))
	f.Add([]byte(WatermarkKey), []byte(`{"topic":"t","topic_id":"i","partition":0,"partitions":1,"next":7,"digest":"d"}`), []byte(nil), []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, key, value, offset, version, gone []byte) {
		r := &streams.Record{Key: key, Value: value}
		for i, v := range [][]byte{offset, version, gone} {
			if v != nil {
				r.Headers = append(r.Headers, streams.Header{Key: []string{HeaderOffset, HeaderVersion, HeaderGone}[i], Value: v})
			}
		}
		s, err := Parse(r)
		if err != nil || s.Forgotten {
			return
		}
		out := Encode(s.Stream, s.Entry)
		if s.Watermark != nil {
			if out, err = s.Watermark.Encode(); err != nil {
				t.Fatal(err)
			}
		}
		again, err := Parse(&streams.Record{Key: out.Key, Value: out.Value, Headers: out.Headers})
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}
