package rules

// form is what a rule may have, which depends on what it is a rule of.
type form struct {
	name string   // of such a rule
	keys []string // that it has, conditions first
	ops  string   // of the keys, those that change something
	// refused says why other rules' keys are not among them.
	refused map[string]string
}

var viewRules = &form{
	name: "a rule",
	keys: []string{"when", "key", "set", "unset", "add", "min", "max", "latest", "delete"},
	ops:  "set, unset, add, min, max, latest or delete",
	refused: map[string]string{
		"collect": "collect is not supported yet",
		"remove":  "remove is not supported yet",
	},
}

var foldRules = &form{
	name: "a rule of a fold",
	keys: []string{"when", "set", "unset", "add", "min", "max", "delete"},
	ops:  "set, unset, add, min, max or delete",
	refused: map[string]string{
		"key":    "a rule of a fold has no key: there is one state for each stream",
		"latest": "a rule of a fold has no latest: the events of a stream come in order; use set, or max of time",
	},
}

var snapshotRule = &form{
	name: "snapshot",
	keys: []string{"when", "key", "set"},
	ops:  "set",
	refused: func() map[string]string {
		const why = ": a snapshot gives the whole row, so its rule has only set, which writes fields of add, min and max, too"
		refused := map[string]string{}
		for _, key := range []string{"unset", "add", "min", "max", "latest", "delete"} {
			refused[key] = "snapshot has no " + key + why
		}
		return refused
	}(),
}
