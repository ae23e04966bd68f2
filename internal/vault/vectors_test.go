package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	stdhkdf "crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"testing/quick"

	"github.com/sotto-chat/sotto"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// The 256-bit test cases 13 to 16 of McGrew and Viega, "The Galois/Counter Mode
// of Operation", appendix B, the specification that NIST SP 800-38D adopts.
func TestAEADVectors(t *testing.T) {
	const (
		key   = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
		nonce = "cafebabefacedbaddecaf888"
		plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
			"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
		sealed = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
			"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	)
	zero := strings.Repeat("00", 32)
	for name, c := range map[string]struct{ key, nonce, plain, ad, sealed, tag string }{
		"13": {zero, zero[:24], "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
		"14": {zero, zero[:24], zero[:32], "", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
		"15": {key, nonce, plain + "1aafd255", "", sealed + "898015ad", "b094dac5d93471bdec1a502270e3cc6c"},
		"16": {key, nonce, plain, "feedfacedeadbeeffeedfacedeadbeefabaddad2", sealed, "76fc6ece0f4e1768cddf8853bb2d551b"},
	} {
		t.Run(name, func(t *testing.T) {
			k := [32]byte(unhex(t, c.key))
			want, ad := unhex(t, c.plain), unhex(t, c.ad)
			got, err := newAEAD(k).Open(nil, nil, unhex(t, c.nonce+c.sealed+c.tag), ad)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("open: got %x, %v", got, err)
			}
			// The nonce is chosen inside, so that sealing is checked with a plain
			// AES-GCM, which is given the nonce that came out.
			out := newAEAD(k).Seal(nil, nil, want, ad)
			block, err := aes.NewCipher(k[:])
			if err != nil {
				t.Fatal(err)
			}
			ref, err := cipher.NewGCM(block)
			if err != nil {
				t.Fatal(err)
			}
			if d := ref.Seal(nil, out[:nonceLen], want, ad); !bytes.Equal(d, out[nonceLen:]) {
				t.Errorf("seal: got %x, want %x", out[nonceLen:], d)
			}
		})
	}
}

// RFC 4231, test cases 1, 2, 3 and 6.
func TestHMACVectors(t *testing.T) {
	for _, c := range []struct{ key, msg, want string }{
		{strings.Repeat("0b", 20), hex.EncodeToString([]byte("Hi There")), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{hex.EncodeToString([]byte("Jefe")), hex.EncodeToString([]byte("what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{strings.Repeat("aa", 20), strings.Repeat("dd", 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{strings.Repeat("aa", 131), hex.EncodeToString([]byte("Test Using Larger Than Block-Size Key - Hash Key First")), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	} {
		if got := hmacSHA256(unhex(t, c.key), unhex(t, c.msg)); hex.EncodeToString(got[:]) != c.want {
			t.Errorf("got %x, want %s", got, c.want)
		}
	}
}

// RFC 5869, test case 3, which has no salt like the calls here, to 32 bytes.
func TestHKDFVector(t *testing.T) {
	got := hkdf(bytes.Repeat([]byte{0x0b}, 22), "")
	if want := "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"; hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
	same := func(secret []byte, info string) bool {
		want, err := stdhkdf.Key(sha256.New, secret, nil, info, 32)
		got := hkdf(secret, info)
		return err == nil && bytes.Equal(got[:], want)
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}

func TestMACPoolIsHMAC(t *testing.T) {
	key := [32]byte{9, 8, 7}
	m := newMACPool(key)
	same := func(domain, a, b string) bool {
		msg := appendPart(appendPart(appendPart(nil, domain), a), b)
		want := hmacSHA256(key[:], msg)
		got := m.sum16(domain, a, b)
		return bytes.Equal(got[:], want[:16])
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}

func TestPseudonyms(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	seen := make(map[[16]byte]string)
	add := func(what string, id [16]byte) {
		if other, ok := seen[id]; ok || id == [16]byte{} {
			t.Errorf("%s and %s are the same", what, other)
		}
		seen[id] = what
	}
	add("person", v.PersonID("telegram", "a", "1"))
	add("shifted person", v.PersonID("telegram", "a1", ""))
	add("other channel", v.PersonID("telegra", "ma", "1"))
	add("conversation", v.ConversationID("telegram", "a", "1"))
	add("digest of one", v.Digest("stop", "1"))
	add("digest of none", v.Digest("stop"))
	add("digest of an empty one", v.Digest("stop", ""))
	add("digest of two", v.Digest("stop", "1", ""))
	add("digest of others", v.Digest("stop", "", "1"))
	add("digest of another domain", v.Digest("stop1", ""))
	seed, other := v.Seed("audit"), v.Seed("cookie")
	if seed == other || seed == [32]byte{} {
		t.Error("seeds do not differ")
	}
	person := v.PersonID("telegram", "a", "1")

	closeVault(t, v)
	v = open(t, cfg)
	if v.PersonID("telegram", "a", "1") != person || v.Seed("audit") != seed {
		t.Error("not the same after opening again")
	}
	w := open(t, newConfig(t))
	if w.PersonID("telegram", "a", "1") == person || w.Seed("audit") == seed {
		t.Error("another key store gives the same")
	}
}

func TestCommitment(t *testing.T) {
	v := open(t, newConfig(t))
	_, _, err := v.Commitment(t.Context(), sotto.PersonID{}, true)
	wantKind(t, err, sotto.KindInvalid)
	if c, ok, err := v.Commitment(t.Context(), anna, false); ok || err != nil || c != [16]byte{} {
		t.Errorf("without a key: %v %v %v", c, ok, err)
	}
	one, ok, err := v.Commitment(t.Context(), anna, true)
	if !ok || err != nil || one == [16]byte{} {
		t.Errorf("made: %v %v %v", one, ok, err)
	}
	v.cache.purge()
	if again, ok, err := v.Commitment(t.Context(), anna, false); again != one || !ok || err != nil {
		t.Errorf("again: %v %v %v", again, ok, err)
	}
	if his, _, err := v.Commitment(t.Context(), ben, true); his == one || err != nil {
		t.Errorf("of another person: %v %v", his, err)
	}
	if _, err := v.Erase(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := v.Commitment(t.Context(), anna, false); ok || err != nil {
		t.Errorf("after erasure: %v %v", ok, err)
	}
	if after, _, err := v.Commitment(t.Context(), anna, true); after == one || err != nil {
		t.Errorf("a new key gives the old commitment: %v", err)
	}
	closeVault(t, v)
	if _, _, err := v.Commitment(t.Context(), anna, false); err == nil {
		t.Error("a closed vault commits")
	}
}

// What was stored by this version opens in all later ones: the forms of a sealed
// value and of a wrapped key, with everything they bind. If this test fails,
// raise the version instead of changing the expectation.
func TestFormatsStay(t *testing.T) {
	key := [32]byte(bytes.Repeat([]byte{7}, 32))
	gcm := func(key [32]byte) cipher.AEAD {
		block, err := aes.NewCipher(key[:])
		if err != nil {
			t.Fatal(err)
		}
		a, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	nonce := bytes.Repeat([]byte{9}, nonceLen)
	v := open(t, newConfig(t))

	// version 1, class 3, month 24318; table, row, field, person, purpose
	header := unhex(t, "01 03 5efe")
	ad := unhex(t, "01 03 5efe 0000000a 7472616e736372697074 0000000000000007 00000004 74657874 "+
		"01020300000000000000000000000000 00000005 7265706c79")
	s := Sealed{append(append(header, nonce...), gcm(key).Seal(nil, nonce, []byte("text"), ad)...)}
	pl := place{anna, Reply, PeriodOf(Reply, july)}
	v.cache.shard(anna).put(pl.ready(key), 1)
	wantOpen(t, v, refOf(anna), s, "text")

	// version of the key-encryption key; person, class, month, "vault_key"
	kek := KEK{bytes: func() *[32]byte { return &key }}
	v.wraps[1] = kek.aead()
	ad = unhex(t, "01020300000000000000000000000000 03 5efe 7661756c745f6b6579")
	wrapped := append(unhex(t, "00000001"), nonce...)
	wrapped = append(wrapped, gcm(hkdf(key[:], "sotto.kek.wrap.1")).Seal(nil, nonce, key[:], ad)...)
	if got, err := v.unwrap(wrapped, pl.bind()); err != nil || got != key {
		t.Errorf("unwrapped: %v", err)
	}
	for what, c := range map[string]struct{ got, want string }{
		"mark":       {hex.EncodeToString(kek.mark()), "8b3cfb31a7b4eba3967678d8d192a967"},
		"commitment": {v16(commitmentOf(key[:], anna)), "e6e8fab9677dbdbce68a9b23c9031341"},
		"pseudonym":  {v16(newMACPool(key).sum16("sotto.person.1", "telegram", "a", "1")), "b9d0acd7cb8425f6578cf4acce561396"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", what, c.got, c.want)
		}
	}
}

func v16(b [16]byte) string { return hex.EncodeToString(b[:]) }
