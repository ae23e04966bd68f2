package sotto

import (
	"errors"
	"strings"
)

// Kind sorts errors by what the one who meets them can do. The list is short
// on purpose; each kind is mapped once to an HTTP status, an exit code and a
// retry decision.
type Kind uint8

// The kinds of errors.
const (
	KindOther       Kind = iota // a fault of ours
	KindInvalid                 // bad input; the same input fails again
	KindDenied                  // the gate or a signature check said no
	KindNotFound                // there is no such thing
	KindExists                  // there is one already
	KindBusy                    // in use, or too much at once; try again later
	KindFull                    // no room on the disk; try again when there is
	KindCorrupt                 // stored bytes are not what was written
	KindUnavailable             // something outside does not answer; try again later
)

func (k Kind) String() string {
	switch k {
	case KindInvalid:
		return "invalid"
	case KindDenied:
		return "denied"
	case KindNotFound:
		return "not found"
	case KindExists:
		return "exists"
	case KindBusy:
		return "busy"
	case KindFull:
		return "no space"
	case KindCorrupt:
		return "corrupt"
	case KindUnavailable:
		return "unavailable"
	case KindOther:
		return "failed"
	}
	return "failed"
}

// Error says which operation failed, how, and why. Neither Op nor the text of
// Err ever holds personal data, a token, or a body.
type Error struct {
	Op   string // package and verb: "vault.open"
	Kind Kind
	Err  error // the cause; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Kind != KindOther || e.Err == nil {
		b.WriteString(": ")
		b.WriteString(e.Kind.String())
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// E makes an [Error].
func E(op string, kind Kind, err error) error { return &Error{Op: op, Kind: kind, Err: err} }

// KindOf returns the kind of the outermost [Error] in err's chain whose kind
// is not [KindOther], and KindOther where there is none.
func KindOf(err error) Kind {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return KindOther
		}
		if e.Kind != KindOther {
			return e.Kind
		}
		err = e.Err
	}
	return KindOther
}
