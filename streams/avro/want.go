package avro

import "strings"

// want is the tree of the paths that are wanted; a leaf names its slot.
type want struct {
	fields map[string]*want
	slot   int
	leaf   bool
}

// wants returns the tree of paths. Of a path that comes twice, the first is the
// one that is read.
func wants(paths []string) *want {
	root := &want{}
	for slot, path := range paths {
		w := root
		for name := range strings.SplitSeq(path, ".") {
			if w.fields == nil {
				w.fields = map[string]*want{}
			}
			if w.fields[name] == nil {
				w.fields[name] = &want{}
			}
			w = w.fields[name]
		}
		if !w.leaf {
			w.leaf, w.slot = true, slot
		}
	}
	return root
}

// each calls f for every slot below.
func (w *want) each(f func(slot int)) {
	if w.leaf {
		f(w.slot)
	}
	for _, sub := range w.fields {
		sub.each(f)
	}
}
