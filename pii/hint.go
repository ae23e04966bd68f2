package pii

import (
	"slices"
	"strings"
)

// hintReach is how far back, in bytes, words can say what a number is.
const hintReach = 48

// hint reads the words before i and says whether they announce a telephone
// number: 1 yes, -1 no, it is something else; 0 they do not say. The word
// nearest to the number decides.
func hint(text string, i int) int {
	low := max(0, i-hintReach)
	for _, word := range [...]string{"电话", "手机", "電話", "携帯", "전화", "휴대폰", "연락처"} {
		if strings.Contains(text[low:i], word) { // written without spaces between words
			return 1
		}
	}
	number := false // the word behind this one is "number"
	for end := i; end > low; {
		// The last word before end, folded to small ASCII letters.
		var buf [hintReach]byte
		n, at := len(buf), end
		for at > low {
			c, w := prev(text, at)
			if !isAlpha(c) && c != letter {
				break
			}
			at -= w
			if n -= w; n < 0 || at < low {
				return 0
			}
			lower(buf[n:n+w], text[at:at+w])
		}
		if at == end {
			c, w := prev(text, at)
			end = at - w
			if c == '\n' || isDigit(c) {
				return 0 // another line, or another number
			}
			continue
		}
		word := buf[n:]
		if v := meaning(word); v != 0 {
			return v
		}
		if number && among(word, &hintWords.possessives) {
			return 1
		}
		number = among(word, &hintWords.numbers)
		end = at
	}
	return 0
}

// lower copies one character in small ASCII or Cyrillic letters.
func lower(dst []byte, c string) {
	copy(dst, c)
	switch {
	case len(c) == 1 && c[0] >= 'A' && c[0] <= 'Z':
		dst[0] |= 0x20
	case len(c) == 2 && c[0] == 0xd0 && c[1] >= 0x90 && c[1] <= 0x9f: // А to П
		dst[1] += 0x20
	case len(c) == 2 && c[0] == 0xd0 && c[1] >= 0xa0 && c[1] <= 0xaf: // Р to Я
		dst[0], dst[1] = 0xd1, c[1]-0x20
	}
}

// meaning says whether a word announces a telephone number (1), something else
// that has digits (-1), or nothing (0). Words count by their beginning, so that
// "telefonisch" and "Bestellnummer" need no entry of their own.
func meaning(word []byte) int {
	switch {
	case begins(word, &hintWords.otherStems):
		return -1
	case begins(word, &hintWords.phoneStems):
		return 1
	case among(word, &hintWords.others):
		return -1
	case among(word, &hintWords.phones):
		return 1
	}
	return 0
}

// wordSet is a list of words by a hash of their first two bytes.
type wordSet [64][]string

func newWordSet(words string) (s wordSet) {
	for w := range strings.FieldsSeq(words) {
		i := setIndex(w[0], w[1])
		s[i] = append(s[i], w)
	}
	return s
}

func setIndex(a, b byte) int { return int(a^b<<2^b>>4) % len(wordSet{}) }

// hintWords are the words below as sets.
var hintWords = struct { //nolint:gochecknoglobals // constant tables
	otherStems, phoneStems, others, phones, numbers, possessives wordSet
}{
	newWordSet(otherStems), newWordSet(phoneStems), newWordSet(otherWords), newWordSet(phoneWords),
	newWordSet(numberWords), newWordSet(possessives),
}

// begins reports whether a word begins with one of the list.
func begins(word []byte, s *wordSet) bool {
	if len(word) < 2 {
		return false
	}
	for _, w := range s[setIndex(word[0], word[1])] {
		if len(word) >= len(w) && string(word[:len(w)]) == w {
			return true
		}
	}
	return false
}

// among reports whether a word is one of the list.
func among(word []byte, s *wordSet) bool {
	if len(word) < 2 {
		return false
	}
	return slices.Contains(s[setIndex(word[0], word[1])], string(word))
}

// The words, in the languages in which people write them most. Stems match the
// beginning of a word, words the whole of it.
const (
	phoneStems = "phone tel mobil cell whatsapp handy rufnummer anruf celular móvil móviles movil llama appel" +
		" answer desk portable cellulare chiama telefoon bellen zadzwoń komórk телефон позвон звон моб"
	phoneWords = "call calls calling called dial ring text texting sms fax landline contact reach ruf rufe rufen" +
		" festnetz llame teléfono télé tél fijo ligue liga ligar bel ara gsm тел whats wa viber signal telegram"
	otherStems = "order bestell invoice rechnung factur fattur auftrag pedido commande ordine booking buchung" +
		" reserv ticket track sendung paket parcel ship konto account cuenta compte customer kunden client" +
		" refer referenz vorgang case serial serien product artikel article item sku isbn issn ean barcode" +
		" licen version transact payment zahlung betrag price preis prix precio amount total steuer passport" +
		" ausweis policy vertrag contract zip postal postcode plz заказ счет счёт"
	otherWords = "id ids pin code otp ref no po imei iccid ssn nhs vat ustid ssid mac port build rev lot batch" +
		" member euro eur usd gbp chf bic iban card karte"
	// "number" alone says nothing, "my number" does.
	numberWords = "number nummer numéro número numero nr номер numer"
	possessives = "my his her your our their mein meine seine ihre unsere mon son votre mi su tu mio suo minha meu mijn mój мой"
)
