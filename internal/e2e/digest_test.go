package e2e

import (
	"strings"
	"testing"
	"time"
)

// Rules that were edited without raising the version are refused, and what
// changes no row is not: a comment, a new version of a schema.
func TestEditedRules(t *testing.T) {
	p := newPayments(t)
	p.pay(60)
	leave := func(w *Worker) {
		w.Terminate()
		if code := w.Wait(30 * time.Second); code != 0 {
			t.Errorf("the worker left with code %d", code)
		}
	}
	first := p.projector()
	first.WaitReady(time.Minute)
	p.caughtUp(30 * time.Second)

	p.configure("add: {payments: 1", "add: {payments: 2")
	refused := p.projector()
	if code := refused.Wait(30 * time.Second); code == 0 || !strings.Contains(refused.Log(), "raise") {
		t.Errorf("edited rules: code %d, and the log should say to raise the version", code)
	}
	p.pay(60)
	p.caughtUp(30 * time.Second) // by the first worker, which nobody disturbed
	leave(first)

	p.configure("on_error: stop", "on_error: stop # as ever")
	p.goesOn(leave)

	// the former schema is kept, and records of both are in the topic
	p.file("schemas/former/Paid.1.avsc", paidSchema)
	p.file("schemas/Paid.avsc", strings.Replace(paidSchema, `"fields":[`, `"fields":[{"name":"note","type":"string","default":""},`, 1))
	p.goesOn(leave)
}

// goesOn looks that a new worker takes the view on.
func (p *payments) goesOn(leave func(*Worker)) {
	p.t.Helper()
	w := p.projector()
	p.pay(60)
	w.WaitReady(time.Minute)
	p.caughtUp(30 * time.Second)
	leave(w)
}

// A process with another version of the view builds it beside the first one.
func TestOtherVersionBeside(t *testing.T) {
	p := newPayments(t)
	p.pay(60)
	first := p.projector()
	first.WaitReady(time.Minute)
	// ready is what a process says of its partitions; the view is hot, and live,
	// at the next look at all of them
	live := func() string { return p.Redis.Get(p.context(), p.Prefix+"view:order").Val() }
	Poll(t, 30*time.Second, func() (bool, string) { return live() == "1", "version 1 does not go live" })
	p.configure("version: 1", "version: 2", "add: {payments: 1", "add: {number: 1, payments: 1")
	second := p.projector()
	second.WaitReady(time.Minute)
	p.pay(60)
	p.caughtUp(30 * time.Second)
	Poll(t, 30*time.Second, func() (bool, string) {
		return p.Rows(paidView, 2)[streamIn(0)]["number"] == "2", "version 2 does not go on"
	})
	p.right(2)
	first.WaitReady(time.Second)
	if v := live(); v != "1" {
		t.Errorf("the live version is %q, want 1: nobody switched", v)
	}
}
