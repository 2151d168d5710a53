package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/projection"
	"github.com/millrace/millrace/streams/rules"
)

// viewFlags are the flags of the view commands.
type viewFlags struct {
	config, output string
	limit          int
}

func (v *viewFlags) set(f *flag.FlagSet) {
	configFlag(f, &v.config)
	f.StringVar(&v.output, "o", "table", "print a table, or `json`")
}

func (v *viewFlags) json() (bool, error) {
	if v.output != "table" && v.output != "json" {
		return false, &usageError{fmt.Sprintf("-o is %q; it must be table or json", v.output)}
	}
	return v.output == "json", nil
}

func viewGetCommand() *command {
	var flags viewFlags
	return &command{
		name: "view get", args: "VIEW KEY", short: "Show one row of a view", min: 2, max: 2,
		long: `Reads the row from Redis as any reader would. Exits 1 if there is none.

Example:
  millrace view get --config fines.yaml fine fine-S38735
`,
		flags: flags.set,
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			return withView(ctx, flags.config, args[0], func(client redis.UniversalClient, id projection.ViewID) error {
				row, err := projection.GetRow(ctx, client, id, args[1])
				if err != nil {
					return err
				}
				if row == nil {
					return fmt.Errorf("view %s has no row %q", id, args[1])
				}
				if asJSON {
					return printJSON(s.out, row)
				}
				return table(s.out, nil, pairs(row))
			})
		},
	}
}

func viewListCommand() *command {
	var flags viewFlags
	return &command{
		name: "view list", args: "VIEW", short: "Show rows of a view", min: 1, max: 1,
		long: `Lists rows, sorted by key. Where there are more than the limit, which of them
are shown is Redis's choice.

Example:
  millrace view list --config fines.yaml --limit 5 fines-by-article
`,
		flags: func(f *flag.FlagSet) {
			flags.set(f)
			f.IntVar(&flags.limit, "limit", 20, "show at most `N` rows")
		},
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			return withView(ctx, flags.config, args[0], func(client redis.UniversalClient, id projection.ViewID) error {
				rows, err := projection.ListRows(ctx, client, id, flags.limit)
				if err != nil {
					return err
				}
				if asJSON {
					return printRowsJSON(s.out, rows)
				}
				return printRows(s.out, rows)
			})
		},
	}
}

// withView opens Redis and finds the version of a view that readers use, or the
// one that the configuration declares where none is live yet.
func withView(ctx context.Context, config, view string, do func(redis.UniversalClient, projection.ViewID) error) error {
	var p compose.Projector
	if err := p.LoadBlocks(config); err != nil {
		return err
	}
	declared, err := declaredViews(&p)
	if err != nil {
		return err
	}
	client, err := projection.OpenRedis(p.Redis)
	if err != nil {
		return err
	}
	defer client.Close()
	version, err := projection.LiveVersion(ctx, client, p.Redis.Prefix, view)
	if err != nil {
		return err
	}
	if version == 0 {
		version = declared[view]
	}
	if version == 0 {
		return unknownView(view, declared)
	}
	return do(client, projection.ViewID{Prefix: p.Redis.Prefix, View: view, Version: version})
}

func unknownView(view string, declared map[string]int) error {
	names := slices.Sorted(maps.Keys(declared))
	if near := streams.Nearest(view, names); near != "" {
		return fmt.Errorf("there is no view %q; did you mean %q?", view, near)
	}
	return fmt.Errorf("there is no view %q; the configuration has: %s", view, cmp.Or(strings.Join(names, ", "), "none"))
}

// declaredViews returns the versions of the views of a configuration by name.
func declaredViews(p *compose.Projector) (map[string]int, error) {
	declared := map[string]int{}
	for i := range p.Config.Views {
		v, problems := rules.Parse(&p.Config.Views[i])
		if v == nil {
			return nil, problems[0]
		}
		declared[v.Name] = v.Version
	}
	return declared, nil
}

// printRows prints rows as a table with a column for each field that any of them
// has.
func printRows(out io.Writer, rows []projection.Row) error {
	fields := map[string]bool{}
	for _, r := range rows {
		for f := range r.Fields {
			if !strings.HasSuffix(f, "@") {
				fields[f] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	header := append([]string{"KEY"}, names...)
	var lines [][]string
	for _, r := range rows {
		line := []string{r.Key}
		for _, n := range names {
			line = append(line, r.Fields[n])
		}
		lines = append(lines, line)
	}
	return table(out, header, lines)
}

func printRowsJSON(out io.Writer, rows []projection.Row) error {
	for _, r := range rows {
		if err := printJSON(out, map[string]any{"key": r.Key, "fields": r.Fields}); err != nil {
			return err
		}
	}
	return nil
}

func pairs(row map[string]string) (lines [][]string) {
	for _, k := range slices.Sorted(maps.Keys(row)) {
		if !strings.HasSuffix(k, "@") {
			lines = append(lines, []string{k, row[k]})
		}
	}
	return lines
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints lines in columns, without control characters of the data.
func table(out io.Writer, header []string, lines [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
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

// printable keeps the text of an event from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}
