package pii

import (
	"crypto/sha256"
	"math/big"
	"math/rand/v2"
	"strings"
)

// madeUpIP takes an address of the networks for documentation: RFC 5737 and RFC
// 3849. The length of a network stays.
func madeUpIP(value string, r *rand.Rand) string {
	addr, bits, network := strings.Cut(value, "/")
	var b strings.Builder
	if strings.Contains(addr, ":") {
		b.WriteString("2001:db8")
		for range 6 {
			b.WriteByte(':')
			b.WriteByte("123456789abcdef"[r.IntN(15)])
			for range 3 {
				b.WriteByte("0123456789abcdef"[r.IntN(16)])
			}
		}
	} else {
		b.WriteString([...]string{"192.0.2.", "198.51.100.", "203.0.113."}[r.IntN(3)])
		n := 1 + r.IntN(254)
		for _, d := range [...]int{100, 10, 1} {
			if n >= d {
				b.WriteByte(someDigits[n/d%10])
			}
		}
	}
	if network {
		b.WriteString("/" + bits)
	}
	return b.String()
}

// madeUpMAC makes an address that no maker has: one that is administered locally.
func madeUpMAC(value string, r *rand.Rand) string {
	code := codeOf(value)
	if len(code) != 12 {
		return ""
	}
	for i := range code {
		code[i] = "0123456789ABCDEF"[r.IntN(16)]
	}
	code[1] = "26AE"[r.IntN(4)]
	upper := strings.ToLower(value) != value
	out := layout(value, string(code))
	if upper {
		return strings.ToUpper(out)
	}
	return strings.ToLower(out)
}

// madeUpURL leads to example.org, to a path of the same form.
func madeUpURL(value string, r *rand.Rand) string {
	scheme, rest, ok := strings.Cut(value, "://")
	if !ok {
		scheme, rest = "", value
	} else {
		scheme += "://"
	}
	host, path := rest, ""
	if k := strings.IndexAny(rest, "/?#"); k >= 0 {
		host, path = rest[:k], rest[k:]
	}
	sub := ""
	if www, _, ok := strings.Cut(host, "."); ok && strings.EqualFold(www, "www") {
		sub = www + "."
	}
	if path == "" || path == "/" { // there are no two hosts without a path
		return scheme + sub + scramble("aaaaaa", r) + ".example.org" + path
	}
	return scheme + sub + "example.org" + scrambleASCII(path, r)
}

// scrambleASCII is scramble that lets percent signs and what follows them be.
func scrambleASCII(s string, r *rand.Rand) string {
	b := []byte(s)
	for i := 0; i < len(b); i++ {
		if b[i] == '%' {
			i += 2
			continue
		}
		if isDigit(b[i]) || isAlpha(b[i]) {
			b[i] = byte(another(rune(b[i]), r)) //nolint:gosec // ASCII
		}
	}
	return string(b)
}

// madeUpWallet puts the checksum right for the formats where that takes little:
// those of Bitcoin and of Ethereum.
func madeUpWallet(value string, r *rand.Rand) string {
	one := strings.LastIndexByte(value, '1')
	switch n := len(value); {
	case n == 42 && strings.EqualFold(value[:2], "0x"):
		return madeUpEthereum(value, r)
	case isBech32(value):
		return madeUpBech32(value, one, r)
	case n >= 25 && n <= 35 && base58Check(value):
		return madeUpBase58(value, r)
	}
	return ""
}

// madeUpEthereum gives an address the capitals of EIP-55 where the value has
// any.
func madeUpEthereum(value string, r *rand.Rand) string {
	digits := make([]byte, 40)
	for i := range digits {
		digits[i] = "0123456789abcdef"[r.IntN(16)]
	}
	hex := value[2:]
	switch {
	case strings.ToLower(hex) == hex:
	case strings.ToUpper(hex) == hex:
		return value[:2] + strings.ToUpper(string(digits))
	default:
		sum := keccak256(digits)
		for i, c := range digits {
			if isAlpha(c) && sum[i/2]>>(4*(1-i%2))&0xf >= 8 {
				digits[i] &^= 0x20
			}
		}
	}
	return value[:2] + string(digits)
}

// madeUpBech32 keeps the prefix and the version.
func madeUpBech32(value string, one int, r *rand.Rand) string {
	const sum = 6
	low := strings.ToLower(value)
	data := []byte(low[one+1 : len(low)-sum])
	for i := 1; i < len(data); i++ {
		data[i] = bech32Alphabet[r.IntN(len(bech32Alphabet))]
	}
	for _, constant := range [...]uint32{1, 0x2bc830a3} {
		check := bech32Over(low[:one], data)
		for range sum {
			check = bech32Step(check, 0)
		}
		check ^= constant
		made := append([]byte(low[:one+1]), data...)
		for i := range sum {
			made = append(made, bech32Alphabet[check>>(5*(sum-1-i))&31])
		}
		out := string(made)
		if bech32Constant(low, one) == constant && isBech32(out) {
			if low != value {
				return strings.ToUpper(out)
			}
			return out
		}
	}
	return ""
}

// bech32Over is the checksum over a prefix and data.
func bech32Over(prefix string, data []byte) uint32 {
	check := uint32(1)
	for i := range len(prefix) {
		check = bech32Step(check, prefix[i]>>5)
	}
	check = bech32Step(check, 0)
	for i := range len(prefix) {
		check = bech32Step(check, prefix[i]&31)
	}
	for _, c := range data {
		check = bech32Step(check, byte(strings.IndexByte(bech32Alphabet, c))) //nolint:gosec // below 32
	}
	return check
}

// bech32Constant tells the two kinds apart: BIP 173 and BIP 350.
func bech32Constant(low string, one int) uint32 {
	return bech32Over(low[:one], []byte(low[one+1:]))
}

// madeUpBase58 keeps the first letter and the length.
func madeUpBase58(value string, r *rand.Rand) string {
	alphabet := bitcoinAlphabet
	if value[0] == 'r' {
		alphabet = rippleAlphabet
	}
	raw, n, _ := base58(value, alphabet)
	body := append([]byte(nil), raw[len(raw)-n:len(raw)-4]...)
	for range maxTries {
		for i := len(body) - 20; i < len(body); i++ {
			body[i] = byte(r.IntN(256)) //nolint:gosec // a byte
		}
		once := sha256.Sum256(body)
		twice := sha256.Sum256(once[:])
		out := toBase58(append(append([]byte(nil), body...), twice[:4]...), alphabet)
		if len(out) == len(value) && out[0] == value[0] && base58Check(out) {
			return out
		}
	}
	return ""
}

// toBase58 writes bytes to base 58, a leading nought as the first letter.
func toBase58(raw []byte, alphabet string) string {
	v := new(big.Int).SetBytes(raw)
	base, rest := big.NewInt(58), new(big.Int)
	var out []byte
	for v.Sign() > 0 {
		v.DivMod(v, base, rest)
		out = append(out, alphabet[rest.Int64()])
	}
	for i := 0; i < len(raw) && raw[i] == 0; i++ {
		out = append(out, alphabet[0])
	}
	for i, k := 0, len(out)-1; i < k; i, k = i+1, k-1 {
		out[i], out[k] = out[k], out[i]
	}
	return string(out)
}
