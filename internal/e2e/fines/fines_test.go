package fines

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
)

// counts is what the authors of the log say of it.
var counts = map[string]int{
	"FineCreated":              150_370,
	"FineSent":                 103_987,
	"FineNotified":             79_860,
	"PenaltyAdded":             79_860,
	"PaymentReceived":          77_601,
	"SentForCreditCollection":  59_013,
	"AppealToPrefectureFiled":  4_188,
	"AppealSentToPrefecture":   4_141,
	"PrefectureResultReceived": 999,
	"AppealResultNotified":     896,
	"AppealedToJudge":          555,
}

// figures were computed by other means than this package, in another language.
var figures = []struct {
	view, key string
	row       Row
}{
	{ViewArticles, "7", Row{"fines": "42849", "amount": "1348971.06", "free": "7"}},
	{ViewArticles, "157", Row{"fines": "68074", "amount": "2363890.9"}},
	{ViewArticles, "158", Row{"fines": "26990", "amount": "1422541.76"}},
	{ViewMonths, "2000-01", Row{"payments": "142", "paid": "4882.35", "largest": "62.59"}},
	{ViewMonths, "2008-06", Row{"payments": "453", "paid": "17665.3", "largest": "150"}},
}

func TestWholeLog(t *testing.T) {
	if raceEnabled {
		t.Skip("half a million lines, and nothing that runs side by side")
	}
	log, err := Open()
	if errors.Is(err, ErrNoLog) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	got, err := Expect(log)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got.Types, counts) {
		t.Errorf("events by type: %v, want %v", got.Types, counts)
	}
	if got.Events != 561_470 {
		t.Errorf("%d events, want 561470", got.Events)
	}
	for view, want := range map[string]int{ViewFine: 150_370, ViewArticles: 66, ViewMonths: 162} {
		if n := len(got.Views[view]); n != want {
			t.Errorf("view %s has %d rows, want %d", view, n, want)
		}
	}
	for _, c := range figures {
		if row := got.Views[c.view][c.key]; !maps.Equal(row, c.row) {
			t.Errorf("row %s of view %s is %v, want %v", c.key, c.view, row, c.row)
		}
	}
}

const sample = `{"stream":"fine-A","version":1,"type":"FineCreated","time":"2000-01-31T00:00:00+01:00","data":{"amount":35.0,"article":157,"vehicle_class":"A"}}
{"stream":"fine-A","version":2,"type":"FineSent","time":"2000-02-01T00:00:00+01:00","data":{"expense":0.0}}
{"stream":"fine-B","version":1,"type":"FineCreated","time":"2000-02-02T00:00:00+01:00","data":{"amount":0.0,"article":157,"vehicle_class":"C"}}
{"stream":"fine-A","version":3,"type":"FineNotified","time":"2000-04-01T00:00:00+02:00","data":{"notification_type":"P","last_sent":"N"}}
{"stream":"fine-A","version":4,"type":"PenaltyAdded","time":"2000-06-01T00:00:00+02:00","data":{"amount":71.5}}
{"stream":"fine-A","version":5,"type":"PaymentReceived","time":"2000-07-01T00:00:00+02:00","data":{"total_payment_amount":31.3,"payment_amount":31.3}}
{"stream":"fine-A","version":6,"type":"PaymentReceived","time":"2000-07-31T00:00:00+02:00","data":{"total_payment_amount":71.5,"payment_amount":40.20}}
`

func TestExpect(t *testing.T) {
	got, err := Expect(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]Row{
		ViewFine: {
			"fine-A": {
				"status": "paid", "amount": "71.5", "article": "157", "vehicle_class": "A", "expense": "0",
				"last_sent": "N", "penalties": "1", "payments": "2", "paid": "71.5",
				"created": "2000-01-31T00:00:00+01:00", "sent": "2000-02-01T00:00:00+01:00",
				"notified": "2000-04-01T00:00:00+02:00", "penalised": "2000-06-01T00:00:00+02:00",
				"last_payment": "2000-07-31T00:00:00+02:00",
			},
			"fine-B": {
				"status": "created", "amount": "0", "article": "157", "vehicle_class": "C",
				"created": "2000-02-02T00:00:00+01:00",
			},
		},
		ViewArticles: {"157": {"fines": "2", "amount": "35", "free": "1"}},
		ViewMonths:   {"2000-07": {"payments": "2", "paid": "71.5", "largest": "40.2"}},
	}
	for view, rows := range want {
		if diff := Diff(rows, got.Views[view]); diff != "" {
			t.Errorf("view %s:\n%s", view, diff)
		}
	}
}

// What an oracle has told is as it was after later events.
func TestOracleTellsAFineAfterEachEvent(t *testing.T) {
	o := NewOracle()
	var rows []Row
	var versions []int64
	err := Read(strings.NewReader(sample), func(e Event) error {
		err := o.Add(e)
		row, version := o.Fine("fine-A")
		rows, versions = append(rows, row), append(versions, version)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&got, "%d %s %s %s\n", versions[i], row["status"], row["amount"], row["paid"])
	}
	const want = "1 created 35 \n2 sent 35 \n2 sent 35 \n3 notified 35 \n4 penalised 71.5 \n5 paid 71.5 31.3\n6 paid 71.5 71.5\n"
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if row, version := o.Fine("fine-C"); row != nil || version != 0 {
		t.Errorf("a fine without events is %v, version %d", row, version)
	}
}

func TestExpectNamesTheLine(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"stream":`, "line 1: unexpected end"},
		{`{"stream":"fine-A","version":1,"type":"FineEaten","time":"2000-01-31T00:00:00+01:00","data":{}}`, `line 1: no view knows the type "FineEaten"`},
		{`{"stream":"fine-A","version":1,"type":"FineSent","time":"2000-01-31T00:00:00+01:00","data":{}}`, `line 1: "" is not a number`},
	} {
		if _, err := Expect(strings.NewReader(c.line)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.line, err, c.want)
		}
	}
}

func TestDiff(t *testing.T) {
	want := map[string]Row{"a": {"n": "1", "m": "2"}, "b": {"n": "1"}, "d": {"n": "5"}}
	got := map[string]Row{"a": {"n": "1.0", "k": "2"}, "c": {"n": "1"}, "d": {"n": "5"}}
	const text = `row "a": field k should not exist: "2"
row "a": field m is missing, want "2"
row "a": field n is "1.0", want "1"
row "b" is missing
row "c" should not exist: map[n:1]`
	if diff := Diff(want, got); diff != text {
		t.Errorf("got\n%s\nwant\n%s", diff, text)
	}
}

func TestRepeatKeepsStreamsApart(t *testing.T) {
	var out strings.Builder
	err := Repeat(&out, 3, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(sample)), nil })
	if err != nil {
		t.Fatal(err)
	}
	got, err := Expect(strings.NewReader(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Events != 21 || len(got.Views[ViewFine]) != 6 {
		t.Errorf("%d events in %d streams, want 21 in 6", got.Events, len(got.Views[ViewFine]))
	}
	once := got.Views[ViewFine]["fine-A"]
	if again := got.Views[ViewFine]["fine-3-A"]; !maps.Equal(once, again) {
		t.Errorf("the third copy is %v, want %v", again, once)
	}
	if row := got.Views[ViewMonths]["2000-07"]; row["paid"] != "214.5" {
		t.Errorf("month %v, want paid 214.5", row)
	}
}
