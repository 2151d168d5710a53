package compaction

import (
	"bytes"
	"fmt"
	"reflect"
)

// header is the length of what says which schema a value was written with: the
// first bytes of a single-object encoding.
const header = 10

// comparer is a folder that knows which states say the same in other bytes.
type comparer interface {
	same(a, b []byte) (bool, error)
}

// Same says whether two states of the fold are the same. Those of rules are compared
// by their bytes or, where they are of two versions of the schema, by what rules
// write: with one digest the other fields hold the same. Those of a [Typed] are
// compared as structs, and any others by their bytes.
func (p *Replay) Same(a, b []byte) (bool, error) {
	folder, ok := p.folder.(comparer)
	if len(a) < header || len(b) < header || bytes.Equal(a, b) || !ok {
		return bytes.Equal(a, b), nil
	}
	return folder.same(a, b)
}

func (f *ruleFolder) same(a, b []byte) (bool, error) {
	if bytes.Equal(a[:header], b[:header]) {
		return false, nil
	}
	a, err := f.renew(a)
	if err != nil {
		return false, err
	}
	b, err = f.renew(b)
	return bytes.Equal(a, b), err
}

// renew writes a state with the newest version of its schema.
func (f *ruleFolder) renew(state []byte) ([]byte, error) {
	if err := f.reader.Read(state, f.state); err != nil {
		return nil, fmt.Errorf("reading a state: %w", err)
	}
	return f.writer.Write(nil, f.state)
}

// same reads both, for a map is written in any order.
func (f *typedFolder[S]) same(a, b []byte) (bool, error) {
	x, err := f.states.Decode(a)
	if err != nil {
		return false, fmt.Errorf("reading a state: %w", err)
	}
	y, err := f.states.Decode(b)
	if err != nil {
		return false, fmt.Errorf("reading a state: %w", err)
	}
	return reflect.DeepEqual(x, y), nil
}
