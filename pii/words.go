package pii

// notData is not a type: its words say that a number nearby is something which
// is no personal data, such as an order.
const notData Type = "-"

// anyID is not a type: its words announce an identifier without saying which.
const anyID Type = "*"

// wordRow are words that announce a type. They are separated by spaces; within
// a word of several words stands "_", which matches any of space, hyphen, dot,
// slash, or nothing: "tax_id" is also "TaxID", "tax-id" and "T.A.X. Id". A star
// at the end: words that begin with it count as well. Case, accents and width
// do not matter. A word may stand in several rows, and a type may have several
// rows.
type wordRow struct {
	of    Type
	words string
}

// contextWords are all the words that are looked for around a place.
func contextWords() []wordRow {
	return append(append(generalWords(), nationalWords()...), asianWords()...)
}

// generalWords are words that are not of one country's identifier.
//
//nolint:misspell // words of other languages
func generalWords() []wordRow {
	return []wordRow{
		{notData, "order orders ordered order_id order_no order_number bestell* auftrag* bestelling* ordine ordini commande commandes" +
			" pedido pedidos encomenda encomendas zamowien* objednavk* comanda comenzi siparis* tilaus* bestallning* ordre ordrenummer" +
			" rendeles* заказ* замовлен* παραγγελια*"},
		{notData, "invoice* rechnung* factura* facture* fattura* fatura* faktura* faktury lasku factuur* racun счет счёт bill billing receipt" +
			" kassenbon beleg* quittung* recibo ticket* tix boleta comprobante"},
		{notData, "tracking tracking_id tracking_number track trackingnr sendung* paket* parcel* package shipment* shipping shipped delivery lieferung*" +
			" lieferschein* colis suivi envio seguimiento rastreo spedizione tracciamento rastreamento rastreio przesylk* kargo takip" +
			" zending pakket forsendelse lahetys dhl ups fedex usps dpd gls hermes посылк* трек"},
		{notData, "booking* buchung* reservation* reservierung* reserva reservas prenotazione reservering rezervasyon rezerwacj* pnr" +
			" case case_number case_id vorgang* aktenzeichen dossier expediente referenz* reference reference_number ref ref_no referencia referencja" +
			" confirmation confirmation_number bestatigung*"},
		{notData, "customer customers customer_id customer_number kunden* kundennr client client_id client_number clients cliente cod_cliente" +
			" klantnummer user_id userid chat_id session session_id request_id trace_id message_id msg_id thread_id channel_id device_id" +
			" account_id member_id membership loyalty mitglieds* treuekarte* punkte coupon voucher gutschein* gift_card promo promo_code rabatt*"},
		{notData, "article artikel* item item_number sku product products product_id produkt* producto produit prodotto produto serial serial_number" +
			" serien* isbn isbn_13 isbn_10 issn ean gtin upc asin barcode strichcode* imei iccid meid uuid guid hash commit sha sha256 md5 revision" +
			" rev version ver build release patch lot lot_number batch charge_nr charge_nummer charge_no model modell* modelo modele modello part_number part_no oem firmware driver_version port pid"},
		{notData, "transaction* transaktion* transaccion transacao transazione payment payment_id zahlung* zahlungsreferenz paiement pago pagamento amount betrag* total" +
			" subtotal summe price prices preis* prix precio prezzo preco cena cost costs kosten kostet fiyat eur euro euros usd gbp chf jpy inr brl krw try dollar" +
			" dollars rupees pesos reais won yen"},
		{notData, "contract* vertrag* contrato contrat contratto police_nr policy_number versicherungsschein* meter zahler* zahlerstand" +
			" timestamp epoch unix unixtime zeitstempel ts utc gmt otp pin_code verification_code bestatigungscode sicherheitscode tan one_time flight flug* zug bus gate seat room zimmer" +
			" issue bug jira pull_request github video_id score highscore votes views likes followers seed random nonce checksum" +
			" lotto lottery extension durchwahl latitude longitude lat lon lng coordinates gps pixels bytes px kb mb gb kg km cm mm ms"},
		{anyID, "id ids id_no id_nr id_number id_num id_card id_code identification identification_number identifier identity identity_number identity_card identity_document" +
			" national_id national_number national_identity personal_id personal_number personal_code personal_identification* citizen_id citizen_number resident_id" +
			" ausweis* identifikationsnummer personenkennzahl identifiant piece_d_identite numero_d_identification documento documento_de_identidad cedula" +
			" numero_de_identificacion identificacion identidad identita documento_d_identita identidade tin tax tax_id tax_no tax_number taxpayer steuer* fiscal impuestos impot* imposto imposta" +
			" social_security ssn insurance_number krankenversicherung* versicherungsnummer personnr identiteit* identifikacija удостоверен* паспорт"},
		{Phone, "phone phones telephone telefon* telephones mobile mobil mobiltelefon* cell cellphone whatsapp handy handynummer* rufnummer* anruf* celular" +
			" movil moviles llamame llama appelle portable cellulare chiama telefoon bel_me komork* телефон* позвон* звон* мобильн* call call_me calling dial tel telf fax landline" +
			" text_me sms festnetz* telefono fijo ligue gsm тел viber signal telegram phone_number cell_number mobile_number contact_number"},
		{CreditCard, "credit_card debit_card card_number card_no kreditkarte* kartennummer* visa mastercard amex tarjeta carte_bancaire carta_di_credito cartao kreditkort"},
		{IBAN, "iban"},
		{BankAccount, "account account_number account_no acct bank_account konto kontonummer* kontonr cuenta compte conto conta rekening* rekeningnummer счет_в_банке"},
		{BankRouting, "bic swift blz bankleitzahl routing routing_number aba sort_code sortcode bsb ifsc"},
		{DateOfBirth, "born birthday birth_date date_of_birth dob geboren geburtstag* geburtsdatum ne_le nee_le date_de_naissance nacido nacida fecha_de_nacimiento nacimiento" +
			" nato_il nata_il data_di_nascita nascido nascida data_de_nascimento urodzon* data_urodzenia"},
		{Postcode, "postcode postcodes zip zipcode zip_code postal_code plz postleitzahl* code_postal codigo_postal cap cep"},
	}
}
