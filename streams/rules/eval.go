package rules

import (
	"github.com/millrace/millrace/streams"
)

// Event is the compiled rules of one event type. It is safe for concurrent use.
type Event struct {
	// Type is the event type.
	Type string
	// Paths are the paths of the data that the rules read. Slot k of an
	// [Evaluator] holds path k; behind them stand MetaCount slots, one for each
	// [Meta].
	Paths []string
	// Needs is the set of Metas that the rules, or the ops that they use, read:
	// bit 1<<MetaTime and so on. The slots of others are not looked at.
	Needs uint16

	rules []linkedRule
	state int // how many slots of a state stand before those of the paths
	cells int
}

// linkedRule is a rule, ready to run.
type linkedRule struct {
	when    fn[bool] // nil: always
	key     rowKey   // without text in a fold
	remove  bool
	whole   bool // it makes a row anew, from a snapshot
	changes []linkedChange
}

// Evaluator evaluates the rules of one event type. It is not safe for concurrent
// use: each goroutine has its own.
type Evaluator struct {
	event *Event
	env   env
	slots []streams.Slot
	ready []Step   // one for each rule, with all that does not depend on the event
	steps []Step   // those of the last event
	given []Change // by the last snapshot
}

// NewEvaluator returns an evaluator of the event type.
func (e *Event) NewEvaluator() *Evaluator {
	v := &Evaluator{
		event: e,
		slots: make([]streams.Slot, e.state+len(e.Paths)+int(MetaCount)),
		ready: make([]Step, len(e.rules)),
		steps: make([]Step, 0, len(e.rules)),
	}
	data := e.state + len(e.Paths)
	v.env.data, v.env.metas = v.slots[:data], v.slots[data:]
	v.env.chosen = make([]bool, e.cells)
	for i, r := range e.rules {
		changes := make([]Change, len(r.changes))
		for k, ch := range r.changes {
			changes[k] = ch.change
		}
		v.ready[i] = Step{Delete: r.remove, Changes: changes, rule: i}
	}
	return v
}

// Slots returns the slots that the caller fills before each Eval: those of the
// paths, and the Metas that the event needs.
func (v *Evaluator) Slots() []streams.Slot { return v.slots[v.event.state:] }

// Eval evaluates all rules for the event in the slots and returns a step for each
// one whose condition holds, in their order. The error is an [*EvalError]; there
// are no steps then.
//
// The steps must not be written to. They and their texts are valid until the
// next Eval, and as long as what the slots refer to.
func (v *Evaluator) Eval() ([]Step, error) {
	v.env.reset()
	v.steps = v.steps[:0]
	for i := range v.event.rules {
		r := &v.event.rules[i]
		holds := r.when == nil || r.when(&v.env)
		if !holds && !r.whole {
			continue
		}
		step := &v.ready[i]
		if r.key.text != nil {
			step.Key = r.key.eval(&v.env)
		}
		for k := 0; holds && k < len(r.changes); k++ {
			r.changes[k].eval(&v.env, &step.Changes[k])
		}
		v.steps = append(v.steps, *step)
		if r.whole {
			v.steps[len(v.steps)-1].Changes = v.present(step.Changes, holds)
		}
		if v.env.err != nil {
			return nil, v.env.err
		}
	}
	return v.steps, nil
}

// present returns the changes that give a field of a row that is made anew a value;
// none where there is to be no row.
func (v *Evaluator) present(changes []Change, row bool) []Change {
	v.given = v.given[:0]
	for _, ch := range changes {
		if row && ch.Op != OpUnset {
			v.given = append(v.given, ch)
		}
	}
	return v.given
}

// Forget drops what the last event left in the slots and the steps: views into
// its bytes, which would keep the whole buffer that it was fetched in alive until
// the next event of the type. Steps of before are not valid any more.
func (v *Evaluator) Forget() {
	clear(v.slots)
	clear(v.steps[:cap(v.steps)])
	clear(v.given[:cap(v.given)])
	clear(v.env.parts[:cap(v.env.parts)])
	for i := range v.ready {
		step := &v.ready[i]
		step.Key = ""
		for k := range step.Changes {
			if v.event.rules[i].changes[k].put != nil { // else it is a constant
				step.Changes[k].Value = Value{}
			}
		}
	}
}

// eval returns the row key.
func (k *rowKey) eval(e *env) string {
	key := k.text(e)
	if key == "" {
		e.fail(k.at, ErrKey)
	}
	return key
}

// eval writes what depends on the event.
func (l *linkedChange) eval(e *env, ch *Change) {
	if l.null != nil {
		if l.null(e) {
			ch.Op = OpUnset
			return
		}
		ch.Op = l.change.Op
	}
	if l.put != nil {
		l.put(e, &ch.Value)
	}
}
