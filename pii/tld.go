package pii

// tldKind says how well an ending stands for a top-level domain where nothing
// else says that there is a link.
type tldKind uint8

const (
	noTLD   tldKind = iota
	fileTLD         // rather the ending of a file: readme.md
	wordTLD         // also a common word: done.it
	goodTLD
)

// topLevel looks the last label of a name up. Where people write a name
// without a scheme it nearly always has one of these.
func topLevel(w string) tldKind {
	var buf [10]byte
	if len(w) > len(buf) {
		return noTLD
	}
	for i := range len(w) {
		c := w[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	switch string(buf[:len(w)]) {
	case "md", "py", "sh", "rs", "so", "ps", "zip", "mov", "cc", "pm", "mm", "ml", "app", "vi", "ai", "rip", "bz",
		"tf", "st", "ms", "pub", "src", "la", "mk", "mo", "gz":
		return fileTLD
	case "it", "me", "at", "in", "is", "be", "to", "no", "my", "us", "am", "as", "de", "es", "do", "id", "il",
		"im", "ma", "mu", "se", "si", "pl", "or", "ac", "ad", "al", "an", "ba", "bi", "ca", "ch", "ci", "hr", "hu",
		"lu", "mi", "ne", "nu", "pa", "pe", "re", "sa", "su", "te", "tu", "ve", "vu", "er", "li", "et", "os",
		"blog", "news", "live", "shop", "store", "online", "site", "club", "world", "today", "life", "link", "one",
		"email", "help", "works", "love", "art", "fun", "space", "team", "host", "top", "center", "best",
		"chat", "social", "media", "games", "cloud", "wiki", "plus", "page", "design", "studio", "digital",
		"network", "company", "agency", "support", "tools", "guide", "tours", "travel", "events", "name", "men",
		"win", "bid", "date", "cat", "pro", "mobi", "gay", "bar", "pizza", "cafe", "school", "group", "market":
		return wordTLD
	case "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "co", "dev", "xyz", "tech", "tv",
		"gg", "ly", "fm", "uk", "fr", "pt", "nl", "dk", "fi", "cz", "sk", "ru", "ua", "br", "mx", "ar", "cl", "jp",
		"cn", "kr", "tr", "eu", "au", "nz", "ie", "gr", "ro", "bg", "lt", "lv", "ee", "hk", "sg", "tw",
		"th", "vn", "ph", "za", "ng", "ke", "eg", "ae", "qa", "ir", "pk", "lk", "np", "bd", "kz", "by", "ge", "az",
		"uy", "ec", "bo", "cr", "gt", "pr", "cu", "cy", "mt", "berlin", "hamburg", "koeln", "london", "paris",
		"wien", "swiss", "bayern", "ruhr", "nrw", "tokyo", "aero", "museum", "coop", "asia", "onion", "xxx",
		"website", "ws", "gl", "vc", "lol", "icu", "vip", "porn", "camp", "gmbh", "ltd", "inc":
		return goodTLD
	}
	return noTLD
}
