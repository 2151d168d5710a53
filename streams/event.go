package streams

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The CloudEvents headers of a record, in the binary mode of the Kafka binding.
const (
	HeaderSpecVersion   = "ce_specversion"
	HeaderID            = "ce_id"
	HeaderType          = "ce_type"
	HeaderSource        = "ce_source"
	HeaderSubject       = "ce_subject"
	HeaderTime          = "ce_time"
	HeaderSequence      = "ce_sequence"
	HeaderCorrelationID = "ce_correlationid"
	HeaderCausationID   = "ce_causationid"
	HeaderContentType   = "content-type"
)

// SpecVersion is the version of CloudEvents that is written and read.
const SpecVersion = "1.0"

// The content types of values. JSON is not read yet.
const (
	ContentTypeAvro = "application/avro"
	ContentTypeJSON = "application/json"
)

// SequenceDigits is the width of the sequence header: zero-padded, so that its
// order as text is its order as a number.
const SequenceDigits = 20

// Event is what a record says about itself in its headers. Its texts are views
// into the record.
type Event struct {
	ID          string
	Type        string
	Source      string
	Stream      StreamID
	Time        string // RFC 3339 as written, with its offset; see ParseTime
	Sequence    string // the stream version, 20 digits; see Version
	Correlation string // the event's own ID where the header is missing
	Causation   string // empty for a root event
	ContentType string // empty where the header is missing
}

var errSpecVersion = errors.New("header ce_specversion is not 1.0")

// ParseEvent reads the headers of a record. A missing or unusable header, a
// null key or a null value is a [*RecordError] that names it.
//
// Sequence and Time are only checked for presence here: see [Event.Version] and
// [ParseTime].
func ParseEvent(r *Record) (Event, error) {
	var e Event
	if err := e.parse(r); err != nil {
		return e, &RecordError{r.Topic, r.Partition, r.Offset, err}
	}
	return e, nil
}

func (e *Event) parse(r *Record) error {
	if r.Key == nil {
		return errors.New("the key is null; an event's key is its stream ID")
	}
	stream, err := ParseStreamID(view(r.Key))
	if err != nil {
		return err
	}
	e.Stream = stream
	var spec, subject string
	for i := range r.Headers {
		h := &r.Headers[i]
		if p := e.field(h.Key, &spec, &subject); p != nil {
			*p = view(h.Value)
		}
	}
	if err := e.complete(spec, subject); err != nil {
		return err
	}
	if r.Value == nil {
		return fmt.Errorf("the value of event %s is null", e.Type)
	}
	if e.Correlation == "" {
		e.Correlation = e.ID
	}
	return nil
}

// field is where the value of a header goes; nil for a header of somebody else.
func (e *Event) field(name string, spec, subject *string) *string {
	switch name {
	case HeaderType:
		return &e.Type
	case HeaderID:
		return &e.ID
	case HeaderSource:
		return &e.Source
	case HeaderTime:
		return &e.Time
	case HeaderSequence:
		return &e.Sequence
	case HeaderSubject:
		return subject
	case HeaderSpecVersion:
		return spec
	case HeaderCorrelationID:
		return &e.Correlation
	case HeaderCausationID:
		return &e.Causation
	case HeaderContentType:
		return &e.ContentType
	}
	return nil
}

// complete checks that every header that an event must have is there.
func (e *Event) complete(spec, subject string) error {
	switch {
	case e.Type == "":
		return missing(HeaderType)
	case e.ID == "":
		return missing(HeaderID)
	case e.Source == "":
		return missing(HeaderSource)
	case e.Time == "":
		return missing(HeaderTime)
	case e.Sequence == "":
		return missing(HeaderSequence)
	case spec == "":
		return missing(HeaderSpecVersion)
	case subject == "":
		return missing(HeaderSubject)
	case spec != SpecVersion:
		return errSpecVersion
	case subject != string(e.Stream):
		return fmt.Errorf("header %s is %q, but the key is %q", HeaderSubject, subject, e.Stream)
	}
	return nil
}

func missing(header string) error {
	return fmt.Errorf("header %s is missing; an event of Millrace has CloudEvents headers", header)
}

// Version is the number of the event in its stream, from 1.
func (e *Event) Version() (int64, error) {
	if len(e.Sequence) != SequenceDigits {
		return 0, fmt.Errorf("header %s is %q, not %d digits", HeaderSequence, e.Sequence, SequenceDigits)
	}
	n, err := strconv.ParseUint(e.Sequence, 10, 63) // which takes no sign
	if err != nil || n < 1 {
		return 0, fmt.Errorf("header %s is %q, not a version from 1", HeaderSequence, e.Sequence)
	}
	return int64(n), nil
}

// CheckAvro returns an error where the content type says that the value is JSON.
// Whether a value of another type, or of none, is Avro is told by the value.
func (e *Event) CheckAvro() error {
	if e.ContentType == ContentTypeAvro {
		return nil
	}
	media, _, _ := strings.Cut(e.ContentType, ";")
	if media = strings.TrimSpace(media); strings.EqualFold(media, ContentTypeJSON) || strings.HasSuffix(media, "+json") {
		return fmt.Errorf("header %s is %s: JSON values are not read yet; write them as %s, in single-object encoding", HeaderContentType, e.ContentType, ContentTypeAvro)
	}
	return nil
}

// FormatSequence returns the sequence header of a stream version.
func FormatSequence(version int64) string { return fmt.Sprintf("%0*d", SequenceDigits, version) }

// Headers returns the headers of the event, in the order of the record format.
func (e *Event) Headers() []Header {
	h := []Header{
		{HeaderSpecVersion, []byte(SpecVersion)},
		{HeaderID, []byte(e.ID)},
		{HeaderType, []byte(e.Type)},
		{HeaderSource, []byte(e.Source)},
		{HeaderSubject, []byte(e.Stream)},
		{HeaderTime, []byte(e.Time)},
		{HeaderSequence, []byte(e.Sequence)},
		{HeaderCorrelationID, []byte(e.Correlation)},
	}
	if e.Causation != "" {
		h = append(h, Header{HeaderCausationID, []byte(e.Causation)})
	}
	return append(h, Header{HeaderContentType, []byte(e.ContentType)})
}
