package pii

import "strings"

// value is what stands behind words that announce it: "my password is …".
type value struct {
	start  int
	said   bool // a verb or a sign announces it
	sign   bool // the last thing before it is a colon, an equals sign or an arrow
	quoted bool
}

// announced skips what may stand between an announcing word and its value: at
// most this many words that say nothing, a verb, a sign, a quotation mark.
func (s *scan) announced(p piece, words int) (v value, ok bool) {
	const reach = 64
	i := p.end
	for i < len(s.text) && i-p.end < reach {
		c, w := next(s.text, i)
		switch {
		case c == '\'' && i == p.end && strings.HasPrefix(s.text[i:], "'s "):
			v.said = true // my password's
			i += len("'s")
			continue
		case c == ' ' || c == skip || c == '*' || c == '_' && i == p.end:
			i += w
			continue
		case c == ':' || c == '=':
			v.said, v.sign = true, true
			i += w
			continue
		case (c == '-' || c == '>') && i+1 < len(s.text) && (s.text[i+1] == '>' || s.text[i+1] == ' ') && spaceBefore(s.text, i):
			v.said, v.sign = true, true
			i += w
			continue
		case c == '>' && s.text[i-1] == '-':
			i += w
			continue
		case (c == '(' && i > p.end || c == ')') && !v.said:
			i += w
			continue
		case c == '"' || c == '\'' || c == '`' || quoteAt(s.text, i) > 0:
			if v.quoted || i == p.end {
				return v, false // the quotation ends here
			}
			v.quoted = true
			i += max(w, quoteAt(s.text, i))
			continue
		case c == '\n' && v.sign:
			i += w
			continue
		case isAlpha(c) || c == letter:
			if v.quoted || v.sign {
				v.start = i
				return v, true
			}
			end := wordEnd(s.text, i)
			if b, _ := next(s.text, end); isDigit(b) || b == '_' {
				v.start = i
				return v, true
			}
			switch meansNothing(s.text[i:end]) {
			case verb:
				if v.said {
					v.start = i
					return v, true
				}
				v.said = true
			case filler:
				if words--; words < 0 {
					return v, false
				}
			case apart:
				v.start = i
				return v, true
			}
			i = end
			continue
		}
		if c == other && hanVerb(s.text[i:i+w]) {
			v.said = true
			i += w
			continue
		}
		if c == '.' || c == ',' || c == '?' || c == ';' || c == '!' && !v.said {
			return v, false
		}
		v.start = i
		return v, c != '\n' && w > 0
	}
	return v, false
}

// hanVerb reports whether a character does what "is" does.
func hanVerb(c string) bool {
	switch c {
	case "是", "为", "為", "は", "が", "는", "은", "：":
		return true
	}
	return false
}

func spaceBefore(text string, i int) bool { return i > 0 && (text[i-1] == ' ' || text[i-1] == '=') }

// quoteAt returns the length of a typographic quotation mark at i, 0 for none.
func quoteAt(text string, i int) int {
	if i+3 <= len(text) && text[i] == 0xe2 && text[i+1] == 0x80 && text[i+2] >= 0x98 && text[i+2] <= 0x9f {
		return 3
	}
	if i+2 <= len(text) && text[i] == 0xc2 && (text[i+1] == 0xab || text[i+1] == 0xbb) {
		return 2
	}
	return 0
}

// role is what a word between an announcing word and its value does.
type role uint8

const (
	apart  role = iota // it may be the value
	filler             // it says nothing
	verb               // the value follows
)

func meansNothing(word string) role {
	var buf [maxCueWord]byte
	n, _ := plainWord(&buf, word)
	switch string(buf[:n]) {
	case "is", "ist", "lautet", "est", "es", "e", "era", "was", "war", "sind", "are", "equals", "heisst", "called", "set",
		"это", "changed", "s", "sera", "sara":
		return verb
	case "for", "the", "my", "your", "our", "a", "to", "of", "on", "wifi", "wlan", "login", "account", "number", "nummer",
		"code", "name", "id", "handle", "user", "username", "here", "fur", "das", "der", "die", "mein", "meine", "dein",
		"deine", "pour", "le", "la", "mon", "de", "du", "para", "mi", "tu", "do", "da", "per", "il", "mio", "mia",
		"meu", "minha", "new", "neues", "neue", "neuer", "nouveau", "nueva", "nova", "key", "token", "konto", "compte",
		"cuenta", "conta", "current", "router", "email", "mail", "portal", "app", "numero", "nr", "no", "acc", "acct",
		"secret", "access", "value", "passe", "acceso", "utilisateur", "usuario", "utente", "bearer", "contact", "karte",
		"card", "bank", "banking", "online", "swift", "bic", "address", "wallet", "auf", "bei", "now", "jetzt", "mot",
		"мой", "для", "от", "phone", "handy":
		return filler
	}
	return apart
}

// clauseEnds reports whether no more words follow: the text or the line ends,
// or punctuation stands there.
func clauseEnds(text string, i int) bool {
	c, at := after(text, i)
	switch c {
	case none, '\n', '.', ',', ';', '!', '?', ')', '"', '\'', other, '|':
		return true
	case ' ':
		d, _ := after(text, at+1)
		return !isWord(d) && d != '\'' || d == none
	}
	return false
}

// isPlainAnswer knows words that stand where a name or a password could, and
// say something about it instead.
func isPlainAnswer(w string) bool {
	var buf [maxCueWord]byte
	n, _ := plainWord(&buf, w)
	switch string(buf[:n]) {
	case "private", "public", "down", "broken", "blocked", "hacked", "gone", "deleted", "taken", "required", "wrong",
		"not", "incorrect", "invalid", "expired", "forgotten", "lost", "stolen", "weak", "strong", "safe", "secure",
		"unknown", "missing", "empty", "correct", "right", "good", "great", "fine", "okay", "same", "different",
		"disabled", "locked", "suspended", "banned", "closed", "open", "offline", "online", "working", "failing",
		"slow", "better", "nice", "cool", "awesome", "amazing", "important", "optional", "mandatory", "needed",
		"changed", "reset", "updated", "protected", "encrypted", "hidden", "visible", "available", "unavailable",
		"there", "here", "this", "that", "what", "yours", "mine", "none", "nothing", "soon", "short", "long", "fail",
		"please", "thanks", "thank", "sorry", "hello", "help", "stories", "story", "post", "posts", "page", "account",
		"profile", "link", "username", "password", "below", "above", "attached", "change", "forgot", "error", "case",
		"falsch", "vergessen", "gesperrt", "gehackt", "privat", "offentlich", "abgelaufen", "ungultig", "richtig",
		"leer", "weg", "geloscht", "notig", "erforderlich", "kaputt", "bitte", "danke", "unsicher", "sicher",
		"zuruckgesetzt", "geandert", "unbekannt", "nicht", "kein", "keine", "egal", "gleich", "anders", "verfugbar",
		"prive", "oublie", "bloque", "perdu", "incorrecte", "invalide", "expire", "requis", "obligatoire", "merci",
		"faux", "mauvais", "supprime", "pirate", "publique",
		"privado", "publico", "olvidada", "olvidado", "incorrecta", "incorrecto", "bloqueada", "bloqueado", "gracias",
		"perdida", "caducada", "necesaria", "obligatoria", "hackeado", "hackeada", "nueva", "segura",
		"errada", "esquecida", "obrigado", "obrigada", "incorreta", "expirada", "privada", "fraca", "forte",
		"sbagliata", "dimenticata", "scaduta", "bloccato", "bloccata", "privato", "grazie", "errata", "sicura",
		"true", "false", "null", "undefined", "admin", "string", "test", "example", "yes", "nope", "yeah", "maybe",
		"again", "always", "never", "still", "also", "just", "only", "login", "email", "follow", "dead":
		return true
	}
	return false
}
