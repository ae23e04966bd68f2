package pii

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// wallet looks for the address of a wallet that is text[start:end]. Where the
// address has a checksum, it must pass it.
func (s *scan) wallet(start, end int) (Span, bool) {
	w := s.text[start:end]
	sp := Span{Start: start, End: end, Type: CryptoWallet, Score: 0.95}
	switch n := len(w); {
	case n == 42 && w[0] == '0' && w[1]|0x20 == 'x':
		sp.Rule = "wallet/ethereum"
		switch ethereum(w[2:]) {
		case checkPassed:
			return sp, true
		case checkAbsent:
			sp.Score, sp.Context = 0.8, "wallet"
			return sp, s.told(cueWallet, start, 48)
		case checkFailed:
		}
		return Span{}, false
	case n >= 25 && n <= 35 && strings.IndexByte("13LMDXATrt9", w[0]) >= 0:
		sp.Rule = "wallet/base58"
		return sp, base58Check(w)
	case n >= 14 && n <= 90 && isBech32(w):
		sp.Rule = "wallet/bech32"
		return sp, true
	case n == 56 && w[0] == 'G':
		sp.Rule = "wallet/stellar"
		return sp, stellar(w)
	case n == 95 && (w[0] == '4' || w[0] == '8'), n == 106 && w[0] == '4':
		sp.Rule = "wallet/monero"
		return sp, monero(w)
	case n == 42 && (w[0] == 'q' || w[0] == 'p'):
		sp.Rule = "wallet/cash"
		if strings.HasSuffix(s.text[:start], "bitcoincash:") {
			sp.Start -= len("bitcoincash:")
		}
		return sp, cashAddress(w)
	case n >= 43 && n <= 44 && s.told(cueWallet, start, 48):
		sp.Rule, sp.Score, sp.Context = "wallet/solana", 0.75, "wallet"
		_, size, ok := base58(w, bitcoinAlphabet)
		return sp, ok && size == 32 && looksRandom(w)
	}
	return Span{}, false
}

const (
	bitcoinAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	rippleAlphabet  = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
)

// base58 decodes a number to base 58; a leading first letter is a zero byte. The
// bytes stand at the end of raw; it returns how many.
func base58(w, alphabet string) (raw [48]byte, n int, ok bool) {
	zeros := 0
	for i := range len(w) {
		carry := strings.IndexByte(alphabet, w[i])
		if carry < 0 {
			return raw, 0, false
		}
		if carry == 0 && n == 0 {
			zeros++
			continue
		}
		for k := len(raw) - 1; k >= len(raw)-n; k-- {
			carry += 58 * int(raw[k])
			raw[k] = byte(carry & 0xff)
			carry >>= 8
		}
		for carry > 0 {
			if n++; n > len(raw) {
				return raw, 0, false
			}
			raw[len(raw)-n] = byte(carry & 0xff)
			carry >>= 8
		}
	}
	n += zeros
	return raw, n, n <= len(raw)
}

// base58Check decodes an address of Bitcoin and those that took it over:
// version, hash of 20 bytes, the first four bytes of a double SHA-256.
func base58Check(w string) bool {
	alphabet := bitcoinAlphabet
	if w[0] == 'r' {
		alphabet = rippleAlphabet
	}
	raw, n, ok := base58(w, alphabet)
	if !ok || n != 25 && n != 26 {
		return false
	}
	body, sum := raw[len(raw)-n:len(raw)-4], raw[len(raw)-4:]
	once := sha256.Sum256(body)
	twice := sha256.Sum256(once[:])
	return bytes.Equal(twice[:4], sum)
}

// bech32Prefixes are the human-readable parts of addresses that are in use.
const bech32Prefixes = " bc tb bcrt ltc tltc addr stake cosmos osmo terra inj kava secret celestia sei one bnb thor zs u vtc dgb grs juno axelar" +
	" stars evmos akash dydx noble "

const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// isBech32 checks an address of BIP 173 or BIP 350: a prefix, a 1, and letters
// whose last six are a checksum; all capital or all small.
func isBech32(w string) bool {
	one := strings.LastIndexByte(w, '1')
	if one < 1 || len(w)-one < 7 || one > 9 {
		return false
	}
	upper, lower := false, false
	check := uint32(1)
	var prefix [9]byte
	for i := range one {
		c := w[i]
		upper, lower = upper || c >= 'A' && c <= 'Z', lower || c >= 'a'
		prefix[i] = c | 0x20
		check = bech32Step(check, (c|0x20)>>5)
	}
	if !strings.Contains(bech32Prefixes, " "+string(prefix[:one])+" ") {
		return false
	}
	check = bech32Step(check, 0)
	for i := range one {
		check = bech32Step(check, prefix[i]&31)
	}
	for i := one + 1; i < len(w); i++ {
		c := w[i]
		upper, lower = upper || c >= 'A' && c <= 'Z', lower || c >= 'a'
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		v := strings.IndexByte(bech32Alphabet, c)
		if v < 0 {
			return false
		}
		check = bech32Step(check, byte(v&31))
	}
	const classic, modified = 1, 0x2bc830a3
	return (!upper || !lower) && (check == classic || check == modified)
}

func bech32Step(check uint32, v byte) uint32 {
	top := check >> 25
	check = check&0x1ffffff<<5 ^ uint32(v)
	for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 != 0 {
			check ^= g
		}
	}
	return check
}

// cashAddress checks an address of Bitcoin Cash without its prefix.
func cashAddress(w string) bool {
	check := uint64(1)
	step := func(v byte) {
		top := check >> 35
		check = check&0x07ffffffff<<5 ^ uint64(v)
		for i, g := range [...]uint64{0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8, 0x1e4f43e470} {
			if top>>i&1 != 0 {
				check ^= g
			}
		}
	}
	for _, c := range []byte("bitcoincash") {
		step(c & 31)
	}
	step(0)
	for i := range len(w) {
		v := strings.IndexByte(bech32Alphabet, w[i])
		if v < 0 {
			return false
		}
		step(byte(v & 31))
	}
	return check == 1
}

// stellar checks an address with the CRC-16 of XMODEM at its end.
func stellar(w string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var raw [35]byte
	bits, have, n := 0, 0, 0
	for i := range len(w) {
		v := strings.IndexByte(alphabet, w[i])
		if v < 0 {
			return false
		}
		bits, have = bits<<5|v, have+5
		if have >= 8 {
			raw[n] = byte(bits >> (have - 8) & 0xff)
			n++
			have -= 8
			bits &= 1<<have - 1
		}
	}
	crc := uint16(0)
	for _, c := range raw[:33] {
		crc ^= uint16(c) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return byte(crc) == raw[33] && byte(crc>>8) == raw[34]
}

// monero checks an address: blocks of 11 letters to base 58 for 8 bytes each,
// of which the last four are a checksum.
func monero(w string) bool {
	const block, last = 11, 7 // letters; for 8 and 5 bytes
	var raw [80]byte
	n := 0
	for len(w) > 0 {
		letters, size := block, 8
		if len(w) < block {
			letters, size = last, 5
		}
		v := uint64(0)
		for i := range letters {
			d := strings.IndexByte(bitcoinAlphabet, w[i])
			if d < 0 {
				return false
			}
			v = 58*v + uint64(d)
		}
		for k := range size {
			raw[n+k] = byte(v >> (8 * (size - 1 - k)) & 0xff)
		}
		n += size
		w = w[letters:]
	}
	sum := keccak256(raw[:n-4])
	return bytes.Equal(sum[:4], raw[n-4:n])
}

// checkResult is what a checksum says.
type checkResult uint8

const (
	checkFailed checkResult = iota
	checkAbsent
	checkPassed
)

// ethereum checks the 40 hexadecimal digits of an address: the case of the
// letters is a checksum (EIP-55), which is absent where there is but one case.
func ethereum(w string) checkResult {
	upper, lower := false, false
	var small [40]byte
	for i := range len(w) {
		c := w[i]
		if !isHex(c) {
			return checkFailed
		}
		if isAlpha(c) {
			upper, lower = upper || c < 'a', lower || c >= 'a'
			c |= 0x20
		}
		small[i] = c
	}
	if !upper || !lower {
		return checkAbsent
	}
	sum := keccak256(small[:])
	for i := range len(w) {
		nibble := sum[i/2] >> (4 * (1 - i%2)) & 0xf
		if isAlpha(w[i]) && (nibble >= 8) != (w[i] < 'a') {
			return checkFailed
		}
	}
	return checkPassed
}

// keccak256 is the hash of Ethereum and Monero: SHA-3 as it was before the
// standard changed its padding.
func keccak256(data []byte) (sum [32]byte) {
	const rate = 136
	var a [25]uint64
	for last := false; !last; {
		var block [rate]byte
		n := copy(block[:], data)
		data = data[n:]
		if n < rate {
			block[n] ^= 0x01
			block[rate-1] ^= 0x80
			last = true
		}
		for i := range rate / 8 {
			for k := range 8 {
				a[i] ^= uint64(block[8*i+k]) << (8 * k)
			}
		}
		keccakF(&a)
	}
	for i := range sum {
		sum[i] = byte(a[i/8] >> (8 * (i % 8)) & 0xff)
	}
	return sum
}

// keccakF is the permutation of FIPS 202 section 3, whose constants come from
// its shift register.
func keccakF(a *[25]uint64) {
	register := byte(1)
	for range 24 {
		var c, d [5]uint64
		for x := range 5 {
			c[x] = a[x] ^ a[x+5] ^ a[x+10] ^ a[x+15] ^ a[x+20]
		}
		for x := range 5 {
			d[x] = c[(x+4)%5] ^ rotate(c[(x+1)%5], 1)
			for y := 0; y < 25; y += 5 {
				a[x+y] ^= d[x]
			}
		}
		x, y, moved := 1, 0, a[1]
		for t := range 24 {
			x, y = y, (2*x+3*y)%5
			moved, a[x+5*y] = a[x+5*y], rotate(moved, (t+1)*(t+2)/2%64)
		}
		for y := 0; y < 25; y += 5 {
			row := [5]uint64(a[y : y+5])
			for x := range 5 {
				a[x+y] = row[x] ^ ^row[(x+1)%5]&row[(x+2)%5]
			}
		}
		for j := range 7 {
			if register&1 != 0 {
				a[0] ^= 1 << (1<<j - 1)
			}
			if register&0x80 != 0 {
				register = register<<1 ^ 0x71
			} else {
				register <<= 1
			}
		}
	}
}

func rotate(v uint64, n int) uint64 { return v<<n | v>>(64-n) }
