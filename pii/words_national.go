package pii

// nationalWords are the words for the national identifiers of Europe, the
// Americas, Australia and South Africa: what the identifier is called in the
// languages of the country and in English, and what it is short for.
//
//nolint:misspell // words of other languages
func nationalWords() []wordRow {
	return []wordRow{
		{ARCUIL, "cuil cuit cuit_cuil cuil_cuit clave_unica_de_identificacion* codigo_unico_de_identificacion_laboral identificacion_laboral identificacion_tributaria"},
		{ARDNI, "dni d_n_i documento_nacional_de_identidad documento_nacional documento_de_identidad documento nro_de_documento numero_de_documento" +
			" argentine_id argentinian_id argentina_id libreta_civica"},
		{ATSVNR, "svnr sv_nr sv_nummer svnummer sozialversicherungsnummer* sozialversicherungs_nr sozialversicherung* versicherungsnummer* vers_nr e_card ecard" +
			" social_security social_security_number social_insurance_number austrian_social_security"},
		{AUABN, "abn a_b_n australian_business_number business_number"},
		{AUACN, "acn a_c_n australian_company_number company_number"},
		{AUMedicare, "medicare medicare_card medicare_number medicare_no"},
		{AUTFN, "tfn t_f_n tax_file_number tax_file tax_number tax_id"},
		{BENRN, "rijksregister* rijksregisternummer* rrn insz niss nrn numero_national registre_national numero_de_registre_national numero_registre_national nationaal_nummer" +
			" national_register* national_number nationalregister* nationalregisternummer inss bis_nummer bisnummer numero_bis identificatienummer belgian_id"},
		{BGEGN, "егн egn edinen_grazhdanski_nomer единен_граждански_номер граждански_номер uniform_civil_number unified_civil_number civil_number personal_number лнч"},
		{BRCNPJ, "cnpj cadastro_nacional_da_pessoa_juridica pessoa_juridica company_tax_id"},
		{BRCPF, "cpf cadastro_de_pessoas_fisicas cadastro_de_pessoa_fisica pessoa_fisica cic brazilian_tax_id contribuinte"},
		{CASIN, "sin sin_number s_i_n social_insurance social_insurance_number nas numero_d_assurance_sociale assurance_sociale"},
		{CZRC, "rodne_cislo rodneho_cisla rodnym_cislem rodne_c rc r_c birth_number personal_number rodny_list rodne"},
		{DEHealthInsurance, "krankenversicherten* krankenversichertennummer* krankenversicherung* krankenversicherungsnummer* kvnr kv_nr kv_nummer versichertennummer* versicherten_nr" +
			" versicherten_id versicherungsnummer* krankenkasse* gesundheitskarte* egk krankenkassennummer* versichert* health_insurance health_insurance_number insurance_number insurance_no aok tk barmer dak"},
		{DEIDCard, "personalausweis* ausweis ausweisnr ausweis_nr ausweisnummer* ausweis_nummer ausweis_id perso personalausweisnummer* id_card id_card_number id_no identity_card german_id german_id_card" +
			" reisepass* passnummer* ausweisdokument* seriennummer_des_ausweises identitatskarte* national_id"},
		{DESocialSecurity, "sozialversicherungsnummer* sozialversicherung* sozialversicherungsausweis* sv_nummer sv_nr svnr sv_ausweis rentenversicherungsnummer* rentenversicherung*" +
			" rvnr rv_nummer rv_nr rentennummer* versicherungsnummer* vsnr vs_nr social_security social_security_number pension_insurance pension_insurance_number social_insurance_number"},
		{DETaxID, "steuer_id steuer_idnr steuerid steueridentifikation* steuer_identifikationsnummer* steuerliche_identifikationsnummer* identifikationsnummer* idnr id_nr idnummer steuer_identnummer* steueridentnummer*" +
			" steuer_nr steuernummer* tax_id tax_identification* tax_number tax_no tin taxpayer_id persönliche_steuer* steuernr"},
		{DEVATID, "ust_id ust_idnr ust_id_nr ustid ustidnr umsatzsteuer_id* umsatzsteueridentifikation* umsatzsteuer_identifikationsnummer* umsatzsteuer* mehrwertsteuer* mwst_nr vat vat_id vat_no vat_nr vat_number vat_reg* tva eu_vat tax_id"},
		{EEIK, "isikukood* isikukoodi isikutunnus estonian_id id_kood ik personal_id personal_id_code personal_identification_code personal_code id_code ik_kood"},
		{ESNIE, "nie n_i_e numero_de_identidad_de_extranjero numero_de_identificacion_de_extranjero* identidad_de_extranjero identificacion_de_extranjero* extranjero extranjera foreigner_id foreigners_id tarjeta_de_residencia tie"},
		{ESNIF, "nif n_i_f dni d_n_i cif c_i_f dni_nif nif_dni nif_cif documento_nacional_de_identidad documento_de_identidad documento numero_de_identificacion_fiscal identificacion_fiscal codigo_de_identificacion_fiscal spanish_id carnet_de_identidad tax_id vat"},
		{ESNUSS, "nuss n_u_s_s naf seguridad_social numero_de_la_seguridad_social numero_de_seguridad_social num_ss nss afiliacion numero_de_afiliacion social_security social_security_number seguretat_social"},
		{FIHETU, "hetu henkilotunnus* henkilotunnukseni sotu sosiaaliturvatunnus* personbeteckning* personal_identity_code identity_code personal_id personal_code finnish_id"},
		{FRNIF, "numero_fiscal numero_fiscal_de_reference nif spi numero_spi n_fiscal no_fiscal reference_fiscale identifiant_fiscal numero_d_imposition numero_d_identification_fiscale impots impot tax_id tax_number tin avis_d_imposition impot_gouv"},
		{FRNIR, "nir numero_de_securite_sociale securite_sociale num_secu numero_de_secu numero_secu secu n_secu carte_vitale vitale nss numero_ss no_de_secu num_de_secu insee numero_insee assurance_maladie ameli immatriculation_sociale assure_social" +
			" social_security social_security_number french_social_security"},
		{IEPPS, "pps ppsn pps_no pps_number ppsn_number rsi rsi_no personal_public_service personal_public_service_number uimhir_pps uimhir_phearsanta* vat vat_number"},
		{ITFiscalCode, "codice_fiscale cod_fiscale cod_fisc codfisc c_f codicefiscale fiscal_code tax_code tessera_sanitaria cf"},
		{ITIdentityCard, "carta_d_identita carta_identita carta_di_identita cie documento_d_identita documento_di_identita documento_identita numero_carta_identita ci_n id_card identity_card italian_id doc_identita documento"},
		{ITVATCode, "partita_iva p_iva piva p_i iva vat vat_number vat_code vat_id vat_no partitaiva codice_iva p_iva_n"},
		{LTAK, "asmens_kodas asmens_kod* asmens_koda a_k ak personal_code personal_id personal_identification_code lithuanian_id"},
		{LVPK, "personas_kods personas_kod* personas_koda pk p_k personal_code personal_id personal_identity_number latvian_id"},
		{MXCURP, "curp clave_unica_de_registro clave_unica_de_registro_de_poblacion registro_de_poblacion"},
		{NLBSN, "bsn burgerservicenummer* burger_service_nummer* bsn_nummer sofinummer* sofi_nummer sofi citizen_service_number dutch_id persoonsnummer* burgernummer*"},
		{PEDNI, "dni_peru reniec dni d_n_i documento_nacional_de_identidad documento_nacional documento_de_identidad documento nro_de_documento numero_de_documento cui reniec peruvian_id"},
		{PLIDCard, "dowod dowod_osobisty dowodu_osobistego dowodu numer_dowodu nr_dowodu seria_i_numer seria_dowodu dowodem dowodem_osobistym id_card identity_card polish_id"},
		{PLPESEL, "pesel* peselu numer_pesel nr_pesel powszechny_elektroniczny_system"},
		{PTCC, "cartao_de_cidadao cartao_cidadao cartao_do_cidadao cc citizen_card numero_de_documento bilhete_de_identidade numero_do_cartao documento_de_identificacao portuguese_id"},
		{PTNIF, "nif n_i_f contribuinte numero_de_contribuinte numero_contribuinte no_contribuinte numero_de_identificacao_fiscal identificacao_fiscal nipc tax_id tax_number vat vat_number numero_fiscal"},
		{ROCNP, "cnp c_n_p cod_numeric_personal codul_numeric_personal codul_numeric numeric_personal personal_numeric_code romanian_id"},
		{SEOrganisationsnummer, "organisationsnummer* organisations_nr orgnr org_nr orgnummer* org_nummer organisationsnr company_identity_code company_id company_number company_registration* corporate_identity_number momsnr momsnummer*" +
			" momsregistrering* vat vat_number bolagsnummer* organisation_number organization_number"},
		{SEPersonnummer, "personnummer* personnumret pnr person_nr personnr samordningsnummer* personal_identity_number personal_number swedish_id swedish_id_code id_code identity_number personal_id"},
		{SIEMSO, "emso e_m_s_o enotna_maticna_stevilka maticna_stevilka enotno_maticno_stevilko maticno_stevilko jmbg personal_number unique_master_citizen_number slovenian_id"},
		{TRNationalID, "tckn tc_kimlik* t_c_kimlik* tc_no t_c_no tcno tc_kimlik_no* kimlik_no* kimlik_numara* kimlik kimligim tc_numara* tc vatandaslik_numara* vatandaslik_no turkish_id nufus_cuzdani turk_kimlik* kimlik_numarasi"},
		{UKNHS, "nhs nhs_number nhs_no nhs_num national_health_service national_health health_service_number chi_number hospital_number"},
		{UKNINO, "nino national_insurance* national_insurance_number ni_number ni_no ni_num nat_ins n_i_number insurance_number nin ni"},
		{UKTRN, "utr utr_number unique_taxpayer_reference* taxpayer_reference* tax_reference* trn self_assessment hmrc tax_ref corporation_tax_reference unique_tax_reference*"},
		{USDEA, "dea dea_number dea_no dea_reg* dea_license drug_enforcement* drug_enforcement_administration prescriber"},
		{USITIN, "itin i_t_i_n individual_taxpayer* taxpayer_identification* taxpayer_id tax_id tin tax_payer_id"},
		{USMBI, "mbi medicare_beneficiary* medicare_id medicare_number medicare_no medicare medicare_card beneficiary_identifier beneficiary_id"},
		{USNPI, "npi npi_number national_provider* provider_identifier provider_id provider_number nppes"},
		{USSSN, "ssn ssns s_s_n social_security social_security_number social_security_no soc_sec social_sec social ss_number ss_num ss_no ssn_number numero_de_seguro_social seguro_social numero_social social_number"},
		{ZAIDNumber, "sa_id south_african_id rsa_id id_number id_no id_num identity_number identity_document id_nommer identiteitsnommer* id_book national_id permanent_resident permanent_resident_number id"},
	}
}

// asianWords are the words for the national identifiers of Asia.
func asianWords() []wordRow {
	return []wordRow{
		{CNID, "身份证 身份证号 身份证号码 身分證 身份證 身份證號碼 居民身份证 公民身份号码 证件号码 证件号 身份号码 shenfenzheng resident_identity_card resident_id chinese_id china_id id_card identity_card id_number"},
		{INAadhaar, "aadhaar* aadhar* adhaar* adhar* uidai uid uid_number आधार आधार_नंबर आधार_संख्या ஆதார் ఆధార్ ಆಧಾರ್ আধার"},
		{INGSTIN, "gstin* gst gst_no gst_number gst_in gst_id gst_registration* goods_and_services_tax जीएसटी"},
		{INPAN, "pan pan_card pan_no pan_number permanent_account* permanent_account_number income_tax पैन पैन_कार्ड पैन_नंबर tax_id"},
		{INVoter, "voter* voter_id voter_card voter_id_card epic epic_no epic_number elector* election_card election_id vote voting मतदाता मतदाता_पहचान वोटर"},
		{KRBRN, "사업자등록번호 사업자번호 사업자 사업자등록 business_registration* business_registration_number brn korean_brn company_registration*"},
		{KRFRN, "외국인등록번호 외국인번호 외국인등록 등록번호 외국인 alien_registration* foreigner_registration* foreign_registration* frn korean_frn arc arc_number registration_card"},
		{KRRRN, "주민등록번호 주민번호 주민등록 주민 resident_registration* rrn korean_rrn jumin jumin_number"},
		{PHTIN, "tin t_i_n bir bir_tin tin_no tin_number tin_id taxpayer_identification* tax_identification* tax_id buwis"},
		{SGFIN, "fin fin_no fin_number foreign_identification* nric_fin nric work_permit* employment_pass work_pass"},
		{SGNRIC, "nric nric_no nric_number nric_fin national_registration* identity_card ic ic_no ic_number singpass pink_ic 身份证"},
		{SGUEN, "uen uen_no uen_number unique_entity_number entity_number acra company_registration* business_registration* company_number roc gst_reg*"},
		{THTNIN, "เลขบัตรประชาชน เลขประจำตัวประชาชน บัตรประชาชน เลขประจำตัว รหัสประชาชน หมายเลขบัตร บัตร_ปชช ปชช thai_id thai_national_id thai_id_number national_id national_id_number citizen_id id_card เลขผู้เสียภาษี"},
	}
}
