package audit

import "github.com/sotto-chat/sotto"

// defaultOrigin is the name of a log that has no other.
const defaultOrigin = "sotto"

// VerifierKey returns the public key of the log that seed signs, in the form
// of [golang.org/x/mod/sumdb/note]: what [Verify] and [VerifyProof] take. An
// empty origin is the default one. An origin with spaces or plus signs is an error
// of [sotto.KindInvalid].
func VerifierKey(origin string, seed [32]byte) (string, error) {
	if origin == "" {
		origin = defaultOrigin
	}
	_, _, key, err := newSigner(origin, seed)
	if err != nil {
		return "", sotto.E("audit.key", sotto.KindInvalid, err)
	}
	return key, nil
}
