package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/projection"
	"github.com/millrace/millrace/streams/rules"
)

// openView is a view whose rows can be read.
type openView struct {
	client redis.UniversalClient
	id     projection.ViewID
	live   bool
	fields []string // in the order of the configuration
}

// withView opens Redis and finds the version of a view that the flags name, or
// that readers use, or the one that the configuration declares where none is live
// yet.
func withView(ctx context.Context, s *shell, flags viewFlags, view string, do func(*openView) error) error {
	var p compose.Projector
	declared, err := declaredViews(&p, flags.config)
	if err != nil {
		return err
	}
	client, err := compose.AskRedis(ctx, p.Redis)
	if err != nil {
		return err
	}
	defer client.Close()
	live, err := projection.LiveVersion(ctx, client, p.Redis.Prefix, view)
	if err != nil {
		return err
	}
	version := cmp.Or(flags.version, live)
	opened := &openView{client: client, id: projection.ViewID{Prefix: p.Redis.Prefix, View: view, Version: version}, live: version != 0}
	v, declares := declared[view]
	switch {
	case declares:
		opened.fields = v.Fields()
		opened.id.Version = cmp.Or(version, v.Version)
	case live == 0:
		return unknownView(view, declared)
	}
	if declares && flags.version == 0 && opened.id.Version != v.Version {
		fmt.Fprintf(s.err, "these are rows of version %d, which readers see; --version %d shows those of the configuration\n", live, v.Version)
	}
	return do(opened)
}

// cold says where to look when something is not there.
func (v *openView) cold() string {
	if v.live {
		return ""
	}
	return "; it was never hot yet, see millrace view status"
}

// list prints rows.
func (v *openView) list(ctx context.Context, s *shell, limit int, asJSON bool) error {
	rows, err := projection.ListRows(ctx, v.client, v.id, limit+1)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		fmt.Fprintf(s.err, "view %s has no rows%s\n", v.id.View, v.cold())
		return nil
	}
	more := len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	if asJSON {
		err = printRowsJSON(s.out, rows)
	} else {
		err = printRows(s.out, rows, v.fields, progress.Width(s.out))
	}
	if more && err == nil {
		fmt.Fprintln(s.err, "there are more rows; --limit N shows N")
	}
	return err
}

// declaredViews reads a configuration and returns its views by name.
func declaredViews(p *compose.Projector, config string) (map[string]*rules.View, error) {
	if err := p.LoadBlocks(config); err != nil {
		return nil, err
	}
	return viewsByName(p, config)
}

func viewsByName(p *compose.Projector, config string) (map[string]*rules.View, error) {
	declared := map[string]*rules.View{}
	for i := range p.Config.Views {
		v, problems := rules.Parse(&p.Config.Views[i])
		if v == nil {
			return nil, fmt.Errorf("%s:%w; millrace check %s tells all that is wrong", config, problems[0], config)
		}
		declared[v.Name] = v
	}
	return declared, nil
}

func unknownView(view string, declared map[string]*rules.View) error {
	names := slices.Sorted(maps.Keys(declared))
	if near := streams.Nearest(view, names); near != "" {
		return &usageError{fmt.Sprintf("there is no view %q; did you mean %q?", view, near)}
	}
	return &usageError{fmt.Sprintf("there is no view %q; the configuration has: %s", view, strings.Join(names, ", "))}
}
