package e2e

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/streamstest"
)

// A worker is frozen with batches on their way, until another one has taken its
// partitions and finished them. Then they arrive, and it is woken.
func TestFrozenWorker(t *testing.T) {
	r := importFines(t, 100_000, smallBatches...)
	server := StartRedis(t)
	r.UseRedis(server)
	proxy := r.Proxy()
	proxy.Delay(20 * time.Millisecond)
	frozen := r.projector()
	r.RedisAddr = server.Addr()
	r.Proxy().Delay(20 * time.Millisecond)
	other := r.projector()
	Poll(t, time.Minute, func() (bool, string) {
		return frozen.applied() > 0 && other.applied() > 0, "one of the workers has nothing to do"
	})
	hears(t, proxy.Inject(streamstest.Fault{Request: "EVALSHA", Action: streamstest.FreezeRequest}), "a batch is on its way")
	frozen.Freeze()
	r.inTheMiddle("when the worker was frozen")
	r.WaitCaughtUp(5*time.Minute, r.topic, fineViews...)
	other.Kill()

	before := server.scripts()
	proxy.Thaw()
	Poll(t, 30*time.Second, func() (bool, string) { return server.scripts() > before, "nothing of the frozen worker arrives" })
	r.caughtUp(time.Second)
	frozen.Thaw()
	frozen.WaitReady(time.Minute)
	r.caughtUp(time.Minute)
}

// scripts is how many scripts the server has run.
func (r *Redis) scripts() (n int) {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.Addr()})
	defer client.Close()
	stats, err := client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		r.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(stats, "cmdstat_evalsha:calls=")
	number, _, _ := strings.Cut(rest, ",")
	if n, err = strconv.Atoi(number); err != nil {
		r.t.Fatalf("reading the number of scripts from %s: %v", stats, err)
	}
	return n
}

// A worker is told its partitions and frozen before its first script arrives,
// and woken when another one has taken over and worked. Its script, which comes
// late, fences that one; then it dies. The fenced one has to join the group
// again, or nobody would go on.
func TestFrozenBetweenAssignmentAndFirstScript(t *testing.T) {
	p := newPayments(t)
	p.pay(60)
	direct := p.RedisAddr
	proxy := p.Proxy()
	// The first script defines the view. What follows waits.
	struck := proxy.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 2, Action: streamstest.FreezeRequest})
	woken := p.projector()
	hears(t, struck, "Redis stands still for the first worker")
	p.waitMembers(1)
	woken.Freeze()
	if at := p.Positions(paidView, 1); len(at) > 0 {
		t.Errorf("the frozen worker has taken partitions over: %v", at)
	}

	p.RedisAddr = direct
	owner := p.projector()
	owner.WaitReady(time.Minute)
	p.caughtUp(time.Minute)
	before := p.epochs()
	proxy.Thaw()
	woken.Thaw()
	Poll(t, time.Minute, func() (bool, string) { return !maps.Equal(p.epochs(), before), "the woken worker fences nobody" })
	woken.Kill()

	p.pay(60)
	p.caughtUp(time.Minute)
	waitLog(owner, time.Second, "joining the group again")
}

// epochs are those of the partitions.
func (p *payments) epochs() map[string]string {
	p.t.Helper()
	epochs, err := p.Redis.HGetAll(p.context(), p.Prefix+"{order.1}:m:epoch").Result()
	if err != nil {
		p.t.Fatal(err)
	}
	return epochs
}

// waitMembers waits until the group of the view has so many members, and each
// has partitions.
func (p *payments) waitMembers(n int) {
	p.t.Helper()
	Poll(p.t, time.Minute, func() (bool, string) {
		groups, err := p.Admin.DescribeGroups(p.context())
		if err != nil {
			return false, err.Error()
		}
		for name, g := range groups {
			if !strings.Contains(name, p.ID) {
				continue
			}
			with := 0
			for _, m := range g.Members {
				if a, ok := m.Assigned.AsConsumer(); ok && len(a.Topics) > 0 {
					with++
				}
			}
			if with == n && len(g.Members) == n {
				return true, ""
			}
		}
		return false, "the group has no such members"
	})
}
