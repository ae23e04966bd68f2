package pii

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// DateShift moves dates by a number of days that depends on the key and on
// [Use.Person], so that the days between a person's dates stay the same and the
// dates themselves are not theirs. Order, signs, language and case of a date
// stay as they were written; a day of the week beside it moves along. A month
// without a day and a year alone stay; a date that cannot be read, such as
// "next Tuesday", and everything that is no date becomes "[DATE]".
type DateShift struct {
	Key Key

	// Days is how far a date moves at most, either way and never by nought;
	// default 30.
	Days int

	// KeepWeekday moves by whole weeks only, so that a Tuesday stays one.
	KeepWeekday bool

	// Back moves dates back that were moved with the same key, person and
	// settings. The date is the same then; how it was written may differ by a
	// leading nought, and by the language where a month is called the same in
	// several and [Use.Language] is not given.
	Back bool
}

// Append implements [Operator].
func (s DateShift) Append(dst []byte, f Finding) []byte {
	if s.Key.none() || f.Type != Date && f.Type != DateOfBirth {
		return Redact{}.Append(dst, f)
	}
	t, ok := readDate(f.Value, orderOf(f.Use))
	if !ok {
		return Redact{}.Append(dst, f)
	}
	return t.moved(dst, s.days(f.Use.Person))
}

// days returns by how many days a person's dates move.
func (s DateShift) days(person string) int {
	n, unit := s.Days, 1
	if n <= 0 {
		n = 30
	}
	if s.KeepWeekday {
		n, unit = max(n/7, 1), 7
	}
	sum := s.Key.sum("dateshift", person)
	v := int(binary.BigEndian.Uint64(sum[:])%uint64(2*n)) - n //nolint:gosec // from -n to n-1
	if v >= 0 {
		v++
	}
	if s.Back {
		v = -v
	}
	return v * unit
}

// Generalise says less: an age becomes a band of ten years ("30–39"), a date
// its month, a date of birth its year, a postcode its beginning, an internet
// address its network (/24, or /48 for version 6), a web address its host, a
// place its country. Everything else, and what cannot be read, becomes what
// [Redact] makes of it.
type Generalise struct {
	// Country returns the country that a place is in, "" where it is not known;
	// default: a place is known only where it is a country itself or ends in
	// one ("Hamburg, Germany").
	Country func(place string) string
}

// Append implements [Operator].
func (g Generalise) Append(dst []byte, f Finding) []byte {
	var out string
	switch f.Type { //nolint:exhaustive // the others are redacted
	case Age:
		out = ageBand(f.Value)
	case Date:
		if t, ok := readDate(f.Value, orderOf(f.Use)); ok {
			out = t.month()
		}
	case DateOfBirth:
		if t, ok := readDate(f.Value, orderOf(f.Use)); ok && t.y > 0 {
			out = strconv.Itoa(t.y)
		}
	case Postcode:
		out = postcodeArea(f.Value)
	case IP:
		out = ipNetwork(f.Value)
	case URL:
		out = string(appendHost(nil, f.Value))
	case Location:
		out = countryOf(f.Value)
		if out == "" && g.Country != nil {
			out = g.Country(f.Value)
		}
	default:
	}
	if out == "" {
		return Redact{}.Append(dst, f)
	}
	return append(dst, out...)
}

// ageBand puts a band of ten years in the place of the first number.
func ageBand(value string) string {
	for i := 0; i < len(value); {
		c, w := next(value, i)
		if !isDigit(c) {
			i += w
			continue
		}
		p := readDateNumber(value, i)
		if p.width > 3 {
			return ""
		}
		band := "90+"
		if p.value < 90 {
			from := p.value / 10 * 10
			band = strconv.Itoa(from) + "–" + strconv.Itoa(from+9)
		}
		if strings.ContainsFunc(value[p.end:], unicode.IsDigit) {
			return "" // "1 year and 3 months" says more than a band
		}
		return value[:i] + band + value[p.end:]
	}
	return ""
}

// month returns the date without its day, "" where nothing is left then.
func (t *dateText) month() string {
	var out []byte
	name := func() {
		if t.monthWord {
			out = append(out, t.text[t.pieces[t.mi].start:t.pieces[t.mi].end]...)
		} else {
			out = appendDateNumber(out, t.m, 2, t.pieces[t.mi].zero)
		}
	}
	switch {
	case t.y == 0 && t.monthWord:
		name()
	case t.y == 0:
	case t.mi < 0:
		out = append(out, t.text[t.pieces[t.yi].start:t.pieces[t.yi].end]...)
	case t.yi < t.mi:
		out = appendDateNumber(out, t.y, 4, t.pieces[t.yi].zero)
		out = append(out, t.between(t.yi)...)
		name()
		if t.pieces[t.mi].sign == '月' {
			out = append(out, "月"...)
		}
	default:
		name()
		if t.monthWord {
			out = append(out, ' ')
		} else {
			out = append(out, t.between(t.mi)...)
		}
		out = appendDateNumber(out, t.y, 4, t.pieces[t.yi].zero)
	}
	return string(out)
}

// between returns the sign behind a piece.
func (t *dateText) between(i int) string {
	switch s := t.pieces[i].sign; s {
	case '.', '/', '年', ' ':
		return string(s)
	}
	return "-"
}

// postcodeArea keeps the letters that a postcode begins with, or two digits.
func postcodeArea(value string) string {
	letters, digits := 0, 0
	for letters < len(value) && isAlpha(value[letters]) {
		letters++
	}
	for i := range len(value) {
		if isDigit(value[i]) {
			digits++
		}
	}
	switch {
	case letters > 0 && letters < 3 && digits > 0:
		return value[:letters] + bullets
	case letters == 0 && digits >= 4 && len(value) > 2 && isDigit(value[0]) && isDigit(value[1]):
		return value[:2] + bullets
	}
	return ""
}

// ipNetwork returns the network of an address.
func ipNetwork(value string) string {
	addr, bits, hasBits := strings.Cut(value, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	n := 48
	if a.Is4() {
		n = 24
	}
	if b, err := strconv.Atoi(bits); hasBits && err == nil && b >= 0 {
		n = min(n, b)
	}
	p, err := a.Prefix(n)
	if err != nil {
		return ""
	}
	return p.String()
}

// countryOf returns the part of a place that is a country, as it was written.
func countryOf(place string) string {
	if k := strings.LastIndexByte(place, ','); k >= 0 {
		place = place[k+1:]
	}
	place = strings.TrimSpace(place)
	if strings.Contains(countryNames, "|"+string(foldWords(place))+"|") && place != "" {
		return place
	}
	return ""
}

// countryNames are names of countryNames, folded: in English, and the larger and
// nearer ones in German, French, Spanish, Portuguese and Italian as well.
const countryNames = "|afghanistan|albania|algeria|andorra|angola|argentina|armenia|australia|austria|azerbaijan|bahamas|bahrain|bangladesh|barbados" +
	"|belarus|belgium|belize|benin|bhutan|bolivia|bosnia and herzegovina|bosnia|botswana|brazil|brunei|bulgaria|burkina faso|burundi|cambodia" +
	"|cameroon|canada|cape verde|chad|chile|china|colombia|comoros|congo|costa rica|croatia|cuba|cyprus|czechia|czech republic|denmark|djibouti" +
	"|dominica|dominican republic|ecuador|egypt|el salvador|england|eritrea|estonia|eswatini|ethiopia|fiji|finland|france|gabon|gambia|georgia" +
	"|germany|ghana|greece|grenada|guatemala|guinea|guyana|haiti|honduras|hungary|iceland|india|indonesia|iran|iraq|ireland|israel|italy" +
	"|ivory coast|jamaica|japan|jordan|kazakhstan|kenya|kosovo|kuwait|kyrgyzstan|laos|latvia|lebanon|lesotho|liberia|libya|liechtenstein" +
	"|lithuania|luxembourg|madagascar|malawi|malaysia|maldives|mali|malta|mauritania|mauritius|mexico|moldova|monaco|mongolia|montenegro" +
	"|morocco|mozambique|myanmar|namibia|nepal|netherlands|the netherlands|new zealand|nicaragua|niger|nigeria|north korea|north macedonia" +
	"|northern ireland|norway|oman|pakistan|palestine|panama|papua new guinea|paraguay|peru|philippines|poland|portugal|qatar|romania|russia" +
	"|rwanda|saudi arabia|scotland|senegal|serbia|seychelles|sierra leone|singapore|slovakia|slovenia|somalia|south africa|south korea|spain" +
	"|sri lanka|sudan|suriname|sweden|switzerland|syria|taiwan|tajikistan|tanzania|thailand|togo|tunisia|turkey|turkiye|turkmenistan|uganda" +
	"|ukraine|united arab emirates|uae|united kingdom|uk|great britain|united states|united states of america|usa|us|uruguay|uzbekistan" +
	"|vatican|venezuela|vietnam|wales|yemen|zambia|zimbabwe" +
	"|agypten|belgien|bosnien|brasilien|bulgarien|danemark|deutschland|finnland|frankreich|griechenland|grossbritannien|indien|irland|island" +
	"|italien|japan|kanada|kroatien|lettland|litauen|luxemburg|marokko|mexiko|niederlande|norwegen|osterreich|polen|rumanien|russland|schweden" +
	"|schweiz|serbien|slowakei|slowenien|spanien|sudafrika|sudkorea|syrien|tschechien|turkei|ungarn|vereinigte staaten|vereinigtes konigreich" +
	"|allemagne|angleterre|autriche|belgique|bresil|chine|croatie|danemark|egypte|espagne|etats unis|finlande|grece|hongrie|inde|irlande|italie" +
	"|japon|maroc|mexique|norvege|pays bas|pologne|roumanie|royaume uni|russie|serbie|suede|suisse|tunisie|turquie|algerie|cote d ivoire" +
	"|alemania|argelia|austria|belgica|brasil|corea del sur|dinamarca|egipto|espana|estados unidos|francia|grecia|hungria|inglaterra|irlanda" +
	"|italia|japon|marruecos|noruega|paises bajos|polonia|reino unido|rumania|rusia|suecia|suiza|turquia|ucrania|mexico|peru|panama" +
	"|alemanha|espanha|franca|grecia|inglaterra|italia|japao|marrocos|mocambique|noruega|paises baixos|polonia|romenia|russia|suecia|suica" +
	"|germania|spagna|gran bretagna|grecia|inghilterra|giappone|marocco|norvegia|paesi bassi|portogallo|regno unito|stati uniti|svezia|svizzera|turchia|ungheria|"
