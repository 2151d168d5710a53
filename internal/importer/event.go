package importer

import (
	"strconv"

	"github.com/google/uuid"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// namespace is that of the IDs of imported events: the UUIDv5 of the URL
// https://github.com/millrace/millrace/import. It is part of the record format:
// another one would give every imported event another ID.
var namespace = uuid.MustParse("3f90305d-01b2-5acd-adde-68cfb2d0c4f6")

// EventID is the ID of an imported event: the UUIDv5 of topic/stream/version
// in a namespace of its own. The same line has the same ID in every import.
func EventID(topic string, stream streams.StreamID, version int64) string {
	name := make([]byte, 0, 128)
	name = append(name, topic...)
	name = append(name, '/')
	name = append(name, stream...)
	name = append(name, '/')
	name = strconv.AppendInt(name, version, 10)
	return uuid.NewSHA1(namespace, name).String()
}

// record is the Kafka record of a line. An imported event has no cause that
// anybody knows: it is the root of its own correlation.
func (o *Options) record(l *line, value []byte) kafka.OutRecord {
	id := EventID(o.Topic, l.stream, l.version)
	event := streams.Event{
		ID:          id,
		Type:        l.kind,
		Source:      o.Source,
		Stream:      l.stream,
		Time:        l.time,
		Sequence:    streams.FormatSequence(l.version),
		Correlation: id,
		ContentType: streams.ContentTypeAvro,
	}
	return kafka.OutRecord{Key: []byte(l.stream), Value: value, Headers: event.Headers()}
}
