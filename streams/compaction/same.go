package compaction

import (
	"bytes"
	"fmt"
)

// header is the length of what says which schema a value was written with: the
// first bytes of a single-object encoding.
const header = 10

// Same says whether two states are the same: two of one schema by their bytes, two
// of different versions of it by what rules write.
func (p *Replay) Same(a, b []byte) (bool, error) {
	folder, ok := p.folder.(*ruleFolder)
	if len(a) < header || len(b) < header || bytes.Equal(a[:header], b[:header]) || !ok {
		return bytes.Equal(a, b), nil
	}
	a, err := folder.renew(a)
	if err != nil {
		return false, err
	}
	b, err = folder.renew(b)
	return bytes.Equal(a, b), err
}

// renew writes a state with the newest version of its schema.
func (f *ruleFolder) renew(state []byte) ([]byte, error) {
	if err := f.reader.Read(state, f.state); err != nil {
		return nil, fmt.Errorf("reading a state: %w", err)
	}
	return f.writer.Write(nil, f.state)
}
