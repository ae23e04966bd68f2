package pii

import "strings"

// monthTable is how one language names months and days of the week.
type monthTable struct {
	lang        string
	long, short [12]string
	days        [7]string // from Sunday on
	shortDays   [7]string
}

// monthTables are the languages in the order in which they are tried.
var monthTables = func() (out []monthTable) { //nolint:gochecknoglobals // a constant table
	for _, row := range [...][5]string{
		{
			"en", "January February March April May June July August September October November December",
			"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "Sunday Monday Tuesday Wednesday Thursday Friday Saturday", "Sun Mon Tue Wed Thu Fri Sat",
		},
		{
			"de", "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
			"Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez", "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag", "So Mo Di Mi Do Fr Sa",
		},
		{
			"fr", "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
			"janv févr mars avr mai juin juil août sept oct nov déc", "dimanche lundi mardi mercredi jeudi vendredi samedi", "dim lun mar mer jeu ven sam",
		},
		{
			"es", "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
			"ene feb mar abr may jun jul ago sep oct nov dic", "domingo lunes martes miércoles jueves viernes sábado", "dom lun mar mié jue vie sáb",
		},
		{
			"pt", "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
			"jan fev mar abr mai jun jul ago set out nov dez", "domingo segunda terça quarta quinta sexta sábado", "dom seg ter qua qui sex sáb",
		},
		{
			"it", "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
			"gen feb mar apr mag giu lug ago set ott nov dic", "domenica lunedì martedì mercoledì giovedì venerdì sabato", "dom lun mar mer gio ven sab",
		},
		{
			"nl", "januari februari maart april mei juni juli augustus september oktober november december",
			"jan feb mrt apr mei jun jul aug sep okt nov dec", "zondag maandag dinsdag woensdag donderdag vrijdag zaterdag", "zo ma di wo do vr za",
		},
		{
			"pl", "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
			"sty lut mar kwi maj cze lip sie wrz paź lis gru", "niedziela poniedziałek wtorek środa czwartek piątek sobota", "nd pn wt śr cz pt sob",
		},
		{
			"ru", "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
			"янв фев мар апр мая июн июл авг сен окт ноя дек", "воскресенье понедельник вторник среда четверг пятница суббота", "вс пн вт ср чт пт сб",
		},
		{
			"tr", "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
			"Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara", "Pazar Pazartesi Salı Çarşamba Perşembe Cuma Cumartesi", "Paz Pzt Sal Çar Per Cum Cmt",
		},
	} {
		c := monthTable{lang: row[0]}
		copy(c.long[:], strings.Fields(row[1]))
		copy(c.short[:], strings.Fields(row[2]))
		copy(c.days[:], strings.Fields(row[3]))
		copy(c.shortDays[:], strings.Fields(row[4]))
		out = append(out, c)
	}
	return out
}()

// dateWord is one meaning of a word in dates.
type dateWord struct {
	lang  int8 // index of monthTables
	month int8 // 0 to 11, or -1
	day   int8 // of the week, 0 for Sunday, or -1
	short bool
}

// dateWords are the meanings of folded words, in the order of monthTables.
var dateWords = func() map[string][]dateWord { //nolint:gochecknoglobals // a constant table
	out := make(map[string][]dateWord)
	put := func(name string, w dateWord) {
		key := string(foldWords(name))
		if ws := out[key]; len(ws) > 0 && ws[len(ws)-1].lang == w.lang && ws[len(ws)-1].month == w.month && ws[len(ws)-1].day == w.day {
			return // May is long and short
		}
		out[key] = append(out[key], w)
	}
	for i, c := range monthTables {
		l := int8(i)
		for m := range c.long {
			put(c.long[m], dateWord{l, int8(m), -1, false})
			put(c.short[m], dateWord{l, int8(m), -1, true})
		}
		for d := range c.days {
			put(c.days[d], dateWord{l, -1, int8(d), false})
			put(c.shortDays[d], dateWord{l, -1, int8(d), true})
		}
	}
	const en, de = 0, 1
	for _, more := range []struct {
		name string
		w    dateWord
	}{
		{"sept", dateWord{en, 8, -1, true}},
		{"jänner", dateWord{de, 0, -1, false}},
		{"feber", dateWord{de, 1, -1, false}},
		{"maerz", dateWord{de, 2, -1, false}},
		{"sonnabend", dateWord{de, -1, 6, false}},
		{"tues", dateWord{en, -1, 2, true}},
		{"thurs", dateWord{en, -1, 4, true}},
	} {
		put(more.name, more.w)
	}
	return out
}()
