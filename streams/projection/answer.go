package projection

import (
	"fmt"
	"strconv"
	"strings"
)

// AnswerKind is what the script said to a batch.
type AnswerKind uint8

// The answers. Only AnswerOK says that something was written.
const (
	AnswerOK     AnswerKind = iota + 1 // the batch is applied, the position moved
	AnswerStale                        // the stored position is not the batch's first offset
	AnswerFenced                       // a newer owner has raised the epoch
	AnswerWiped                        // there is no definition: Redis has lost its data
	AnswerDigest                       // the definition there is of other rules
	AnswerBad                          // a value or key is not what this view writes
	AnswerRange                        // a sum left its range
	AnswerLoad                         // the load of snapshots is not that which was begun
)

var answerNames = [...]string{
	AnswerOK: "OK", AnswerStale: "STALE", AnswerFenced: "FENCED", AnswerWiped: "WIPED",
	AnswerDigest: "DIGEST", AnswerBad: "BAD", AnswerRange: "RANGE", AnswerLoad: "LOAD",
}

// String returns the answer as the script writes it.
func (k AnswerKind) String() string {
	if int(k) < len(answerNames) && answerNames[k] != "" {
		return answerNames[k]
	}
	return "invalid"
}

// Answer is what the script said to a batch, and why.
type Answer struct {
	Kind AnswerKind
	// Position is the stored one, of AnswerStale. Where it is the batch's own Next,
	// the batch was applied before and the reply was lost.
	Position Position
	// Epoch is the stored one, of AnswerFenced.
	Epoch int64
	// Digest is the stored one, of AnswerDigest. Of AnswerLoad it is what is stored
	// of the load in Field.
	Digest string
	// Row and Field name the place, of AnswerBad and AnswerRange. Field is empty
	// where the row's key holds another type. Row is empty where the place is no
	// row but the bookkeeping; then Field names its key, as in "m:pos", and
	// behind a space the partition where only that is wrong.
	Row, Field string
}

// parseAnswer reads the array that the script returns.
func parseAnswer(id ViewID, reply []string) (Answer, error) {
	kind := AnswerKind(0)
	for k, name := range answerNames {
		if len(reply) > 0 && name != "" && reply[0] == name {
			kind = AnswerKind(k)
		}
	}
	a := Answer{Kind: kind}
	var err error
	switch {
	case len(reply) == 1 && (kind == AnswerOK || kind == AnswerWiped):
	case len(reply) == 2 && kind == AnswerStale:
		if a.Position, err = parsePosition(reply[1]); err != nil {
			return Answer{Kind: AnswerBad, Field: keyPositions}, nil //nolint:nilerr // the damage is the answer
		}
	case len(reply) == 2 && kind == AnswerFenced:
		a.Epoch, err = strconv.ParseInt(reply[1], 10, 64)
	case len(reply) == 2 && kind == AnswerDigest:
		a.Digest = reply[1]
	case len(reply) == 3 && kind == AnswerLoad:
		a.Field, a.Digest = reply[1], reply[2]
	case len(reply) == 3 && (kind == AnswerBad || kind == AnswerRange):
		a.Row, a.Field = place(id, reply[1], reply[2])
	default:
		err = errReply
	}
	if err != nil {
		return Answer{}, fmt.Errorf("unexpected answer of the script: %q: %w", reply, err)
	}
	return a, nil
}

// place returns the row and field of a key, or what of the bookkeeping it is.
func place(id ViewID, key, field string) (string, string) {
	if row, ok := strings.CutPrefix(key, id.RowKey("")); ok {
		return row, field
	}
	return "", strings.TrimSpace(strings.TrimPrefix(key, id.key("")) + " " + field)
}

// bookNumber reads a number of that key of the bookkeeping.
func bookNumber(key, s string) (int64, error) {
	n, err := parseNumber(s)
	if err != nil {
		return 0, foreign(key, err)
	}
	return n, nil
}

// bookPosition reads a position of the bookkeeping.
func bookPosition(s string) (Position, error) {
	p, err := parsePosition(s)
	if err != nil {
		return p, foreign(keyPositions, err)
	}
	return p, nil
}

// foreign is the error of bookkeeping that somebody else has written to.
func foreign(key string, err error) error {
	return fmt.Errorf("bookkeeping %s is not what this view writes there: %w; restore it, or delete all keys of this version and let it be built anew", key, err)
}
