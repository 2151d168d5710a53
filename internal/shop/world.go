package shop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// hourly is how much is ordered in each hour of a UTC day, in per cent of the
// mean.
var hourly = [24]int{40, 25, 20, 20, 25, 35, 50, 70, 90, 105, 115, 120, 125, 115, 105, 105, 115, 135, 160, 185, 190, 170, 130, 80}

// place is a city that customers live in.
type place struct {
	country, city, street, postcode string
	offset                          int // minutes east of UTC, the whole year
}

var places = []place{
	{"DE", "Leipzig", "Lindenweg", "043%02d", 60},
	{"IT", "Bergamo", "Via Colleoni", "241%02d", 60},
	{"GB", "Norwich", "Elm Hill", "NR3 %dHN", 0},
	{"FR", "Annecy", "Rue Royale", "740%02d", 60},
	{"ES", "Córdoba", "Calle Céspedes", "140%02d", 60},
	{"DE", "Kassel", "Königsplatz", "341%02d", 60},
	{"NL", "Delft", "Oude Langendijk", "26%02d GK", 60},
	{"FI", "Oulu", "Rantakatu", "901%02d", 120},
	{"US", "Portland", "Alder Street", "972%02d", -480},
	{"IT", "Lecce", "Via Libertini", "731%02d", 60},
	{"JP", "Kyoto", "Teramachi-dori", "604-80%02d", 540},
	{"PL", "Toruń", "ulica Szeroka", "87-1%02d", 60},
	{"IN", "Mysuru", "Sayyaji Rao Road", "5700%02d", 330},
}

// zone is the zone of a place; a fixed one, so that no table of time zones
// decides what a seed gives.
func (p place) zone() *time.Location { return time.FixedZone(p.country, p.offset*60) }

// address is that of one customer.
func (p place) address(customer int) Address {
	return Address{
		Street:   fmt.Sprintf("%s %d", p.street, 1+customer/len(places)%120),
		Postcode: fmt.Sprintf(p.postcode, customer%10),
		City:     p.city,
		Country:  p.country,
	}
}

// article is something that is sold.
type article struct {
	sku   string
	price Cents
}

// catalogue begins with what sells best.
var catalogue = []article{
	{"SOCKS-WOOL", 1290}, {"MUG-BLUE", 995}, {"NOTEBOOK-A5", 649}, {"SCARF-GREY", 2450}, {"LAMP-DESK", 4999},
	{"PEN-FINE", 349}, {"BAG-CANVAS", 1890}, {"KETTLE-STEEL", 5450}, {"BLANKET-RED", 6990}, {"CANDLE-FIG", 1575},
	{"HAT-STRAW", 2999}, {"TEAPOT-CAST", 7425}, {"UMBRELLA-BLACK", 2195}, {"PLANT-FERN", 1349}, {"CLOCK-WALL", 8900},
	{"PILLOW-DOWN", 5999}, {"RADIO-DAB", 12950}, {"KNIFE-CHEF", 8495}, {"CHAIR-OAK", 18900}, {"BIKE-BELL", 1199},
	{"COAT-RAIN", 14990}, {"BOOTS-HIKING", 17995}, {"RUG-JUTE", 9950}, {"MIRROR-ROUND", 11200}, {"TABLE-SIDE", 24900},
	{"GUITAR-TRAVEL", 32999}, {"TENT-TWO", 27950}, {"DESK-OAK", 64900}, {"SOFA-TWO", 129900}, {"BICYCLE-CITY", 74999},
}

// popularity draws numbers from 0 on by Zipf's law: the second is drawn half as
// often as the first, the third a third as often.
type popularity []int64 // sums of the weights up to each number

func newPopularity(n int) popularity {
	sums := make(popularity, n)
	var sum int64
	for i := range sums {
		sum += 1e12 / int64(i+1)
		sums[i] = sum
	}
	return sums
}

func (p popularity) draw(random *rand.Rand) int {
	i, found := slices.BinarySearch(p, random.Int64N(p[len(p)-1]))
	if found { // the sum itself is no longer of this number
		i++
	}
	return i
}
