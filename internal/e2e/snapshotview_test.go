package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/e2e/fines"
)

// viewLoaded has the fields of the state of a fine, and begins with the states.
const (
	viewLoaded = "fine-loaded"
	loadedYAML = `    - name: fine-loaded
      version: 1
      topics: [fines]
      from: snapshots
      key: "=stream"
      on_error: stop
      snapshot:
        set:
          status: "=state.status"
          article: "=state.article"
          vehicle_class: "=state.vehicle_class"
          created: "=state.created"
          amount: "=state.amount"
          expense: "=state.expense"
          penalties: "=state.penalties"
          payments: "=state.payments"
          paid: "=state.paid"
      on:
        FineCreated:
          set:
            status: created
            amount: "=data.amount"
            article: "=data.article"
            vehicle_class: "=data.vehicle_class"
            created: "=string(time)"
        FineSent:
          set: {status: sent}
          add: {expense: "=data.expense"}
        FineNotified:
          set: {status: notified}
        PenaltyAdded:
          set: {status: penalised, amount: "=data.amount"}
          add: {penalties: 1}
        PaymentReceived:
          set: {status: paid}
          add: {payments: 1, paid: "=data.payment_amount"}
        SentForCreditCollection:
          set: {status: collection}
        AppealToPrefectureFiled:
          set: {status: appealed}
        AppealSentToPrefecture:
          set: {status: at prefecture}
        PrefectureResultReceived:
          set: {status: decided}
        AppealResultNotified:
          set: {status: decision notified}
        AppealedToJudge:
          set: {status: at court}

`
)

// TestViewFromSnapshots: half of the fines is in snapshots when the view begins.
// Its workers are killed while they load, and again and again; then the other half
// comes. Every row is that of an independent computation from all events.
func TestViewFromSnapshots(t *testing.T) {
	r := newFines(t, 0)
	r.onlyView(loadedYAML)
	r.edit("topics: [fines]", "topics: ["+r.topic+"]")
	r.edit("topic: fines\n", "topic: "+r.topic+"\n")
	r.edit("kafka:\n", "kafka:\n  instance_id: one\n")                                        // who is killed and comes back has its partitions at once
	r.edit("projector:\n", "projector:\n  batch_max_ops: 1000\n  cold_batch_max_ops: 1000\n") // many steps
	all := r.log
	r.log = headOfLog(t, 300_000)
	r.importer().ended(0)
	r.log = all
	r.stateSchema()
	compactor := r.compactor()
	compactor.WaitReady(time.Minute)

	proxy := r.Proxy()
	proxy.Delay(50 * time.Millisecond) // so that a load takes a while
	within := map[string]bool{}
	for range 12 {
		w := r.projector()
		Poll(t, time.Minute, func() (bool, string) {
			return r.progressed(within), "no worker gets on with its load"
		})
		w.Kill()
	}
	t.Logf("killed within %d loads", len(within))
	proxy.Delay(0)
	w := r.projector()
	w.WaitReady(5 * time.Minute)
	r.importer().ended(0)
	r.visible(r.topic)
	r.WaitCaughtUp(time.Minute, r.topic, viewLoaded)
	want := map[string]fines.Row{}
	for stream, row := range r.want.Views[fines.ViewFine] {
		want[stream] = loadedRow(row)
	}
	if diff := fines.Diff(want, r.Rows(viewLoaded, 1)); diff != "" {
		t.Errorf("view %s:\n%s", viewLoaded, diff)
	}
	if count := r.Redis.Get(r.context(), r.Prefix+"{"+viewLoaded+".1}:m:rows").Val(); count != itoa(len(want)) {
		t.Errorf("the view counts %s rows, want %d", count, len(want))
	}
}

// progressed says whether a partition is within its load, at a place that was not
// seen before, and notes all that are.
func (r *fineRun) progressed(seen map[string]bool) (more bool) {
	for p, position := range r.Redis.HGetAll(r.context(), r.Prefix+"{"+viewLoaded+".1}:m:pos").Val() {
		if at := p + " " + position; strings.HasPrefix(position, "load:") && position != "load:0:-:-" && !seen[at] {
			seen[at], more = true, true
		}
	}
	return more
}

// onlyView puts a view in the place of those of the example.
func (r *fineRun) onlyView(view string) {
	r.t.Helper()
	text, err := os.ReadFile(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	before, views, _ := strings.Cut(string(text), "  views:\n")
	_, compactor, ok := strings.Cut(views, "\ncompactor:\n")
	if !ok {
		r.t.Fatalf("%s has no compactor behind its views", r.config)
	}
	if err := os.WriteFile(r.config, []byte(before+"  views:\n"+view+"compactor:\n"+compactor), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// stateSchema puts the schema of the states beside those that were inferred.
func (r *fineRun) stateSchema() {
	r.t.Helper()
	schema, err := os.ReadFile(filepath.Join(Root(r.t), "schemas", "fines", "FineState.avsc"))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("MILLRACE_SCHEMAS"), "FineState.avsc"), schema, 0o600); err != nil {
		r.t.Fatal(err)
	}
}
