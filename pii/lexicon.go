package pii

import "strings"

// sense is a set of what a word may mean. A word can mean several things; the
// recognisers look at what stands around it.
type sense uint64

const (
	sMonth         sense = 1 << iota // the name of a month; val says which
	sMonthWeak                       // such a name that is another word as well
	sOrdinal                         // behind a number: st, nd, er, ème
	sOf                              // between day, month and year: of, de
	sDatePrep                        // in front of a date: on, am, le
	sBirth                           // says that a date is somebody's birth
	sYears                           // years, Jahre, ans
	sOld                             // old, alt, edad
	sAgeLabel                        // age, Alter, edad: in front of a number
	sBe                              // am, ist, suis
	sHaveAge                         // ai, tengo, ho
	sWho                             // I, she, wir
	sKin                             // son, wife, man, patient: a person
	sThing                           // car, house, account: something that has an age as well
	sGoesOn                          // what can follow an age: and, from, male
	sTurned                          // turned, werde
	sStreetEnd                       // street, road: behind its name
	sStreetEndWeak                   // way, drive, park
	sStreet                          // rue, calle, via: in front of its name
	sStreetWeak                      // place, cours, largo
	sJoint                           // de, la, des: inside of a name
	sUnit                            // apartment, suite, piso
	sBox                             // box, Postfach
	sAddress                         // address, wohne, live
	sHere                            // at, in, to: in front of a place
	sState                           // CA, NY: in front of a postcode
	sZip                             // zip, PLZ, code postal
	sPassport                        // passport
	sLicence                         // licence, permis, patente: that to drive, where nothing else is said
	sDriver                          // driver, Führerschein: certainly that to drive
	sPlate                           // plate, Kennzeichen
	sVIN                             // VIN, Fahrgestellnummer
	sOtherID                         // order, invoice: a number that is something else
	sNumber                          // number, Nr.
	sStop                            // is never part of a name: and, with, minutes
	sGroup                           // a group of people, said of people alone
	sDemonym                         // of a country: a person, a language, a dish
	sGroupLabel                      // nationality, religion
	sPersonWord                      // man, people, citizen: behind a demonym
	sCondition                       // a condition that is said of people alone
	sComplaint                       // a condition that is a figure of speech as well
	sDrug                            // a medicine, a treatment
	sLab                             // something that is measured in people
	sSuffer                          // have, suffer, diagnosed: of oneself or another
	sDose                            // mg, ml
	sTake                            // take, prends
	sICD                             // ICD, diagnosis
	sOpens                           // the first word of a phrase of several
	sCity                            // a large city
	sMeasure                         // what a number can count: minutes, euro, km
	sLanguage                        // speak, course: makes a demonym a language
	sRelation                        // as, a, the: in front of a group
	sVersion                         // version, release
	sDocWord                         // certificate, form: not the birth itself
	sAllergen                        // nuts, pollen
	sOwner                           // my, his
	sMedLabel                        // diagnosis, medication: in front of a colon

	sNRP     = sGroup | sDemonym
	sMedical = sCondition | sComplaint | sDrug
	triggers = sNRP | sMedical
)

// table finds the sense of a folded word by its hash. It is filled once and
// only read after that.
type table struct {
	bloom  [1 << 10]uint64
	keys   [1 << 14]uint64
	senses [1 << 14]sense
	vals   [1 << 14]uint8
}

// maybe is a quick no for most words of a text.
func (t *table) maybe(h uint64) bool {
	return t.bloom[h>>54]&(1<<(h>>48&63)) != 0
}

func (t *table) find(h uint64) (sense, int32) {
	for i := h & (1<<14 - 1); ; i = (i + 1) & (1<<14 - 1) {
		switch t.keys[i] {
		case h:
			return t.senses[i], int32(t.vals[i])
		case 0:
			return 0, 0
		}
	}
}

func (t *table) put(h uint64, s sense, val int) {
	t.bloom[h>>54] |= 1 << (h >> 48 & 63)
	i := h & (1<<14 - 1)
	for t.keys[i] != h && t.keys[i] != 0 {
		i = (i + 1) & (1<<14 - 1)
	}
	t.keys[i] = h
	t.senses[i] |= s
	if val != 0 {
		t.vals[i] = uint8(val) //nolint:gosec // small by construction
	}
}

// phrase joins the hash of the next word to that of the words before.
func phrase(h, next uint64) uint64 { return (h*31 ^ next) * hashPrime }

// enter enters the words of a list. A list entry of several words is written
// with underscores. Words with ä, ö, ü count as written with ae, oe, ue too.
func (t *table) enter(list string, s sense, val int) {
	umlauts := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")
	for entry := range strings.FieldsSeq(list) {
		t.one(entry, s, val)
		if other := umlauts.Replace(entry); other != entry {
			t.one(other, s, val)
		}
	}
}

func (t *table) one(entry string, s sense, val int) {
	var h uint64
	for i, part := range strings.Split(entry, "_") {
		var w word
		if isDigit(part[0]) {
			w.number(part, 0)
		} else {
			w.fold(part, 0)
		}
		if i == 0 {
			h = w.hash
			continue
		}
		t.put(h, sOpens, 0) // what is in front of this part begins a phrase
		h = phrase(h, w.hash)
	}
	t.put(h, s, val)
}

// lexicon holds all words of this file and of the lists of groups and
// conditions. It is built once, in less than a millisecond.
var lexicon = func() *table { //nolint:gochecknoglobals // a constant table
	t := &table{}
	for i, m := range months {
		t.enter(m, sMonth, i+1)
	}
	t.enter("may march mars out set ago mar gen mag sept mai dec nov", sMonthWeak, 0)
	for _, l := range grammarWords {
		t.enter(l.words, l.sense, 0)
	}
	for _, l := range groupWords {
		t.enter(l.words, l.sense, 0)
	}
	for _, l := range conditionWords {
		t.enter(l.words, l.sense, 0)
	}
	return t
}()

// months are the names of the months and their usual abbreviations in English,
// German, French, Spanish, Portuguese, Italian, Dutch.
var months = [12]string{ //nolint:gochecknoglobals // a constant table
	"january jan januar jänner jaenner janvier janv enero ene janeiro gennaio gen januari",
	"february feb februar feber février févr fév febrero fevereiro fev febbraio febbr februari",
	"march mar märz mrz mars marzo março maart mrt",
	"april apr avril avr abril abr aprile",
	"may mai mayo maio maggio mag mei",
	"june jun juni juin junio junho giugno giu",
	"july jul juli juillet juil julio julho luglio lug",
	"august aug août aout agosto ago augustus",
	"september sept sep septembre septiembre setiembre setembro set settembre",
	"october oct oktober okt octobre octubre outubro out ottobre ott",
	"november nov novembre noviembre novembro",
	"december dec dezember dez décembre déc diciembre dic dezembro dicembre",
}

// list is words of one sense.
type list struct {
	sense sense
	words string
}

// grammarWords are the words that stand around dates, ages, addresses and numbers.
//
//nolint:gochecknoglobals,misspell // a constant table of words of seven languages
var grammarWords = []list{
	{sOrdinal, "st nd rd th er ère ème eme de ste"},
	{sOf, "of de del di d den dell von"},
	{sDatePrep, "for on by until till since from before after due dated date am vom bis zum ab seit den der dem datum le du au depuis avant après jusqu el del desde hasta antes fecha em dia até data il dal al dall op vanaf tot sinds today heute today's hoy aujourd hui oggi hoje vandaag termin deadline scheduled starting ending between zwischen und and to through dia día jour day the"},
	{sBirth, "born birthday birthdate bday dob birth geboren geb geburtstag geburtsdatum geburtstags gebdat né née naissance anniversaire nacido nacida nací nacimiento cumpleaños nac nascido nascida nasci nascimento nasc nato nata nascita compleanno geboorte geboortedatum geboortedag verjaardag jarig jahrgang geborene geborener natalicio nacio nació nasceu naquit"},
	{sBirth, "d_o_b b_day née_le né_le"},
	{sYears, "years year yrs yr añitos aninhos jahre jahren jahr jährig jährige jähriger jähriges jährigen jährigem ans an année anos año años ano anni anno jaar jarige yaş yo months monate mois meses mesi maanden"},
	{sOld, "old alt jung alter altes âge age d'age edad idade eta età oud young"},
	{sAgeLabel, "age aged alter alters âge âgé âgée âgés edad idade età eta leeftijd"},
	{sBe, "am is are m s re was bin ist sind war bist est suis sommes es soy son sou é è e sono ben zijn im estoy"},
	{sHaveAge, "ai a as avons avez ont tengo tienes tiene tenemos tienen tenho tem tens temos têm cumplo cumple cumplió cumplí cumpli ho hai ha hanno abbiamo fiz faço fez completei compio compiuto compie teniendo cumplir fazer compiere avere avoir tener ter avais avait tenía tinha avevo aveva turning"},
	{sWho, "i he she we they you who ich er sie wir je j il elle nous on ils yo él ella nosotros ellos eu ele ela nós eles io lui lei noi loro ik hij zij wij ze im me ihr tu vous ho du bin my myself someone anybody everybody both all"},
	{sKin, "son sons daughter daughters wife husband brother brothers sister sisters mother father mom mum dad mama papa grandma grandpa grandmother grandfather granny kid kids child children baby boy girl man woman guy lady gentleman patient male female friend girlfriend boyfriend gf bf partner fiance fiancé fiancée nephew niece cousin uncle aunt twin twins person student teenager adult parents colleague boss neighbour neighbor roommate"},
	{sKin, "sohn söhne tochter töchter frau mann ehefrau ehemann bruder schwester mutter vater oma opa kind kinder junge mädchen freund freundin neffe nichte enkel enkelin patient patientin person zwillinge"},
	{sKin, "fils fille femme homme mari frère soeur sœur mère père maman garçon enfant enfants bébé ami amie copain copine neveu nièce patiente dame monsieur personne"},
	{sKin, "hijo hija hijos esposa esposo marido mujer hombre hermano hermana madre padre mamá papá niño niña niños chico chica amigo amiga novio novia sobrino sobrina paciente persona señora señor bebé abuela abuelo"},
	{sKin, "filho filha filhos mulher homem irmão irmã mãe pai criança menino menina namorado namorada sobrinho sobrinha avó avô pessoa senhora"},
	{sKin, "figlio figlia figli moglie marito uomo donna fratello sorella madre bambino bambina ragazzo ragazza amico amica fidanzato fidanzata nipote paziente signora signore nonna nonno zoon dochter vrouw man moeder vader broer zus kind vriend vriendin jongen meisje"},
	{sThing, "car cars bike laptop phone computer house building whisky whiskey wine account bug tree company app game machine tv printer shoes guitar book movie film song server system battery contract tradition software hardware device iphone macbook thread tweet video post warranty guarantee experience business mortgage loan relationship marriage school"},
	{sThing, "auto wagen handy rechner haus gebäude wein konto baum firma spiel drucker schuhe buch lied vertrag gerät wohnung fahrrad waschmaschine garantie erfahrung kredit voiture maison téléphone ordinateur vin whisky compte bâtiment entreprise jeu livre garantie expérience contrat coche casa teléfono móvil ordenador vino cuenta edificio empresa juego libro garantía experiencia contrato carro moto telefone celular conta prédio jogo livro garantia experiência macchina telefono conto edificio azienda gioco libro garanzia esperienza contratto huis fiets"},
	{sGoesOn, "yesterday tonight last gestern morgen hier demain ayer mañana ontem amanhã ieri domani and but or from now today yo year years old yr yrs y m f male female single married so with living live btw pls please lol this next going too already and just since also what how can do does is und aber aus jetzt heute weiblich männlich w m ledig verheiratet wohne komme et mais de je homme femme y pero e ma ho sono vivo mas moro en maar kom mother father mum mom dad student who she he i because when if in tomorrow finally right ja oui si sim"},
	{sTurned, "turned turning turns turn werde werden wurde geworden reached celebrate celebrated"},
	{sStreetEnd, "street road rd avenue ave lane boulevard blvd crescent terrace highway hwy parkway pkwy straße strasse streets turnpike mews str"},
	{sStreetEndWeak, "branch bridge brook bypass camp canyon cape causeway center centre cliff club common commons corner corners course crest curve dale divide estate estates extension falls ferry field fields flats ford forest forge fork fort garden gateway glen greens groves harbor harbors harbour haven hollow inlet island isle junction keys lake lakes mall mill mills mission motorway mountain neck orchard oval overpass pass passage pine pines plain plains points port prairie ranch rapids rest ridges river shoal shores shore skyway spring springs spur squares station stravenue stream summit throughway trace track trafficway tunnel underpass union viaduct views ville wells well st drive dr way court ct place pl square sq close circle cir trail trl alley row walk grove hill hills gardens gdns park ln quay wharf plaza pike route rte loop bend cove crossing heights green view path point ridge run vista meadow meadows valley village manor lodge mount cres ter esplanade parade parkways freeway expressway expy knoll creek landing lock house"},
	{sStreet, "rue avenue av boulevard bd bld chemin impasse quai faubourg allée allee calle cl avenida avda avd paseo carrer camino carretera ronda travesía rua travessa estrada rodovia via viale piazza vicolo piazzale lungomare corso ul ulica ulice aleja улица ул проспект просп пр переулок вулиця вул jalan jl plaza plaça praça alameda c rúa strada"},
	{sStreetWeak, "rambla pasaje callejón glorieta cañada vial acceso rotonda stretto canale praceta ladeira jardim parque residencial sítio vila viela vereda quadra rampa place cours route square passage sentier villa cité résidence ronda cuesta glorieta urbanización largo beco quinta bairro contrada località borgo rampa salita r p via camino ronda corso strada plaza c route"},
	{sJoint, "de la le les du des d l del los las el y da do das dos e di della dello delle degli dei dal san santa saint st sainte sankt the of van der den het von zum zur am an a à au aux en sur sous"},
	{sUnit, "apt apartment apartments suite ste unit flat floor fl room rm bldg building apto apartamento piso planta puerta esc escalera bis wohnung whg etage stock og eg hinterhaus vorderhaus aufgang appartement appt étage bâtiment bât porte andar bloco casa interno int scala piano bus verdieping lot appart unidad departamento dpto depto bt"},
	{sBox, "box postfach postbus apartado casilla kastje"},
	{sBox, "boîte_postale caixa_postal casella_postale p_o_box po_box case_postale bp"},
	{sAddress, "address addresses adresse adressen anschrift dirección domicilio endereço indirizzo adres live lives living lived reside resides wohne wohnt wohnen wohnhaft wohnte lebe habite habitons habites vivo vive vivimos moro mora moramos resido abito abita abitiamo risiedo woon woont located deliver delivery delivered ship shipped shipping lieferadresse rechnungsadresse lieferung liefern livraison livrer envío entrega entregar consegna bezorgen send moved moving visit domicile direccion resident residing street umgezogen hausnummer"},
	{sHere, "at in to from near is on opposite an in nach zu bei am im zur à a au chez dans en vers cerca em na no perto alla in presso op te aan bij opposite behind beside my i @ no number nr outside inside via and und et e y the corner"},
	{sState, "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc pr gu vi as mp ap ae aa fm mh pw nsw vic qld tas act"},
	{sState, "california texas florida ohio illinois pennsylvania georgia michigan arizona massachusetts colorado oregon nevada"},
	{sZip, "zip zipcode postcode postal plz postleitzahl postal cap cep cp cep eircode pincode postnummer postcodes postleitzahlen"},
	{sZip, "zip_code post_code postal_code code_postal código_postal codice_postale pin_code codice_di_avviamento"},
	{sPassport, "passport passports reisepass pass passeport pasaporte passaporto passaporte paspoort paszport pasaport reisepassnummer passnummer passnr reisepasses паспорт паспорта загранпаспорт paspoortnummer passportnumber"},
	{sPassport, "travel_document document_de_voyage documento_de_viaje reise_pass"},
	{sLicence, "license licence licenses licences lic permis permit permiso licencia carnet carné patente carta habilitação rijbewijs ehliyet"},
	{sDriver, "driver drivers driving dl dln führerschein führerscheinnummer fahrerlaubnis fahrerlaubnisnummer führerscheins cnh dvla rijbewijs rijbewijsnummer ehliyet conduire conducir conducción manejar condução motorista guida habilitação fahrlizenz prawo_jazdy"},
	{sPlate, "plate plates numberplate registration reg kennzeichen nummernschild autokennzeichen kfz immatriculation immatriculé immatriculée plaque matrícula placa placas targa targhe targato kenteken kentekenplaat plaka plakası rego tag nummernschilder autonummer patentes registracija"},
	{sVIN, "vin fahrgestellnummer fahrgestell fin châssis chassis bastidor telaio chassi fahrzeugidentifikationsnummer"},
	{sOtherID, "order orders invoice ticket tracking parcel shipment serial sku isbn booking reservation customer account case reference ref bestellung bestellnummer rechnung rechnungsnummer auftrag sendung sendungsnummer kundennummer artikel artikelnummer commande facture réservation numéro_de_suivi pedido factura fattura ordine phone tel telephone handy telefon mobile whatsapp iban card karte carte tarjeta ssn nhs tax steuernummer model modell modèle product flight flug vuelo software windows office key activation version error code coupon voucher gutschein room zimmer member"},
	{sNumber, "number numbers no num nr nummer numéro numero número n nº id num. номер #"},
	{sStop, "and or but with without for from by about into than then that this these those are was were be been is am i you he she it we they my your his her our their me us them who what when where why how not no yes if so too very just only more most many much some any all every each other another new best good great big small little old cheap free different busy quiet dirty nice"},
	{sStop, "to at on in of up down out off over under near off per the a an us times time day days week weeks month months hour hours hr hrs minute minutes min mins second seconds sec km miles mile meters metres meter m cm mm kg g lb lbs people person persons guys men women kids cars things ways rooms bedrooms beds items pieces pcs pairs lane lanes way star stars percent pct dollars euro euros eur usd pounds gbp bucks block blocks minute's side"},
	{sStop, "und oder aber mit ohne für von nach über ist sind war ich du er sie es wir ihr nicht auch noch nur schon sehr mehr viele alle minuten stunden tage wochen monate meter leute personen stück mal uhr zimmer bitte et ou mais avec sans pour par sur est sont je tu il elle nous vous ne pas plus très minutes heures jours semaines mois personnes fois pièces y o pero con sin para por es son que no muy más minutos horas días semanas meses personas veces habitaciones ma con senza per sono che non più minuti ore giorni settimane mesi persone volte camere mas com sem não mais dias pessoas vezes quartos thanks thank danke merci gracias obrigado grazie hello hi hallo bonjour hola please can could would will shall do does did have has had get got need want like know think"},
	{sMeasure, "minutes minute min mins hours hour hrs hr days day weeks week months month seconds sec km kms miles mile m cm mm kg g lb lbs percent euro euros eur usd dollars pounds bucks gb mb tb kb times people items pcs pieces points pages degrees minuten stunden tage wochen monate uhr mal leute stück meter prozent grad punkte seiten heures jours semaines mois fois points personnes mètres pour horas minutos días semanas meses veces personas metros grados ore minuti giorni settimane mesi volte persone metri gradi dias vezes pessoas graus uur dagen weken maanden keer mensen x k am pm h a.m p.m years of"},
	{sVersion, "version versions ver v vers release build firmware python java node npm go android ios update upgrade patch v1 kernel chrome firefox section chapter kapitel abschnitt paragraph clause art artikel §"},
	{sDocWord, "certificate urkunde form party cake gift present card geschenk torte feier karte control rate place kontrolle"},
	{sPersonWord, "man men woman women people person persons citizen citizens guy guys girl girls boy boys lady ladies wife husband mother father family parents grandparents heritage descent origin ancestry background immigrant immigrants immigration refugee refugees roots blood nationality national nationals community student students born believer believers convert passport citizenship minority descendant couple folks kids child children teenager ex gf bf girlfriend boyfriend friend friends friends nanny neighbour neighbours neighbor neighbors expat expats speaker origins staatsbürger staatsbürgerin staatsbürgerschaft staatsangehöriger staatsangehörige staatsangehörigkeit mann frau frauen männer leute eltern familie herkunft abstammung wurzeln femme homme famille parents origine origines ciudadano ciudadana familia padres cidadão cidadã família cittadino cittadina famiglia origini"},
	{sGroupLabel, "nationality religion religious ethnicity ethnic faith race citizenship nationalität religion staatsangehörigkeit staatsbürgerschaft konfession glaube ethnie nationalité confession origine nacionalidad religión etnia confesión nacionalidade religião nazionalità religione nationaliteit geloof party partei identify worship politically political politics"},
	{sLanguage, "speak speaks speaking spoke talk learn learning learned studying study understand translate translation write read teach teaches course class lesson lessons language keyboard subtitles version spreche spricht sprechen sprichst lerne lernen verstehe deutschkurs kurs unterricht sprache übersetzen parle parles parlez parler apprends apprendre comprends cours langue traduire hablo habla hablas hablan hablar aprendo aprender clases idioma traducir falo fala falas falar aulas língua traduzir parlo parla parli parlare imparo corso lingua tradurre spreek spreekt leer taal auf en"},
	{sRelation, "as a an the being proud fellow typical devout practicing practising strict orthodox half part als ein eine einen einer stolzer gläubiger gläubige en tant que une un comme como una um uma come praktizierender tief"},
	{sCity, "london paris berlin madrid rome roma lisboa lisbon porto amsterdam rotterdam utrecht vienna wien zürich zurich bern genf geneva genève basel hamburg münchen munich köln cologne frankfurt stuttgart düsseldorf dortmund essen leipzig bremen dresden hannover nürnberg duisburg bochum wuppertal bielefeld bonn münster karlsruhe mannheim augsburg wiesbaden gelsenkirchen mönchengladbach braunschweig chemnitz kiel aachen halle magdeburg freiburg krefeld lübeck oberhausen erfurt mainz rostock kassel hagen saarbrücken potsdam hamm mülheim ludwigshafen leverkusen oldenburg osnabrück solingen heidelberg herne neuss darmstadt paderborn regensburg ingolstadt würzburg fürth wolfsburg ulm heilbronn göttingen koblenz trier jena graz linz salzburg innsbruck klagenfurt lausanne luzern winterthur"},
	{sCity, "lyon marseille toulouse nice nantes strasbourg montpellier bordeaux lille rennes reims toulon grenoble dijon angers nîmes villeurbanne tours limoges amiens metz besançon perpignan orléans rouen mulhouse caen nancy avignon cannes bruxelles brussels anvers antwerp antwerpen gent gand liège luxembourg barcelona valencia sevilla zaragoza málaga murcia palma bilbao alicante córdoba valladolid vigo gijón granada oviedo pamplona salamanca cádiz santander milano milan napoli naples torino turin palermo genova bologna firenze florence bari catania venezia venice verona messina padova trieste brescia parma prato modena perugia livorno cagliari braga coimbra funchal setúbal são_paulo rio brasília salvador fortaleza recife curitiba manaus belém goiânia"},
	{sCity, "manchester birmingham leeds glasgow liverpool bristol sheffield edinburgh leicester cardiff belfast nottingham newcastle brighton oxford cambridge southampton portsmouth york dublin cork galway boston chicago houston phoenix philadelphia dallas austin seattle denver portland atlanta miami minneapolis detroit baltimore memphis nashville milwaukee sacramento oakland toronto montreal vancouver calgary ottawa edmonton sydney melbourne brisbane perth adelaide auckland warszawa warsaw kraków praha prague budapest stockholm oslo copenhagen københavn helsinki tallinn riga vilnius athens istanbul ankara moscow kyiv"},
}
