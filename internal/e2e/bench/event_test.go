package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/streams/avro"
)

// TestEventsAreWhatTheCodecReads: the generator encodes by hand, to be fast.
func TestEventsAreWhatTheCodecReads(t *testing.T) {
	prefix, err := framing()
	if err != nil {
		t.Fatal(err)
	}
	codec, err := avro.OpenFolder(filepath.Join(folder(), "schemas"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := codec.JSONWriter("OrderPlaced")
	if err != nil {
		t.Fatal(err)
	}
	g := newGenerator(1, 10, prefix)
	size := 0
	for range 300 {
		_, value := g.next()
		size += len(value)
		_, data, err := codec.Decode(value)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.EncodeJSON(nil, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if mean := size / 300; mean < 180 || mean > 230 {
		t.Errorf("an event has %d bytes", mean)
	}
}
