package compaction

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/state"
)

// Replay folds the events of one source partition into a store, as a compactor
// does, and writes nothing. Not safe for concurrent use.
type Replay struct {
	fold   *Fold
	folder Folder
	events *follow.Events
	states *states
}

// Replay returns a replay of one partition of a topic that has so many.
func (f *Fold) Replay(partitions int32, store state.Store) (*Replay, error) {
	folder, err := f.folder()
	if err != nil {
		return nil, err
	}
	return &Replay{f, folder, follow.NewEvents(partitions), newStates(store)}, nil
}

// Apply applies the event of a record to the state of its stream. An error is one
// of the record, or of the store; the state is then what it was.
func (p *Replay) Apply(r *streams.Record) error {
	if err := p.events.Parse(r); err != nil {
		return err
	}
	version, err := p.events.Event.Version()
	if err != nil {
		return p.events.Error(r, err)
	}
	before, known, err := p.states.store.Get(r.Key)
	if err != nil {
		return err
	}
	after := state.Entry{Offset: r.Offset, Version: version, Gone: before.Gone, Value: before.Value}
	named := p.fold.names(p.events.Event.Type)
	switch {
	case named:
		after.Value, after.Gone, err = p.folder.Fold(before.Value, Event{&p.events.Event, r})
	case !known:
		after.Value, err = p.folder.(Beginner).Begin() // one that names events is
	}
	if err != nil {
		return p.events.Error(r, err)
	}
	if after.Gone {
		after.Value = nil
	} else if err := checkState(r.Key, after.Value); err != nil {
		return p.events.Error(r, err)
	}
	if !named {
		if err := p.events.Ignore(r); err != nil {
			return err
		}
	}
	return p.states.put(r.Key, before, known, after)
}

// maxState is what the ID and the state of a stream may have together: a record of
// Kafka has at most 1 MB by default, and headers besides.
const maxState = 1_000_000 - 1000

// checkState refuses a state that cannot be a snapshot.
func checkState(stream, value []byte) error {
	if n := len(stream) + len(value); n > maxState {
		return fmt.Errorf("its ID and state have %d bytes, a snapshot has at most %d: fold less into the state", n, maxState)
	}
	if len(value) == 0 {
		return errors.New("its fold returned no state; a stream that has ended is gone, and any other has a state")
	}
	return nil
}
