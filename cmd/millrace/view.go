package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/millrace/millrace/streams/projection"
)

// viewFlags are the flags of the view commands.
type viewFlags struct {
	config, output string
	limit, version int
}

func (v *viewFlags) set(f *flag.FlagSet) {
	configFlag(f, &v.config)
	f.StringVar(&v.output, "o", "table", "print as `FORMAT`, table or json")
}

// rows are the flags of the commands that show rows.
func (v *viewFlags) rows(f *flag.FlagSet) {
	v.set(f)
	f.IntVar(&v.version, "version", 0, "show version `N` of the view (default the live one)")
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
		long: `Reads the row from Redis as any reader would: of the live version, or of that of
the configuration where none is live yet. Another version, which is not live yet
or no more, is shown by --version. Exits 1 if there is none.

Example:
  millrace view get --config fines.yaml fine fine-S38735
`,
		flags: flags.rows,
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			return withView(ctx, s, flags, args[0], func(v *openView) error {
				row, err := projection.GetRow(ctx, v.client, v.id, args[1])
				switch {
				case err != nil:
					return err
				case row == nil:
					return fmt.Errorf("view %s has no row %q%s", args[0], args[1], v.cold())
				case asJSON:
					return printJSON(s.out, row)
				}
				return table(s.out, nil, pairs(v.fields, row))
			})
		},
	}
}

func viewListCommand() *command {
	var flags viewFlags
	return &command{
		name: "view list", args: "VIEW", short: "Show rows of a view", min: 1, max: 1,
		long: `Lists rows of the live version, or of that of the configuration where none is
live yet, sorted by key. Another version is shown by --version. Where there are
more than the limit, which of them are shown is Redis's choice. On a terminal,
the columns that do not fit are left out; -o json has every field, those whose
name ends in @ (sort keys), too.

Example:
  millrace view list --config fines.yaml --limit 5 fines-by-article
`,
		flags: func(f *flag.FlagSet) {
			flags.rows(f)
			f.IntVar(&flags.limit, "limit", 20, "show at most `N` rows")
		},
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			if flags.limit < 1 {
				return &usageError{"--limit must be at least 1"}
			}
			return withView(ctx, s, flags, args[0], func(v *openView) error { return v.list(ctx, s, flags.limit, asJSON) })
		},
	}
}
