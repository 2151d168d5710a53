package projection

import (
	"maps"
	"testing"
)

// projected is what workers leave of a view.
type projected struct {
	rows      map[string]map[string]string
	count     int64
	positions map[int32]int64
}

// TestOneAndThreeWorkersWriteTheSame: rows, their number and the positions, also
// of sums of floats, whose order is another one.
func TestOneAndThreeWorkersWriteTheSame(t *testing.T) {
	for _, g := range grounds {
		t.Run(g.name, func(t *testing.T) {
			var one, three []projected
			g.tell(t, paidViews, func(l *lab) { one = l.projectedBy(1) })
			g.tell(t, paidViews, func(l *lab) { three = l.projectedBy(3) })
			for i := range one {
				if !maps.Equal(one[i].positions, three[i].positions) || one[i].count != three[i].count {
					t.Errorf("positions %v and %v, rows %d and %d", one[i].positions, three[i].positions, one[i].count, three[i].count)
				}
				if !maps.EqualFunc(one[i].rows, three[i].rows, maps.Equal) {
					t.Errorf("rows %v of one worker, %v of three", one[i].rows, three[i].rows)
				}
			}
			if got := one[1].rows["c0"]["rates"]; got != "8.8" {
				t.Errorf("88 times 0.1 is %s", got)
			}
		})
	}
}

// projectedBy has so many workers project some payments.
func (l *lab) projectedBy(workers int) (views []projected) {
	l.t.Helper()
	l.pay(300)
	for p := range int32(workers) {
		if workers == 1 {
			l.start(nil)
		} else {
			l.start(func(o *Options) { o.Config.BatchMaxOps, o.Config.ColdBatchMaxOps = 7, 7 }, p)
		}
	}
	l.untilApplied()
	l.pay(50)
	l.untilApplied()
	for _, v := range l.views {
		b := l.bookkeeping(v)
		positions := map[int32]int64{}
		for p, at := range b.Positions {
			positions[p.Partition] = at.Offset
		}
		views = append(views, projected{l.rows(v), b.Rows, positions})
	}
	return views
}
