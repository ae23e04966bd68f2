package audit

// VerifierKey returns the public key of the log that seed signs, in the form
// of [golang.org/x/mod/sumdb/note]: what [Verify] and [VerifyProof] take. An
// empty origin is the default one.
func VerifierKey(origin string, seed [32]byte) (string, error) {
	if origin == "" {
		origin = "sotto"
	}
	_, _, key, err := newSigner(origin, seed)
	return key, err
}
