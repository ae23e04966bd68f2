package pii

import (
	"strings"
	"unicode/utf8"
)

// cue is what a word says about what stands behind it. The pass over a text
// notes where the last word of each kind ended, so asking for one costs nothing.
type cue uint8

const (
	noCue            cue = iota
	cuePassword          // password
	cuePass              // pass: the same, where a sign follows
	cuePIN               // PIN, CVV
	cueOTP               // TAN, verification code
	cueCode              // code: one of the two above, with another word
	cueVerify            // verification: makes a code one
	cueKey               // API key, token
	cueHandle            // user name, Instagram
	cueNetwork           // Instagram
	cueRouting           // American routing number
	cueSort              // British sort code
	cueBLZ               // German bank code, BSB and others of their kind
	cueBIC               // BIC, SWIFT
	cueAccount           // account
	cueAccountNumber     // one that can be only that of a bank
	cueNumber            // number
	cueBank              // bank, transfer: makes an account one of a bank
	cueWallet            // wallet, the names of coins
	cueMAC
	cueVersion // version, section: what follows is no address
	cueMail    // e-mail
	cueAt      // at, arroba
	cueSite    // website, visit
	cueOn      // on, bei: in front of a link
	cueMine    // my
	cueCard    // card
	cueParcel  // order, parcel, barcode: what follows is no card
	cuePrefix  // begins a key: sk-
	cueScheme  // begins a link: https:
	cueBegin   // the first line of a private key
	cueDouble  // double seven
	cueTriple
	cueZero // the words for the digits, nought to nine
	cueOne
	cueTwo
	cueThree
	cueFour
	cueFive
	cueSix
	cueSeven
	cueEight
	cueNine
	cues int = iota
)

// cueWords are the words of each kind, without accents, in small letters.
var cueWords = [...]struct { //nolint:gochecknoglobals // a constant table
	kind  cue
	words string
}{
	{cuePassword, "password passwords passwort passwoerter kennwort passwd pwd pw passcode passphrase mdp contrasena clave" +
		" senha parola wachtwoord haslo lozinka heslo sifre salasana losenord adgangskode пароль" +
		" motdepasse psw pswd passe passwrd seed mnemonic"},
	{cuePass, "pass"},
	{cuePIN, "pin pins pincode cvv cvc csc pinnummer geheimzahl geheimnummer пин пинкод"},
	{cueOTP, "otp tan totp bestatigungscode verifizierungscode sicherheitscode zugangscode freischaltcode" +
		" einmalcode pushtan smstan mtan itan"},
	{cueCode, "code codes codigo codice kod код"},
	{cueVerify, "verification security confirmation authentication authenticator authorization authorisation login" +
		" signin access onetime time otp sms tan auth verify seguridad verificacion confirmacion acceso seguranca" + //nolint:misspell // Spanish
		" verificacao confirmacao acesso securite verificazione sicurezza conferma confirmation подтверждения"},
	{cueKey, "key keys apikey token tokens secret bearer credential credentials accesskey secretkey schlussel cle" +
		" authtoken accesstoken authorization apitoken"},
	{cueNetwork, "insta instagram ig telegram tg discord snapchat snap tiktok twitter skype mastodon bluesky kik" +
		" username benutzername nutzername" +
		" инста инстаграм телеграм телеграмм тг"},
	{cueHandle, "insta instagram ig telegram tg discord snapchat snap sc tiktok twitter username usernames handle" +
		" benutzername nutzername pseudo usuario utente utilizador skype github gitlab reddit twitch steam psn" +
		" gamertag nickname nick mastodon bluesky threads linkedin pinterest soundcloud onlyfans wechat weixin kik" +
		" utilisateur gebruikersnaam uzytkownik user инста инстаграм телеграм телеграмм тг никнейм ник логин login"},
	{cueRouting, "routing aba rtn transit"},
	{cueSort, "sort sortcode"},
	{cueBLZ, "blz bankleitzahl bsb"},
	{cueBIC, "bic swift swiftcode"},
	{cueAccount, "account accounts acct acc konto konta kontonummer kontonr ktonr kto cuenta compte conto conta rekening" +
		" rekeningnummer clabe счет bankkonto bankverbindung checking savings cbu nuban"},
	{cueAccountNumber, "kontonummer kontonr ktonr kto bankkonto bankverbindung rekeningnummer clabe nuban cbu"},
	{cueNumber, "number numbers num nr no nummer numero numer номер"},
	{cueBank, "bank banking transfer wire deposit uberweisung iban bancaria bancario bancaire bancaires virement transferencia" +
		" girokonto checking savings deposit payroll routing aba sort sortcode blz bankleitzahl bsb bic swift banco banca" +
		" banque beneficiary agencia sparkonto remittance"},
	{cueWallet, "wallet btc bitcoin eth ethereum ether ltc litecoin xrp ripple trx tron usdt tether usdc xmr monero sol" +
		" solana crypto krypto cripto address doge dogecoin bnb cardano ada polkadot ton stellar xlm zcash dash кошелек" +
		" биткоин adresse direccion endereco indirizzo phantom metamask"},
	{cueMAC, "mac bssid ethernet hwaddr hardware physical wlan macaddress"},
	{cueVersion, "version versions versione versao ver build firmware release section chapter kapitel abschnitt clause" +
		" article paragraph step driver kernel patch update upgrade changelog ios android chrome версия"},
	{cueMail, "mail email emails mails gmail mailadresse emailadresse correo courriel mailto outlook почта posta"},
	{cueAt, "at arroba arobase chiocciola klammeraffe affenschwanz собака собачка apestaart kukac"},
	{cueSite, "website site web webseite homepage visit link url domain shop blog page seite sito sitio pagina" +
		" www besuche visitez visita visite сайт online"},
	{cueOn, "on bei auf von from via sur at en visit under unter"},
	{cueMine, "my mein meine meinem mon ma mi mio mia meu minha our mijn moj min мой моя our unser unsere add follow" +
		" me folgt suivez sigue segui adde"},
	{cueCard, "card cards visa mastercard amex maestro karte kreditkarte kartennummer tarjeta cartao carte carta debit credit" +
		" cc discover карта карты jcb diners unionpay"},
	{cueParcel, "order orders bestellung bestellnummer parcel paket sendung sendungsnummer tracking track shipment imei ean" +
		" gtin isbn upc barcode serial seriennummer invoice rechnung rechnungsnummer pedido commande ordine sku" +
		" fedex dhl ups usps gls hermes colis envio ticket iccid заказ трек article artikel"},
	{cuePrefix, "sk pk rk xoxb xoxp xoxa xoxr xoxs xoxe xapp glpat gldt glptt pypi gocspx age npm hf rnd pat nfp dckr" +
		" shpat shpss shppa whsec ghp gho ghu ghs ghr sg dapi dop gsk xai ntn lin phc phx tskey eaa"},
	{cueScheme, "http https ftp ftps sftp ssh git ws wss hxxp hxxps smb ldap ldaps rtsp rtmp irc redis mongodb postgres" +
		" postgresql mysql amqp mqtt nats magnet svn gs tg"},
	{cueBegin, "begin"},
	{cueDouble, "double doppel doppelt doble"},
	{cueTriple, "triple treble dreifach"},
	{cueZero, "zero oh null nought zeros cero nul ноль"},
	{cueOne, "one eins un une uno una um uma один"},
	{cueTwo, "two zwei zwo deux dos due dois duas два"},
	{cueThree, "three drei trois tres tre три"},
	{cueFour, "four vier quatre cuatro quattro quatro четыре"},
	{cueFive, "five funf fuenf cinq cinco cinque пять"},
	{cueSix, "six sechs seis sei шесть"},
	{cueSeven, "seven sieben sept siete sette sete семь"},
	{cueEight, "eight acht huit ocho otto oito восемь"},
	{cueNine, "nine neun neuf nueve nove девять"},
}

const (
	cueTableSize = 2048 // a power of two, much more than there are words
	maxCueWord   = 32   // bytes
)

// entry is one word of the cueTable.
type entry struct {
	word  string
	kinds [3]cue
}

// cueTable holds the words by their hash, with open addressing.
var cueTable = func() (t [cueTableSize]entry) { //nolint:gochecknoglobals // a constant table
	for _, l := range cueWords {
		for w := range strings.FieldsSeq(l.words) {
			i := hashWord(w)
			for t[i].word != "" && t[i].word != w {
				i = (i + 1) % cueTableSize
			}
			t[i].word = w
			for k := range t[i].kinds {
				if t[i].kinds[k] == noCue {
					t[i].kinds[k] = l.kind
					break
				}
			}
		}
	}
	return t
}()

// hashWord hashes the letters of a word without their case, where the word is ASCII.
func hashWord(w string) uint32 {
	const small = 0x2020202020202020 // makes all letters small
	var x uint64
	switch n := len(w); {
	case n >= 8:
		x = (load8(w) | small) ^ (load8(w[n-8:])|small)*3
	case n >= 4:
		x = uint64(load4(w)) | uint64(load4(w[n-4:]))<<32
	case n > 0:
		x = uint64(w[0]) | uint64(w[n/2])<<8 | uint64(w[n-1])<<16
	}
	x = (x | small) * 0x9e3779b97f4a7c15
	return uint32(x>>40) % cueTableSize
}

func load4(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func load8(s string) uint64 { return uint64(load4(s)) | uint64(load4(s[4:]))<<32 }

// look returns the entry of a word, nil where it has none. The word is ASCII in
// any case, or folded.
func look(w string) *entry {
	if len(w) < 2 || len(w) > maxCueWord {
		return nil
	}
	for i := hashWord(w); cueTable[i].word != ""; i = (i + 1) % cueTableSize {
		if e := &cueTable[i]; len(e.word) == len(w) && sameWord(w, e.word) {
			return e
		}
	}
	return nil
}

// sameWord compares a word with one of the cueTable.
func sameWord(w, small string) bool {
	for i := range len(w) {
		c := w[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != small[i] {
			return false
		}
	}
	return true
}

func (e *entry) is(k cue) bool {
	return e != nil && (e.kinds[0] == k || e.kinds[1] == k || e.kinds[2] == k)
}

// digit returns the digit that a word means, -1 for none.
func (e *entry) digit() int {
	if e != nil {
		for _, k := range e.kinds {
			if k >= cueZero && k <= cueNine {
				return int(k - cueZero)
			}
		}
	}
	return -1
}

// note remembers where the word that ends at end stood.
func (s *scan) note(e *entry, end int) {
	for _, k := range e.kinds {
		s.cues[k] = end
	}
}

// after reports whether the last word of this kind ended at most reach bytes
// before i.
func (s *scan) told(k cue, i, reach int) bool {
	return s.cues[k] > 0 && s.cues[k] <= i && i-s.cues[k] <= reach
}

// follows reports whether one of the first four words behind i is of this kind:
// "071000013 is our routing number".
func (s *scan) follows(k cue, i int) bool {
	for range 4 {
		p := pieceAt(s.text, i, 3)
		if p.start == p.end {
			return false
		}
		if lookAt(s.text, p).is(k) {
			return true
		}
		i = p.end
	}
	return false
}

// piece is a word in a text.
type piece struct{ start, end int }

// pieceAt returns the word that begins at most gap signs behind i, on the same
// line; an empty one where there is none.
func pieceAt(text string, i, gap int) piece {
	for range gap + 1 {
		c, w := next(text, i)
		if isAlpha(c) || c == letter {
			return piece{i, wordEnd(text, i)}
		}
		if w == 0 || c == '\n' || isDigit(c) {
			break
		}
		i += w
	}
	return piece{i, i}
}

// wordEnd returns the end of the letters at i.
func wordEnd(text string, i int) int {
	for {
		c, w := next(text, i)
		if !isAlpha(c) && c != letter {
			return i
		}
		i += w
	}
}

// lookAt looks a word of a text up.
func lookAt(text string, p piece) *entry {
	for i := p.start; i < p.end; i++ {
		if text[i] >= utf8.RuneSelf {
			var buf [maxCueWord]byte
			n, _ := plainWord(&buf, text[p.start:p.end])
			return look(string(buf[:n]))
		}
	}
	return look(text[p.start:p.end])
}

// plainWord puts the letters of a word without case and accents into buf and
// says which alphabets it has. A word that does not fit has the length 0.
func plainWord(buf *[maxCueWord]byte, word string) (n int, s scripts) {
	fits := true
	for _, r := range word {
		switch {
		case r < utf8.RuneSelf:
			s |= latin
			if r >= 'A' && r <= 'Z' {
				r |= 0x20
			}
		case r >= 0xc0 && r <= 0x17f:
			s |= latin
			r = rune(unaccented[r-0xc0])
		case r >= 0x370 && r <= 0x52f:
			s |= lookalike
			r = smallCyrillic(r)
		case r >= 0xff21 && r <= 0xff5a:
			s |= wideLetters
			r = (r - 0xff21 + 'A') | 0x20
		}
		if k := utf8.RuneLen(r); k > 0 && n+k <= len(buf) {
			n += utf8.EncodeRune(buf[n:], r)
		} else {
			fits = false
		}
	}
	if !fits {
		n = 0
	}
	return n, s
}

// scripts is a set of alphabets.
type scripts uint8

const (
	latin scripts = 1 << iota
	lookalike
	wideLetters
)

// unaccented are the letters from U+00C0 to U+017F as small ASCII letters.
const unaccented = "aaaaaaaceeeeiiiidnooooo_ouuuuytsaaaaaaaceeeeiiiidnooooo_ouuuuyty" +
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll" +
	"lllnnnnnn_nnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"

func smallCyrillic(r rune) rune {
	switch {
	case r >= 0x410 && r <= 0x42f:
		return r + 0x20
	case r == 0x401 || r == 0x451: // Ё, ё
		return 'е'
	}
	return r
}
