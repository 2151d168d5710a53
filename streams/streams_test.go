package streams

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// TestPartitionOfAgreesWithTheClient compares with franz-go, whose default is
// that of the Java client.
func TestPartitionOfAgreesWithTheClient(t *testing.T) {
	hasher := kgo.KafkaHasher(func(b []byte) uint32 { return murmur2(b) })
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		n := rapid.Int32Range(1, 1000).Draw(t, "partitions")
		p := kgo.StickyKeyPartitioner(nil).ForTopic("t")
		if want := p.Partition(&kgo.Record{Key: append([]byte{}, key...)}, int(n)); int32(want) != PartitionOf(key, n) {
			t.Fatalf("%q of %d: got %d, want %d", key, n, PartitionOf(key, n), want)
		}
		if hasher(key, int(n)) != int(PartitionOf(key, n)) {
			t.Fatalf("%q of %d: the sign is treated otherwise", key, n)
		}
	})
}

// TestPartitionOfKnownKeys holds hashes that Kafka's own tests hold.
func TestPartitionOfKnownKeys(t *testing.T) {
	for key, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("%s: got %d, want %d", key, got, want)
		}
	}
}

func record() *Record {
	e := Event{
		ID: "1", Type: "FineCreated", Source: "import", Stream: "fine-S1", Time: "2000-01-01T00:00:00+01:00",
		Sequence: FormatSequence(1), Correlation: "1", ContentType: ContentTypeAvro,
	}
	return &Record{Topic: "fines", Partition: 3, Offset: 42, Key: []byte(e.Stream), Value: []byte{1}, Headers: e.Headers()}
}

func TestParseEventReadsWhatHeadersWrite(t *testing.T) {
	e, err := ParseEvent(record())
	if err != nil {
		t.Fatal(err)
	}
	version, err := e.Version()
	if err != nil || version != 1 || e.Type != "FineCreated" || e.Stream != "fine-S1" || e.Correlation != "1" {
		t.Errorf("got %+v, version %d, %v", e, version, err)
	}
}

func TestParseEventNamesRecordAndReason(t *testing.T) {
	drop := func(header string) func(*Record) {
		return func(r *Record) {
			var kept []Header
			for _, h := range r.Headers {
				if h.Key != header {
					kept = append(kept, h)
				}
			}
			r.Headers = kept
		}
	}
	cases := map[string]func(*Record){
		"ce_specversion is missing":          drop(HeaderSpecVersion),
		"ce_id is missing":                   drop(HeaderID),
		"ce_type is missing":                 drop(HeaderType),
		"ce_source is missing":               drop(HeaderSource),
		"ce_subject is missing":              drop(HeaderSubject),
		"ce_time is missing":                 drop(HeaderTime),
		"ce_sequence is missing":             drop(HeaderSequence),
		"ce_specversion is not 1.0":          func(r *Record) { r.Headers[0].Value = []byte("0.3") },
		"the key is null":                    func(r *Record) { r.Key = nil },
		"value of event FineCreated is null": func(r *Record) { r.Value = nil },
		`but the key is "fine-S2"`:           func(r *Record) { r.Key = []byte("fine-S2") },
		"control character":                  func(r *Record) { r.Key = []byte("\x00position") },
		"is not UTF-8":                       func(r *Record) { r.Key = []byte("fine-\xff") },
		"it is empty":                        func(r *Record) { r.Key = []byte{} },
	}
	for want, change := range cases {
		r := record()
		change(r)
		_, err := ParseEvent(r)
		var at *RecordError
		if !errors.As(err, &at) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "record fines/3/42: ") {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestEventVersionIsTwentyDigits(t *testing.T) {
	for _, s := range []string{"", "1", "0000000000000000000x", "00000000000000000000", "-0000000000000000001", "+0000000000000000001", "00000000000000000_01", "09223372036854775808", "99999999999999999999"} {
		e := Event{Sequence: s}
		if v, err := e.Version(); err == nil {
			t.Errorf("%q: got %d", s, v)
		}
	}
}

func TestStreamIDParts(t *testing.T) {
	for in, want := range map[StreamID][2]string{"fine-S1": {"fine", "S1"}, "a-b-c": {"a", "b-c"}, "plain": {"plain", ""}, "-x": {"", "x"}} {
		if in.Category() != want[0] || in.Key() != want[1] {
			t.Errorf("%s: got %q, %q", in, in.Category(), in.Key())
		}
	}
}

func FuzzParseStreamID(f *testing.F) {
	for _, s := range []string{"fine-S1", "", "\x00watermark", "ü-1", "a\u0085b", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseStreamID(s)
		bad := s == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 })
		if bad != (err != nil) {
			t.Fatalf("%q: %q, %v", s, id, err)
		}
	})
}

func TestSecretNeverPrints(t *testing.T) {
	s := Secret("hunter2")
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "password", s)
	fmt.Fprintf(&out, "%v %s %q %#v %x %+v", s, s, s, s, s, struct{ P Secret }{s})
	unsuited := "%d"
	fmt.Fprintf(&out, unsuited, s)
	if strings.Contains(out.String(), "hunter2") {
		t.Error(out.String())
	}
}

func TestSizeText(t *testing.T) {
	for in, want := range map[string]Size{"0B": 0, "12B": 12, "256KiB": 256 * KiB, "64 MiB": 64 * MiB, "1GiB": GiB} {
		var s Size
		if err := s.UnmarshalText([]byte(in)); err != nil || s != want || s.String() != strings.ReplaceAll(in, " ", "") {
			t.Errorf("%s: got %v, %v", in, s, err)
		}
	}
	for _, in := range []string{"", "12", "-1KiB", "1.5MiB", "9999999999GiB", "KiB", "1MB"} {
		var s Size
		if err := s.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q: got %v", in, s)
		}
	}
}

// TestJSONValuesAreNamed: their first bytes would only say that they are not
// Avro.
func TestJSONValuesAreNamed(t *testing.T) {
	for contentType, want := range map[string]bool{
		"": true, "application/avro": true, "avro/binary": true, "application/octet-stream": true,
		"application/json": false, "Application/JSON; charset=utf-8": false, "application/vnd.fines+json": false,
	} {
		e := Event{ContentType: contentType}
		if err := e.CheckAvro(); (err == nil) != want {
			t.Errorf("%q: %v", contentType, err)
		} else if err != nil && !strings.Contains(err.Error(), "JSON values are not read yet") {
			t.Error(err)
		}
	}
}
