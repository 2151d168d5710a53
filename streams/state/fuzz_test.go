package state

import "testing"

// FuzzStore does what a script says to a store with a bad hash and to a map: each
// four bytes are a change, a key and a size.
func FuzzStore(f *testing.F) {
	for n := range 8 {
		f.Add(noise[n<<10:][:64<<n])
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		m, model := withBadHash(masks["four tables"]), map[string]Entry{}
		for ; len(script) >= 4; script = script[4:] {
			change, key := script[0], string(script[1:2])
			size := int(script[2])<<8 | int(script[3])
			e := Entry{Offset: int64(size), Version: -int64(change), Gone: change&8 > 0, Value: noise[change:][:size>>(change>>4)]}
			switch {
			case change&7 == 0:
				m.Reset()
				clear(model)
			case change&7 < 3:
				m.Delete([]byte(key))
				delete(model, key)
			default:
				m.Put([]byte(key), e)
				model[key] = e
			}
		}
		for key, want := range model {
			if got, ok, err := m.Get([]byte(key)); !ok || err != nil || !equal(got, want) {
				t.Fatalf("entry of %q: %+v, %v, %v, want %+v", key, got, ok, err, want)
			}
		}
		if m.Len() != len(model) {
			t.Fatalf("%d entries, want %d", m.Len(), len(model))
		}
		checkStructure(t, m)
	})
}
