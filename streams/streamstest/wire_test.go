package streamstest

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

func TestRedisWire(t *testing.T) {
	for in, want := range map[string][]string{
		"+OK\r\n-ERR x\r\n:1\r\n":                         {"+OK\r\n", "-ERR x\r\n", ":1\r\n"},
		"$5\r\na\r\nbc\r\n$-1\r\n":                        {"$5\r\na\r\nbc\r\n", "$-1\r\n"},
		"*2\r\n$1\r\na\r\n*1\r\n:1\r\n+x\r\n":             {"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "+x\r\n"},
		"%1\r\n+k\r\n:1\r\n_\r\n":                         {"%1\r\n+k\r\n:1\r\n", "_\r\n"},
		"|1\r\n+k\r\n:1\r\n+value\r\n~0\r\n=3\r\ntxt\r\n": {"|1\r\n+k\r\n:1\r\n+value\r\n", "~0\r\n", "=3\r\ntxt\r\n"},
	} {
		r := bufio.NewReader(strings.NewReader(in))
		for i, message := range want {
			if got, err := readRESP(r, nil, 0); err != nil || string(got) != message {
				t.Errorf("%q: message %d is %q, %v; want %q", in, i, got, err, message)
			}
		}
	}
}

func TestRedisWireNamesAndNumbers(t *testing.T) {
	var w redisWire
	r := bufio.NewReader(strings.NewReader("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nping\r\n"))
	for i, name := range []string{"GET", "ping"} {
		if m, err := w.request(r); err != nil || m.name != name || m.id != int32(i) {
			t.Errorf("request %d is %q with ID %d, %v", i, m.name, m.id, err)
		}
	}
	r = bufio.NewReader(strings.NewReader("+a\r\n>1\r\n+push\r\n+b\r\n"))
	for i, id := range []int32{0, -1, 1} {
		if m, err := w.reply(r); err != nil || m.id != id {
			t.Errorf("reply %d has ID %d, %v; want %d", i, m.id, err, id)
		}
	}
}

func FuzzRedisWire(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"))
	f.Add([]byte("|1\r\n+k\r\n:1\r\n>1\r\n%1\r\n+a\r\n_\r\n"))
	f.Add([]byte("$536870912\r\nx"))
	f.Add([]byte("*999999999\r\n"))
	f.Add(bytes.Repeat([]byte("*1\r\n"), 100))
	f.Fuzz(func(t *testing.T, in []byte) {
		prefixes(t, in, new(redisWire).request)
		prefixes(t, in, new(redisWire).reply)
	})
}

func FuzzKafkaWire(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x0a\x00\x12\x00\x03\x00\x00\x00\x01ab"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		prefixes(t, in, kafkaWire{}.request)
		prefixes(t, in, kafkaWire{}.reply)
	})
}

// prefixes checks that the messages are the input, cut into pieces.
func prefixes(t *testing.T, in []byte, next func(*bufio.Reader) (message, error)) {
	r := bufio.NewReader(bytes.NewReader(in))
	for {
		m, err := next(r)
		if err != nil {
			return
		}
		if len(m.bytes) == 0 || !bytes.HasPrefix(in, m.bytes) {
			t.Fatalf("message %q of %q", m.bytes, in)
		}
		in = in[len(m.bytes):]
	}
}
