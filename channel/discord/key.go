package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
)

var (
	errKeyForm = errors.New("want the 64 hexadecimal digits that General Information in the developer portal shows")
	errKeyWeak = errors.New("this is no key that anybody could sign with")
)

// publicKey reads a key and refuses those under which anybody can sign. The
// library takes any 32 bytes: under a point of small order a signature that was
// made without a key is valid for many messages, and bytes that are no point
// verify nothing, which would look like a network that lies.
func publicKey(digits string) (ed25519.PublicKey, error) {
	key, err := hex.DecodeString(digits)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errKeyForm
	}
	if !strong(key) {
		return nil, errKeyWeak
	}
	return key, nil
}

// strong reports whether key is a point of the curve (RFC 8032, section 5.1.3),
// written in its one canonical form, of which the order is not small.
func strong(key []byte) bool {
	le := slices.Clone(key)
	sign := le[31] >> 7
	le[31] &= 0x7F
	slices.Reverse(le)
	y := new(big.Int).SetBytes(le)
	one := big.NewInt(1)
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	if y.Cmp(p) >= 0 {
		return false
	}
	// -x² + y² = 1 + d·x²·y², with d = -121665/121666.
	d := new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p))
	d.Mod(d, p)
	yy := new(big.Int).Mul(y, y)
	yy.Mod(yy, p)
	xx := new(big.Int).Mul(d, yy)
	xx.ModInverse(xx.Add(xx, one).Mod(xx, p), p) // never 0: -1/d is no square
	xx.Mul(xx, new(big.Int).Sub(yy, one)).Mod(xx, p)
	x := new(big.Int).ModSqrt(xx, p)
	if x == nil || x.Sign() == 0 && sign == 1 {
		return false
	}
	// Doubled three times, a point of small order is the neutral one.
	for range 3 {
		x, y = double(x, y, d, p)
	}
	return x.Sign() != 0
}

// double adds a point to itself: x' = 2xy/(1+dx²y²), y' = (y²+x²)/(1-dx²y²).
func double(x, y, d, p *big.Int) (x2, y2 *big.Int) {
	one := big.NewInt(1)
	xx, yy, xy := new(big.Int).Mul(x, x), new(big.Int).Mul(y, y), new(big.Int).Mul(x, y)
	k := new(big.Int).Mul(xx, yy)
	k.Mul(k.Mod(k, p), d).Mod(k, p)
	over := func(n, below *big.Int) *big.Int {
		below.ModInverse(below.Mod(below, p), p)
		return n.Mod(n.Mul(n, below), p)
	}
	x2 = over(xy.Lsh(xy, 1), new(big.Int).Add(one, k))
	y2 = over(yy.Add(yy, xx), new(big.Int).Sub(one, k))
	return x2, y2
}
