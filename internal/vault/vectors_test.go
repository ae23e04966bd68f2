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
