package fines

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"strings"
)

// The views.
const (
	ViewFine     = "fine"
	ViewArticles = "fines-by-article"
	ViewMonths   = "payments-by-month"
)

// Row is a row of a view: its fields and their text.
type Row = map[string]string

// Expected is what the views must hold after the whole log.
type Expected struct {
	// Views holds the rows of each view by their key.
	Views map[string]map[string]Row
	// Versions holds how many events each fine has.
	Versions map[string]int64
	// Types holds how many events of each type there are.
	Types map[string]int
	// Events is how many events there are in all.
	Events int
}

// Expect computes the rows of the views from the log.
func Expect(r io.Reader) (*Expected, error) {
	o := NewOracle()
	if err := Read(r, o.Add); err != nil {
		return nil, err
	}
	return o.expected(), nil
}

// Oracle computes the rows of the views event by event.
type Oracle struct {
	types    map[string]int
	fines    map[string]*fine
	articles map[string]*article
	months   map[string]*month
}

// NewOracle returns an oracle that knows of no event yet.
func NewOracle() *Oracle {
	return &Oracle{
		types:    map[string]int{},
		fines:    map[string]*fine{},
		articles: map[string]*article{},
		months:   map[string]*month{},
	}
}

// fine is a row of the view fine: texts as they are, and sums.
type fine struct {
	texts         Row
	expense, paid *big.Rat // nil until something was added
	penalties     int
	payments      int
	version       int64
}

// article is a row of the view fines-by-article.
type article struct {
	fines, free int
	amount      big.Rat
}

// month is a row of the view payments-by-month.
type month struct {
	payments      int
	paid, largest big.Rat
}

// statuses is the status of a fine after an event of each type.
var statuses = map[string]string{
	"FineCreated":              "created",
	"FineSent":                 "sent",
	"FineNotified":             "notified",
	"PenaltyAdded":             "penalised",
	"PaymentReceived":          "paid",
	"SentForCreditCollection":  "collection",
	"AppealToPrefectureFiled":  "appealed",
	"AppealSentToPrefecture":   "at prefecture",
	"PrefectureResultReceived": "decided",
	"AppealResultNotified":     "decision notified",
	"AppealedToJudge":          "at court",
}

// dates is the field that holds when an event of each type happened.
var dates = map[string]string{
	"FineCreated":              "created",
	"FineSent":                 "sent",
	"FineNotified":             "notified",
	"PenaltyAdded":             "penalised",
	"PaymentReceived":          "last_payment",
	"SentForCreditCollection":  "collection",
	"AppealToPrefectureFiled":  "appealed",
	"PrefectureResultReceived": "decided",
	"AppealedToJudge":          "appealed",
}

// Add adds the next event of its stream.
func (o *Oracle) Add(e Event) error {
	status, ok := statuses[e.Type]
	if !ok {
		return fmt.Errorf("no view knows the type %q", e.Type)
	}
	o.types[e.Type]++
	f := o.fines[e.Stream]
	if f == nil {
		f = &fine{texts: Row{}}
		o.fines[e.Stream] = f
	}
	f.version++
	f.texts["status"] = status
	if field := dates[e.Type]; field != "" {
		f.texts[field] = e.Time
	}
	return o.amounts(f, e)
}

// amounts does what is particular to the type of the event.
func (o *Oracle) amounts(f *fine, e Event) error {
	d := e.Data
	switch e.Type {
	case "FineCreated":
		f.texts["article"] = d.Article.String()
		f.texts["vehicle_class"] = d.VehicleClass
		return o.created(f, d)
	case "FineSent":
		return addTo(&f.expense, d.Expense)
	case "FineNotified":
		if d.LastSent != nil {
			f.texts["last_sent"] = *d.LastSent
		} else {
			delete(f.texts, "last_sent")
		}
	case "PenaltyAdded":
		f.penalties++
		return f.setAmount(d.Amount)
	case "PaymentReceived":
		f.payments++
		if err := addTo(&f.paid, d.Payment); err != nil {
			return err
		}
		return o.payment(e.Time, d.Payment)
	case "AppealSentToPrefecture", "AppealedToJudge":
		f.texts["dismissal"] = d.Dismissal
	}
	return nil
}

func (f *fine) setAmount(n json.Number) error {
	r, err := rat(n)
	if err == nil {
		f.texts["amount"] = text(r)
	}
	return err
}

func (o *Oracle) created(f *fine, d Data) error {
	amount, err := rat(d.Amount)
	if err != nil {
		return err
	}
	f.texts["amount"] = text(amount)
	a := o.articles[d.Article.String()]
	if a == nil {
		a = &article{}
		o.articles[d.Article.String()] = a
	}
	a.fines++
	a.amount.Add(&a.amount, amount)
	if amount.Sign() == 0 {
		a.free++
	}
	return nil
}

// payment adds a payment to its month: that of the time as it is written.
func (o *Oracle) payment(at string, n json.Number) error {
	paid, err := rat(n)
	if err != nil {
		return err
	}
	key := at[:len("2000-01")]
	m := o.months[key]
	if m == nil {
		m = &month{}
		m.largest.Set(paid)
		o.months[key] = m
	}
	m.payments++
	m.paid.Add(&m.paid, paid)
	if paid.Cmp(&m.largest) > 0 {
		m.largest.Set(paid)
	}
	return nil
}

// Fine returns the row of a fine in the view fine after the events so far, and
// how many of them it has. Later events do not change what it returned.
func (o *Oracle) Fine(stream string) (row Row, version int64) {
	f := o.fines[stream]
	if f == nil {
		return nil, 0
	}
	return f.row(), f.version
}

func (o *Oracle) expected() *Expected {
	fines, versions := make(map[string]Row, len(o.fines)), make(map[string]int64, len(o.fines))
	for key, f := range o.fines {
		fines[key], versions[key] = f.row(), f.version
	}
	articles := make(map[string]Row, len(o.articles))
	for key, a := range o.articles {
		articles[key] = a.row()
	}
	months := make(map[string]Row, len(o.months))
	for key, m := range o.months {
		months[key] = Row{"payments": fmt.Sprint(m.payments), "paid": text(&m.paid), "largest": text(&m.largest)}
	}
	events := 0
	for n := range maps.Values(o.types) {
		events += n
	}
	return &Expected{
		Views:    map[string]map[string]Row{ViewFine: fines, ViewArticles: articles, ViewMonths: months},
		Versions: versions,
		Types:    o.types,
		Events:   events,
	}
}

func (f *fine) row() Row {
	row := maps.Clone(f.texts)
	if f.expense != nil {
		row["expense"] = text(f.expense)
	}
	if f.penalties > 0 {
		row["penalties"] = fmt.Sprint(f.penalties)
	}
	if f.payments > 0 {
		row["payments"] = fmt.Sprint(f.payments)
		row["paid"] = text(f.paid)
	}
	return row
}

func (a *article) row() Row {
	row := Row{"fines": fmt.Sprint(a.fines), "amount": text(&a.amount)}
	if a.free > 0 {
		row["free"] = fmt.Sprint(a.free)
	}
	return row
}

func addTo(sum **big.Rat, n json.Number) error {
	r, err := rat(n)
	if err != nil {
		return err
	}
	if *sum == nil {
		*sum = new(big.Rat)
	}
	(*sum).Add(*sum, r)
	return nil
}

// rat returns a number exactly as its text has it.
func rat(n json.Number) (*big.Rat, error) {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return nil, fmt.Errorf("%q is not a number", n)
	}
	return r, nil
}

// text returns a decimal without an exponent and without trailing zeros of its
// fraction. The log has no number with more than six digits behind the point.
func text(r *big.Rat) string {
	s := strings.TrimRight(r.FloatString(6), "0")
	return strings.TrimSuffix(s, ".")
}
