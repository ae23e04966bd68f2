package pii

import "strings"

// secretSpan makes the finding of a key whose format says what it is.
func secretSpan(start, end int, rule string) Span {
	return Span{Start: start, End: end, Type: Secret, Score: 0.95, Rule: rule}
}

// keyFormats are beginnings of keys that are one piece of letters, digits and
// underscores, and how long such a key is at least, and at most (0: no limit).
// They are facts of the services' documentation.
var keyFormats = [...]struct { //nolint:gochecknoglobals // a constant table
	prefix   string
	min, max int
	rule     string
}{
	{"AKIA", 20, 20, "secret/aws"},
	{"ASIA", 20, 20, "secret/aws"},
	{"ABIA", 20, 20, "secret/aws"},
	{"ACCA", 20, 20, "secret/aws"},
	{"ghp_", 36, 0, "secret/github"},
	{"gho_", 36, 0, "secret/github"},
	{"ghu_", 36, 0, "secret/github"},
	{"ghs_", 36, 0, "secret/github"},
	{"ghr_", 36, 0, "secret/github"},
	{"github_pat_", 40, 0, "secret/github"},
	{"sk_live_", 18, 0, "secret/stripe"},
	{"sk_test_", 18, 0, "secret/stripe"},
	{"rk_live_", 18, 0, "secret/stripe"},
	{"rk_test_", 18, 0, "secret/stripe"},
	{"pk_live_", 18, 0, "secret/stripe"},
	{"pk_test_", 18, 0, "secret/stripe"},
	{"whsec_", 24, 0, "secret/stripe"},
	{"npm_", 40, 40, "secret/npm"},
	{"hf_", 30, 0, "secret/huggingface"},
	{"gsk_", 40, 0, "secret/groq"},
	{"r8_", 40, 40, "secret/replicate"},
	{"dop_v1_", 60, 0, "secret/digitalocean"},
	{"shpat_", 38, 38, "secret/shopify"},
	{"shpss_", 38, 38, "secret/shopify"},
	{"shppa_", 38, 38, "secret/shopify"},
	{"shpca_", 38, 38, "secret/shopify"},
	{"dckr_pat_", 30, 0, "secret/docker"},
	{"glrt_", 20, 0, "secret/gitlab"},
	{"lin_api_", 40, 0, "secret/linear"},
	{"secret_", 43, 0, "secret/notion"},
	{"ntn_", 40, 0, "secret/notion"},
	{"EAACEdEose0cBA", 40, 0, "secret/facebook"},
	{"PMAK", 50, 0, "secret/postman"},
	{"sq0atp", 20, 0, "secret/square"},
	{"rubygems_", 40, 0, "secret/rubygems"},
	{"tskey_", 20, 0, "secret/tailscale"},
	{"phc_", 40, 0, "secret/posthog"},
}

// knownKey looks for a key of a known format that begins with the letters,
// digits and underscores text[start:end].
func (s *scan) knownKey(start, end int) (Span, bool) {
	text, w := s.text, s.text[start:end]
	switch {
	case strings.HasPrefix(w, "eyJ"):
		return jwt(text, start, end)
	case strings.HasPrefix(w, "AIza"):
		if end = keyEnd(text, end); end-start == 39 {
			return secretSpan(start, end, "secret/google"), true
		}
		return Span{}, false
	case isDigit(w[0]):
		return telegramToken(text, start, end)
	}
	for _, f := range &keyFormats {
		if w[0] == f.prefix[0] && strings.HasPrefix(w, f.prefix) && len(w) >= f.min && (f.max == 0 || len(w) <= f.max) {
			if f.rule == "secret/aws" && !upperAndDigits(w) {
				continue
			}
			return secretSpan(start, keyEnd(text, end), f.rule), true
		}
	}
	return Span{}, false
}

func upperAndDigits(w string) bool {
	for i := range len(w) {
		if !isDigit(w[i]) && (w[i] < 'A' || w[i] > 'Z') {
			return false
		}
	}
	return true
}

// keyEnd walks on over what a key of the base64 alphabet for links can hold.
func keyEnd(text string, i int) int {
	for i < len(text) && (isAlpha(text[i]) || isDigit(text[i]) || text[i] == '_' || text[i] == '-') {
		i++
	}
	for text[i-1] == '-' {
		i--
	}
	return i
}

// jwt reads a token of RFC 7519: three parts with dots between them, of which
// the first is an object.
func jwt(text string, start, end int) (Span, bool) {
	end = keyEnd(text, end)
	for n := range 2 {
		if end+1 >= len(text) || text[end] != '.' {
			return Span{}, false
		}
		stop := keyEnd(text, end+1)
		if stop-end < 4 {
			return Span{}, false
		}
		if n == 0 && !strings.HasPrefix(text[end+1:], "eyJ") {
			return Span{}, false
		}
		end = stop
	}
	return secretSpan(start, end, "secret/jwt"), true
}

// telegramToken looks for a bot's token, of which the digits stand at start: 8
// to 10 of them, a colon and 35 letters.
func telegramToken(text string, start, end int) (Span, bool) {
	for i := start; i < end; i++ {
		if !isDigit(text[i]) {
			return Span{}, false
		}
	}
	if n := end - start; n < 8 || n > 10 || end >= len(text) || text[end] != ':' {
		return Span{}, false
	}
	stop := keyEnd(text, end+1)
	return secretSpan(start, stop, "secret/telegram"), stop-end-1 >= 34 && stop-end-1 <= 36
}

// prefixedKey looks for a key whose first part is the word at p, with a hyphen
// or an underscore behind it: sk-…, xoxb-…, glpat-….
func (s *scan) prefixedKey(p piece) (Span, bool) {
	text := s.text
	if p.end >= len(text) || text[p.end] != '-' && text[p.end] != '_' {
		return Span{}, false
	}
	if c, _ := before(text, p.start); isWord(c) || c == '-' {
		return Span{}, false
	}
	end := keyEnd(text, p.end)
	const least = 16
	if end-p.end < least || !looksRandom(text[p.end:end]) {
		return Span{}, false
	}
	return secretSpan(p.start, end, "secret/prefixed"), true
}

// pem looks for a private key (RFC 7468) around the word BEGIN at p. Where its
// last line is missing, all that can belong to it does.
func pem(text string, p piece) (Span, bool) {
	const dashes = "-----"
	start := p.start - len(dashes)
	if start < 0 || text[start:p.start] != dashes {
		return Span{}, false
	}
	rest := text[p.end:]
	head, _, _ := strings.Cut(rest[:min(len(rest), 64)], dashes)
	if !strings.HasSuffix(head, "PRIVATE KEY") && !strings.HasSuffix(head, "PRIVATE KEY BLOCK") {
		return Span{}, false
	}
	const most = 16 << 10
	i := p.end + len(head)
	body := text[i:min(len(text), i+most)]
	for len(body) > 1 && body[len(body)-1] >= 0x80 {
		body = body[:len(body)-1]
	}
	if n := strings.Index(body, dashes+"END"); n >= 0 {
		line := body[n+len(dashes):]
		if m := strings.Index(line, dashes); m >= 0 && m < 64 {
			return secretSpan(start, i+n+len(dashes)+m+len(dashes), "secret/pem"), true
		}
	}
	n := strings.IndexFunc(body, func(r rune) bool {
		return r >= 0x80 || r < ' ' && r != '\n' && r != '\r'
	})
	if n < 0 {
		n = len(body)
	}
	return secretSpan(start, i+n, "secret/pem"), true
}

// announcedKey looks for a key of no known format behind a word for one.
func (s *scan) announcedKey(start, end int) (Span, bool) {
	if !s.told(cueKey, start, 40) && !s.told(cuePassword, start, 40) {
		return Span{}, false
	}
	end = base64End(s.text, end)
	if !looksRandom(s.text[start:end]) {
		return Span{}, false
	}
	return Span{Start: start, End: end, Type: Secret, Score: 0.75, Rule: "secret/announced", Context: "key"}, true
}

// base64End walks on over what a key of the other base64 alphabet can hold.
func base64End(text string, i int) int {
	i = keyEnd(text, i)
	for i < len(text) && strings.IndexByte("+/=", text[i]) >= 0 {
		i = max(keyEnd(text, i+1), i+1)
	}
	return i
}

// looksRandom reports whether letters and digits are mixed as chance does it:
// there are at least two digits, or one in a long text, four letters, and nine
// different characters.
func looksRandom(w string) bool {
	digits, alphas, different := 0, 0, 0
	var seen [128]bool
	for i := range len(w) {
		c := w[i]
		if isDigit(c) {
			digits++
		} else if isAlpha(c) {
			alphas++
		}
		if c < 128 && !seen[c] {
			seen[c] = true
			different++
		}
	}
	long := len(w) >= 32 && different >= 16
	return (digits >= 2 || digits == 1 && long) && alphas >= 4 && different >= 9
}

// password looks for the value behind a word for a password.
func (s *scan) password(kind cue, p piece) (Span, bool) {
	v, ok := s.announced(p, 5)
	if !ok || kind == cuePass && !v.said {
		return Span{}, false
	}
	end := passwordEnd(s.text, v)
	w := s.text[v.start:end]
	const least, most = 3, 128
	if len(w) < least || len(w) > most || w[0] == '<' || w[0] == '[' || w[0] == '{' {
		return Span{}, false
	}
	sp := Span{Start: v.start, End: end, Type: Secret, Score: 0.8, Rule: "secret/password", Context: "password"}
	strong := strength(w)
	switch {
	case v.quoted:
		return sp, !isPlainAnswer(w)
	case strong > 1 && (v.said || isAlpha(w[0]) && len(w) >= 6), strong == 1 && v.said:
		return sp, !timeLike(w) || strong > 1 && v.said
	case !v.said:
		return Span{}, false
	}
	sp.Score = 0.65
	mine := v.sign || s.told(cueMine, p.start, 16)
	return sp, mine && len(w) >= 4 && clauseEnds(s.text, end) && !isPlainAnswer(w)
}

// passwordEnd returns the end of a password: the quotation mark or the space
// behind it, without the punctuation of the sentence.
func passwordEnd(text string, v value) int {
	i := v.start
	if v.quoted {
		if n := strings.IndexAny(text[i:min(len(text), i+64)], "\"'`\n\u201c\u201d\u2019\u00bb\u00ab"); n > 0 && text[i+n] != '\n' {
			return i + n
		}
	}
	for i < len(text) && i-v.start <= 130 {
		c, w := next(text, i)
		if c <= ' ' || v.quoted && (strings.IndexByte("\"'`", c) >= 0 || quoteAt(text, i) > 0) {
			break
		}
		i += w
	}
	for i > v.start && !v.quoted && strings.IndexByte(".,;:?)\"'`*<>", text[i-1]) >= 0 {
		i--
	}
	return i
}

// strength says how little a text looks like a word: 2 letters and digits or
// signs, 1 digits alone, or capital letters inside, 0 a word.
func strength(w string) int {
	digits, alphas, signs := 0, 0, 0
	inner := false
	for i := range len(w) {
		switch c := w[i]; {
		case isDigit(c):
			digits++
		case isAlpha(c) || c >= 0x80:
			alphas++
			inner = inner || i > 0 && c >= 'A' && c <= 'Z' && w[i-1] >= 'a' && w[i-1] <= 'z'
		case c == '\'' || c == '-' || c == '/':
		default:
			signs++
		}
	}
	switch {
	case alphas > 0 && digits > 0, signs > 0 && alphas+digits >= 3 && w[len(w)-1] != '!',
		signs > 1 && alphas+digits >= 3:
		return 2
	case digits >= 4, inner:
		return 1
	}
	return 0
}

// pin looks for the digits behind a word for a secret number.
func (s *scan) pin(kind cue, p piece) (Span, bool) {
	if kind == cueCode && !s.told(cueVerify, p.start, 12) {
		// The other word may come later: "code de vérification".
		of := pieceAt(s.text, p.end, 1)
		if of.end-of.start <= 3 {
			of = pieceAt(s.text, of.end, 1)
		}
		if !lookAt(s.text, of).is(cueVerify) {
			return Span{}, false
		}
		p = of
	}
	v, ok := s.announced(p, 4)
	if !ok {
		return Span{}, false
	}
	start := v.start
	if strings.HasPrefix(s.text[start:], "G-") {
		start += 2 // as Google writes them
	}
	end := start
	for end < len(s.text) && end-start <= 9 && isDigit(s.text[end]) {
		end++
	}
	n := end - start
	if n == 3 && end+4 <= len(s.text) && (s.text[end] == ' ' || s.text[end] == '-') && digitsEnd(s.text, end+1) == end+4 {
		end, n = end+4, 6 // 123 456
	}
	least, most := 4, 8
	if kind == cuePIN {
		least = 3
	}
	if n < least || n > most {
		return Span{}, false
	}
	c, at := after(s.text, end)
	if d, _ := next(s.text, at+1); isWord(c) || c == '-' || c == '/' || (c == '.' || c == ',' || c == ':') && isDigit(d) {
		return Span{}, false
	}
	if kind == cuePIN && n == 6 && sameWord2(s.text[p.start:p.end], "pincode") || n == 6 && s.text[end-4] == ' ' && !v.said {
		return Span{}, false // of an Indian address
	}
	return Span{Start: start, End: end, Type: Secret, Score: 0.75, Rule: "secret/pin", Context: "pin"}, true
}

func digitsEnd(text string, i int) int {
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}
