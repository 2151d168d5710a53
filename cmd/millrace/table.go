package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/millrace/millrace/streams/projection"
)

// columnGap stands between two columns.
const columnGap = 2

// table prints lines in columns, without control characters of the data.
func table(out io.Writer, header []string, lines [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, columnGap, ' ', 0)
	if header != nil {
		lines = append([][]string{header}, lines...)
	}
	var errs []error
	for _, line := range lines {
		cells := make([]string, len(line))
		for i, c := range line {
			cells[i] = printable(c)
		}
		_, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
		errs = append(errs, err)
	}
	return errors.Join(append(errs, w.Flush())...)
}

// printRows prints rows as a table with a column for each field that any of them
// has: first those named, in their order. Columns that exceed the width are left
// out, and named; a width of 0 has no limit.
func printRows(out io.Writer, rows []projection.Row, order []string, width int) error {
	fields := fieldsOf(rows, order)
	header := append([]string{"KEY"}, fields...)
	lines := make([][]string, 0, len(rows))
	for _, r := range rows {
		line := []string{r.Key}
		for _, f := range fields {
			line = append(line, r.Fields[f])
		}
		lines = append(lines, line)
	}
	n := fitting(append([][]string{header}, lines...), width)
	for i := range lines {
		lines[i] = lines[i][:n]
	}
	if err := table(out, header[:n], lines); err != nil || n == len(header) {
		return err
	}
	_, err := fmt.Fprintf(out, "without %s: view get and -o json show every field\n", strings.Join(header[n:], ", "))
	return err
}

// fieldsOf returns the fields that any row has. Sort keys are left out: they are
// for the projector.
func fieldsOf(rows []projection.Row, order []string) []string {
	found := map[string]bool{}
	for _, r := range rows {
		for f := range r.Fields {
			if !isSortKey(f) {
				found[f] = true
			}
		}
	}
	var fields []string
	for _, f := range order {
		if found[f] {
			fields = append(fields, f)
			delete(found, f)
		}
	}
	return append(fields, slices.Sorted(maps.Keys(found))...)
}

func isSortKey(field string) bool { return strings.HasSuffix(field, "@") }

// fitting returns how many columns fit the width, at least two.
func fitting(lines [][]string, width int) int {
	columns, used := len(lines[0]), 0
	for c := range columns {
		widest := 0
		for _, line := range lines {
			widest = max(widest, utf8.RuneCountInString(line[c]))
		}
		if used += widest; width > 0 && used > width && c >= 2 {
			return c
		}
		used += columnGap
	}
	return columns
}

func printRowsJSON(out io.Writer, rows []projection.Row) error {
	for _, r := range rows {
		if err := printJSON(out, map[string]any{"key": r.Key, "fields": r.Fields}); err != nil {
			return err
		}
	}
	return nil
}

// pairs is a row with a line for each field.
func pairs(order []string, row map[string]string) (lines [][]string) {
	for _, f := range fieldsOf([]projection.Row{{Fields: row}}, order) {
		lines = append(lines, []string{f, row[f]})
	}
	return lines
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
