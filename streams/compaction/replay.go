package compaction

import (
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
	if named || !known {
		after.Value, after.Gone, err = p.folder.Fold(before.Value, Event{&p.events.Event, r})
		if err != nil {
			return p.events.Error(r, err)
		}
		if after.Gone {
			after.Value = nil
		}
	}
	if !named {
		if err := p.events.Ignore(r); err != nil {
			return err
		}
	}
	return p.states.put(r.Key, before, known, after)
}
