package worker

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// KnownBlocks returns the names of all top-level blocks that a file may have,
// sorted. Each worker reads some of them.
func KnownBlocks() []string {
	return []string{"admin", "compactor", "kafka", "projector", "redis", "saga_runner", "schemas", "topics"}
}

// Load reads a configuration. blocks are pointers to structs (or to maps) by the
// name of the block that is decoded into them; a block that is not there gets
// its defaults. Known names that are not among them are skipped. Everything
// else is a problem.
//
// The error is a [*Problems]. The file is returned with it, so that more
// problems can be added to those that were found.
func Load(name string, src []byte, blocks map[string]any, known []string) (*File, error) {
	return load(&File{Name: name, src: trimMark(src)}, blocks, known, osVariables())
}

func load(f *File, blocks map[string]any, known []string, v variables) (*File, error) {
	f.failed, f.expanded, f.tainted = map[*yaml.Node]bool{}, map[*yaml.Node]bool{}, map[*yaml.Node]bool{}
	f.explained, f.read, f.variables = map[absence]bool{}, map[string]bool{}, v
	for _, name := range sortedKeys(blocks) {
		f.names = append(f.names, secretNames(reflect.TypeOf(blocks[name]))...)
	}
	root, problems := parse(f.src)
	f.root = root
	for _, p := range problems {
		f.append(p)
	}
	if root != nil && root.Kind != yaml.MappingNode {
		f.add(root, "the file must be a mapping of blocks (%s), not %s", strings.Join(sortedKeys(blocks), ", "), kindOf(root))
		return f, f.Err()
	}
	if len(problems) > 0 {
		return f, f.Err()
	}
	d := decoder{file: f}
	f.readBlocks(&d, blocks, known)
	for _, name := range sortedKeys(blocks) {
		f.validate(name, reflect.ValueOf(blocks[name]).Elem())
	}
	return f, f.Err()
}

// readBlocks decodes the blocks that are there.
func (f *File) readBlocks(d *decoder, blocks map[string]any, known []string) {
	names := slices.Compact(slices.Sorted(slices.Values(append(sortedKeys(blocks), known...))))
	if f.root != nil {
		for i := 0; i < len(f.root.Content); i += 2 {
			f.prepareKey(f.root.Content[i])
		}
	}
	for key, value := range d.entries(f.root, "") {
		target, ours := blocks[key.Value]
		switch {
		case ours:
			f.prepare(value, f.variables)
			f.read[key.Value] = true
			d.decode(entry{key.Value, key, value}, reflect.ValueOf(target).Elem())
		case !slices.Contains(names, key.Value):
			d.unknown(f.root, key, "block", names)
		}
	}
	for _, name := range sortedKeys(blocks) {
		at := absence{f.root, name}
		target := reflect.ValueOf(blocks[name]).Elem()
		if f.Has(name) || f.explained[at] || target.Kind() != reflect.Struct {
			continue
		}
		before := len(f.problems)
		d.decode(entry{name, nil, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: 1, Column: 1}}, target)
		f.explained[at] = len(f.problems) > before
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func trimMark(src []byte) []byte {
	if len(src) >= 3 && string(src[:3]) == byteOrderMark {
		return src[3:]
	}
	return src
}
