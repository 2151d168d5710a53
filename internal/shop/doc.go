// Package shop invents the events of an online shop, for demonstrations, tests
// and benchmarks: orders placed, paid, shipped, cancelled and returned. Their
// schemas are in schemas/shop, their views in examples/shop.
//
// # Guarantees
//
// The same seed gives the same events, byte for byte, on every machine: only
// whole numbers are computed with. The first events of a long run are those of
// a short one. Events come in the order of their instants; each stream begins
// at version 1, has no gap, and obeys cause and effect:
//
//	placed ─┬─> paid ─┬─> shipped ───> returned (some)
//	        ├─> cancelled └─> cancelled, with a refund
//	        └─> nothing more
//
// Few customers and articles make most of the orders. There is more going on in
// the evening than at night. Times carry the offset of the customer's country,
// so the local day of an event is often not that of UTC. A run that ends leaves
// the orders where they are.
package shop
