package importer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams/avro"
)

func TestInfer(t *testing.T) {
	file := writeFile(t,
		`{"stream":"a","version":1,"type":"FineCreated","time":"2000-01-01T00:00:00Z","data":{"amount":1.5,"first name":"x"}}`,
		`no event`,
		`{"stream":"a","version":2,"type":"FineSent","time":"2000-01-01T00:00:00Z","data":{"expense":1}}`,
	)
	folder := filepath.Join(t.TempDir(), "schemas")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	own := []byte(`{"type":"record","name":"FineSent","fields":[{"name":"expense","type":"long"}]}`)
	if err := os.WriteFile(filepath.Join(folder, "FineSent.avsc"), own, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Infer(t.Context(), file, folder)
	if err != nil {
		t.Fatal(err)
	}
	if got.Lines != 3 || got.Failed != 1 || !slices.Equal(got.Written, []string{"FineCreated.avsc"}) || !slices.Equal(got.Kept, []string{"FineSent.avsc"}) {
		t.Errorf("Infer: %+v", got)
	}
	if b, err := os.ReadFile(filepath.Join(folder, "FineSent.avsc")); err != nil || !bytes.Equal(b, own) {
		t.Errorf("the schema that was there: %s, %v", b, err)
	}
	text := got.String()
	for _, want := range []string{"3 lines read, 1 schemas written, 1 kept", "FineSent.avsc: kept as it is", `"first name"`, "1 lines are no events"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	codec, err := avro.OpenFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	w, err := codec.JSONWriter("FineCreated")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.EncodeJSON(nil, json.RawMessage(`{"amount":2.5,"first name":"y"}`)); err != nil {
		t.Error(err)
	}
}

func TestInferReadsNoStdin(t *testing.T) {
	if _, err := Infer(t.Context(), Stdin, t.TempDir()); err == nil {
		t.Error("no error")
	}
}
