package importer

import "github.com/millrace/millrace/streams"

// verdict is what becomes of a line.
type verdict int

const (
	// present: the topic has this version of the stream already.
	present verdict = iota
	// due: it is the stream's next version.
	due
	// gap: versions before it are missing.
	gap
	// held: an earlier line of the stream could not be written.
	held
)

// ledger knows how far each stream of a partition has come. It is a pure
// account of what the topic holds and of what this run has to hold back.
type ledger struct {
	// versions is the highest version of each stream in the topic, or taken for
	// it: about 100 bytes each.
	versions map[streams.StreamID]int64
	// waiting are the streams that wait behind a failed line.
	waiting map[streams.StreamID]bool
}

func newLedger() *ledger {
	return &ledger{map[streams.StreamID]int64{}, map[streams.StreamID]bool{}}
}

// note notes a version that the topic holds, or will hold.
func (l *ledger) note(stream streams.StreamID, version int64) {
	if version > l.versions[stream] {
		l.versions[stream] = version
	}
}

// judge says what becomes of a version of a stream.
func (l *ledger) judge(stream streams.StreamID, version int64) verdict {
	highest := l.versions[stream]
	if version <= highest {
		return present
	}
	if l.waiting[stream] {
		return held
	}
	if version > highest+1 {
		return gap
	}
	return due
}

// hold holds back what follows in the stream.
func (l *ledger) hold(stream streams.StreamID) { l.waiting[stream] = true }

// forget drops what is known of the topic, not what is known of the file.
func (l *ledger) forget() { clear(l.versions) }
