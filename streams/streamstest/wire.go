package streamstest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// message is one request or reply, whole.
type message struct {
	bytes []byte
	name  string // of a request
	id    int32  // a reply has that of its request; less than 0: of none
}

// wire splits a connection into messages. One goroutine reads requests, another
// reads replies.
type wire interface {
	request(*bufio.Reader) (message, error)
	reply(*bufio.Reader) (message, error)
}

// maxMessage is the largest message that is carried: 512 MiB, Redis's limit of
// one argument.
const maxMessage = 512 << 20

var errMessage = errors.New("not a message of this protocol")

// kafkaWire is the Kafka protocol: a length, then the message.
type kafkaWire struct{}

func (kafkaWire) request(r *bufio.Reader) (message, error) {
	b, err := readSized(r, 8)
	if err != nil {
		return message{}, err
	}
	key := int16(binary.BigEndian.Uint16(b[4:]))
	return message{b, kmsg.NameForKey(key), int32(binary.BigEndian.Uint32(b[8:]))}, nil
}

func (kafkaWire) reply(r *bufio.Reader) (message, error) {
	b, err := readSized(r, 4)
	if err != nil {
		return message{}, err
	}
	return message{bytes: b, id: int32(binary.BigEndian.Uint32(b[4:]))}, nil
}

// readSized reads a message with its length, at least so many bytes behind it.
func readSized(r *bufio.Reader, least uint32) ([]byte, error) {
	head, err := r.Peek(4)
	if err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head)
	if n < least || n > maxMessage {
		return nil, fmt.Errorf("%w: length %d", errMessage, n)
	}
	return readMore(r, nil, int(n)+4)
}

// redisWire is the protocol of Redis, versions 2 and 3. Replies come in the
// order of the requests; pushed messages are of none.
type redisWire struct{ sent, answered int32 }

func (w *redisWire) request(r *bufio.Reader) (message, error) {
	b, err := readRESP(r, nil, 0)
	if err != nil {
		return message{}, err
	}
	m := message{bytes: b, id: w.sent}
	w.sent++
	if parts := bytes.SplitN(b, []byte("\r\n"), 4); len(parts) == 4 { // *3, $7, EVALSHA, the rest
		m.name = string(parts[2])
	}
	return m, nil
}

func (w *redisWire) reply(r *bufio.Reader) (message, error) {
	b, err := readRESP(r, nil, 0)
	if err != nil {
		return message{}, err
	}
	if b[0] == '>' {
		return message{bytes: b, id: -1}, nil
	}
	m := message{bytes: b, id: w.answered}
	w.answered++
	return m, nil
}

// maxDepth is how deep values of Redis may be nested.
const maxDepth = 64

// readRESP appends one value of the Redis protocol to b.
func readRESP(r *bufio.Reader, b []byte, depth int) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	b = append(b, line...)
	n, text := 0, false
	switch line[0] {
	case '$', '=', '!':
		text = true
		fallthrough
	case '*', '~', '>', '%', '|':
		if n, err = strconv.Atoi(string(bytes.TrimRight(line[1:], "\r\n"))); err != nil || n > maxMessage {
			return nil, fmt.Errorf("%w: %q", errMessage, line)
		}
	}
	switch {
	case n < 0: // null
		return b, nil
	case text:
		return readMore(r, b, n+2)
	case line[0] == '%':
		n *= 2
	case line[0] == '|': // attributes of the value behind them
		n = 2*n + 1
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", errMessage, maxDepth)
	}
	for range n {
		if b, err = readRESP(r, b, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readMore appends n bytes to b. It takes memory as they come, not as announced.
func readMore(r *bufio.Reader, b []byte, n int) ([]byte, error) {
	buf := bytes.NewBuffer(b)
	if _, err := io.CopyN(buf, r, int64(n)); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
