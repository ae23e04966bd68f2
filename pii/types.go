package pii

// Type names a kind of personal data. The names are stable: they stand in
// placeholders, policies and results.
type Type string

// The types that are not of one country.
const (
	Email         Type = "EMAIL"
	Phone         Type = "PHONE"
	CreditCard    Type = "CREDIT_CARD"
	IBAN          Type = "IBAN" // international bank account number (ISO 13616)
	BankAccount   Type = "BANK_ACCOUNT"
	BankRouting   Type = "BANK_ROUTING" // routing, sort or bank code; BIC
	CryptoWallet  Type = "CRYPTO_WALLET"
	IP            Type = "IP"
	MAC           Type = "MAC"
	URL           Type = "URL"
	Username      Type = "USERNAME" // a name on a network: @ada
	Secret        Type = "SECRET"   // key, token, private key, password
	Person        Type = "PERSON"
	Location      Type = "LOCATION" // a place: country, city, region
	Address       Type = "ADDRESS"  // street and number, and what belongs to it
	Postcode      Type = "POSTCODE"
	Org           Type = "ORG"
	Date          Type = "DATE"
	DateOfBirth   Type = "DATE_OF_BIRTH"
	Age           Type = "AGE"
	NRP           Type = "NRP" // nationality, religion, political or ethnic group
	Medical       Type = "MEDICAL"
	Passport      Type = "PASSPORT"
	DriverLicense Type = "DRIVER_LICENSE"
	VehiclePlate  Type = "VEHICLE_PLATE"
)

// The identifiers of single countries: the ISO 3166 code of the country (UK for
// GB) and what the identifier is called there.
const (
	ARCUIL                Type = "AR_CUIL"
	ARDNI                 Type = "AR_DNI"
	ATSVNR                Type = "AT_SVNR"
	AUABN                 Type = "AU_ABN"
	AUACN                 Type = "AU_ACN"
	AUMedicare            Type = "AU_MEDICARE"
	AUTFN                 Type = "AU_TFN"
	BENRN                 Type = "BE_NRN"
	BGEGN                 Type = "BG_EGN"
	BRCNPJ                Type = "BR_CNPJ"
	BRCPF                 Type = "BR_CPF"
	CASIN                 Type = "CA_SIN"
	CNID                  Type = "CN_ID"
	CZRC                  Type = "CZ_RC"
	DEHealthInsurance     Type = "DE_HEALTH_INSURANCE"
	DEIDCard              Type = "DE_ID_CARD"
	DESocialSecurity      Type = "DE_SOCIAL_SECURITY"
	DETaxID               Type = "DE_TAX_ID"
	DEVATID               Type = "DE_VAT_ID"
	EEIK                  Type = "EE_IK"
	ESNIE                 Type = "ES_NIE"
	ESNIF                 Type = "ES_NIF"
	ESNUSS                Type = "ES_NUSS"
	FIHETU                Type = "FI_HETU"
	FRNIF                 Type = "FR_NIF"
	FRNIR                 Type = "FR_NIR"
	IEPPS                 Type = "IE_PPS"
	INAadhaar             Type = "IN_AADHAAR"
	INGSTIN               Type = "IN_GSTIN"
	INPAN                 Type = "IN_PAN"
	INVoter               Type = "IN_VOTER"
	ITFiscalCode          Type = "IT_FISCAL_CODE"
	ITIdentityCard        Type = "IT_IDENTITY_CARD"
	ITVATCode             Type = "IT_VAT_CODE"
	KRBRN                 Type = "KR_BRN"
	KRFRN                 Type = "KR_FRN"
	KRRRN                 Type = "KR_RRN"
	LTAK                  Type = "LT_AK"
	LVPK                  Type = "LV_PK"
	MXCURP                Type = "MX_CURP"
	NLBSN                 Type = "NL_BSN"
	PEDNI                 Type = "PE_DNI"
	PHTIN                 Type = "PH_TIN"
	PLIDCard              Type = "PL_ID_CARD"
	PLPESEL               Type = "PL_PESEL"
	PTCC                  Type = "PT_CC"
	PTNIF                 Type = "PT_NIF"
	ROCNP                 Type = "RO_CNP"
	SEOrganisationsnummer Type = "SE_ORGANISATIONSNUMMER"
	SEPersonnummer        Type = "SE_PERSONNUMMER"
	SGFIN                 Type = "SG_FIN"
	SGNRIC                Type = "SG_NRIC"
	SGUEN                 Type = "SG_UEN"
	SIEMSO                Type = "SI_EMSO"
	THTNIN                Type = "TH_TNIN"
	TRNationalID          Type = "TR_NATIONAL_ID"
	UKNHS                 Type = "UK_NHS"
	UKNINO                Type = "UK_NINO"
	UKTRN                 Type = "UK_TRN"
	USDEA                 Type = "US_DEA"
	USITIN                Type = "US_ITIN"
	USMBI                 Type = "US_MBI"
	USNPI                 Type = "US_NPI"
	USSSN                 Type = "US_SSN"
	ZAIDNumber            Type = "ZA_ID_NUMBER"
)

// Types returns all types, the general ones first.
func Types() []Type {
	return []Type{
		Email, Phone, CreditCard, IBAN, BankAccount, BankRouting, CryptoWallet, IP, MAC, URL, Username,
		Secret, Person, Location, Address, Postcode, Org, Date, DateOfBirth, Age, NRP, Medical, Passport,
		DriverLicense, VehiclePlate,
		ARCUIL, ARDNI, ATSVNR, AUABN, AUACN, AUMedicare, AUTFN, BENRN, BGEGN, BRCNPJ, BRCPF, CASIN,
		CNID, CZRC, DEHealthInsurance, DEIDCard, DESocialSecurity, DETaxID, DEVATID, EEIK, ESNIE,
		ESNIF, ESNUSS, FIHETU, FRNIF, FRNIR, IEPPS, INAadhaar, INGSTIN, INPAN, INVoter, ITFiscalCode,
		ITIdentityCard, ITVATCode, KRBRN, KRFRN, KRRRN, LTAK, LVPK, MXCURP, NLBSN, PEDNI, PHTIN,
		PLIDCard, PLPESEL, PTCC, PTNIF, ROCNP, SEOrganisationsnummer, SEPersonnummer, SGFIN, SGNRIC,
		SGUEN, SIEMSO, THTNIN, TRNationalID, UKNHS, UKNINO, UKTRN, USDEA, USITIN, USMBI, USNPI, USSSN,
		ZAIDNumber,
	}
}
