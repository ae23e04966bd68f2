package channel

// Idempotent is implemented by adapters whose network shows a message once for
// the same [Outgoing.Key], however often it is sent. A send whose outcome is
// unknown is then simply repeated.
type Idempotent interface {
	Idempotent() bool
}

// Forgetter is implemented by adapters that hold something of a conversation in
// memory. Forget drops it; it is called when the person is erased.
type Forgetter interface {
	Forget(conversation string)
}

// Timestamped is implemented by adapters whose network sends an event again
// with the same [Event.Time]. What is remembered of deliveries is then kept in
// the order of time, which makes looking for a repeated one cheap.
type Timestamped interface {
	StableTime() bool
}
