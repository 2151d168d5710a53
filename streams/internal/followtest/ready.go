package followtest

import (
	"strings"
	"testing"
	"time"
)

// Worker says what keeps it from being ready.
type Worker interface {
	NotReady() []string
}

// Link is what a worker reaches Kafka by.
type Link interface {
	Down()
	Up()
}

// LosesKafka takes Kafka away from a worker that is hot and idle, and gives it back.
// It says so all the time, by the name of its fold or view.
func LosesKafka(t *testing.T, w Worker, kafka Link, name string) {
	t.Helper()
	time.Sleep(time.Minute)
	ready(t, w, "idle")
	kafka.Down()
	time.Sleep(10 * time.Second)
	for range 120 {
		if why := strings.Join(w.NotReady(), "\n"); !strings.HasPrefix(why, name+": kafka does not answer the reader: ") {
			t.Fatalf("not ready: %q", why)
		}
		time.Sleep(time.Second)
	}
	kafka.Up()
	time.Sleep(10 * time.Second)
	ready(t, w, "Kafka is back")
}

// LosesGroup takes the group away from a worker, and gives it back.
func (a *Losing) LosesGroup(t *testing.T, w Worker, name string) {
	t.Helper()
	close(a.gone)
	time.Sleep(time.Minute)
	if why := strings.Join(w.NotReady(), "\n"); why != name+": the group is away\n"+name+": not assigned yet" {
		t.Errorf("not ready: %q", why)
	}
	close(a.back)
	time.Sleep(time.Minute)
	ready(t, w, "a member without partitions")
}

func ready(t *testing.T, w Worker, when string) {
	t.Helper()
	if why := w.NotReady(); len(why) > 0 {
		t.Errorf("%s, and not ready: %q", when, why)
	}
}
