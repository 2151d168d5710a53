package worker

import (
	"io"
	"log/slog"
	"reflect"

	"github.com/millrace/millrace/streams"
)

// Keys of the attributes that this package logs.
const (
	KeyError  = "error"
	KeySignal = "signal"
	KeyGrace  = "grace"
	KeyAddr   = "addr"
	KeyWorker = "worker"
)

// newLogger returns a logger that writes "text" or "json".
func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redactAttr}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// redactAttr replaces a value that could hold a secret where no method of the
// secret is asked: in a field that is not exported, for instance. Errors are
// logged by their own text.
func redactAttr(_ []string, a slog.Attr) slog.Attr {
	if _, isError := a.Value.Any().(error); isError || a.Value.Kind() != slog.KindAny || a.Value.Any() == nil {
		return a
	}
	if holdsSecret(reflect.TypeOf(a.Value.Any()), map[reflect.Type]bool{}) {
		a.Value = slog.StringValue(streams.Redacted)
	}
	return a
}

func holdsSecret(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == secretType || seen[t] {
		return t == secretType
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsSecret(t.Elem(), seen)
	case reflect.Map:
		return holdsSecret(t.Key(), seen) || holdsSecret(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsSecret(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}
