//! Words that tell what a number is, to be read and added to: lower case, a line for a language or a few.

use std::sync::LazyLock;

use hashbrown::HashMap;

/// What a word says of a number behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A telephone number, without doubt.
    Phone,
    /// A call, a message or a person to reach: now and then something else.
    Call,
    /// Nothing: it stands between a telling word and its number.
    LeadsOver,
}

const PHONE: &[&str] = &[
    "tel tlf tfn telp ph phones cell cel fax telefax faks sms msisdn gsm whatsapp viber dial cellular mobile mobil mobiles",
    "handy handynummer rufnummer mobilnummer mobilnr telefon telefonnr telefonnummer telefons telefoon telefoonnummer",
    "telefonu telefony telefonom telefonen telefoner telefona telefonni telefonieren",
    "tél portable télécopie fixe",
    "celular móvil movil móviles teléfono telefono cellulare telefone telemóvel",
    "puhelin puh tālr tālrunis gsmnr",
    "звоните позвоните перезвоните тел моб факс сот сотовый фон утас ұялы вотсап ватсап",
    "τηλ τηλέφωνο κινητό հեռ ტელ ტელეფონი",
    "sđt thoại โทร โทรศัพท์ फोन मोबाइल ফোন",
    "נייד טלפון טל هاتف الهاتف تلفون جوال موبايل تلفن",
];

/// Parts of words for a telephone, in languages that decline or join them, beyond ASCII.
const STEMS: &str = "teléfon телефон téléphon мобильн 電話 电话 手机 手機 携帯 전화 휴대 핸드폰 연락처";

/// Ends of words such as `customerPhone` and `phoneNumber`; `phoneModel` is another thing.
const ENDS: &[&str] = &["phone", "phonenumber", "phoneno", "phonenum", "phonenr"];

/// What ends so and is no telephone.
const NO_PHONE: &[&str] = &["iphone", "microphone", "headphone", "smartphone", "gramophone"];

const CALL: &[&str] = &[
    "call calls called calling callback caller ring reach reached text texted contact contacts contacted messages",
    "answering registered hotline helpline desk office landline switchboard",
    "звонок звонить звонил позвонить звонки қоңырау",
    "appelez appeler appel joindre joignable rufen anrufen anruf erreichbar durchwahl",
    "llame llamar llama llámame chiamare chiamate chiama chiamami recapito ligue ligar contato contacto contatto",
    "bel bellen zadzwoń dzwoń zadzwonić ringa soita kontakt arayın ara zavolejte volejte",
];

const LEADS_OVER: &[&str] = &[
    "number numbers no nr num nos is was are at me us him them on to the my our your his her their of for via by from it",
    "home work main new customer client user value s u n sent please now",
    "nummer numéro numero número numer номер номера номеру номером нөмірі нөмір серия серии",
    "unter auf an ist au le la el al il de del du est es è по на мой наш это для и",
];

/// Words that make a call one of somebody.
pub(super) const WHOM: &[&str] =
    &["me", "us", "him", "her", "them", "my", "our", "your", "le", "au", "unter", "мне", "нам", "по"];

/// Words for a number, and whose it may be to be a telephone's.
pub(super) const NUMBER: &[&str] = &["number", "nummer", "numéro", "numero", "número", "номер", "no"];
pub(super) const WHOSE: &[&str] = &[
    "my", "our", "your", "his", "her", "their", "customer", "client", "contact", "callback", "мой", "наш", "meine",
    "mon", "mi",
];

/// Words behind a telephone number: `.. office`, `..-Fax`.
pub(super) const BEHIND: &[&str] = &[
    "office", "fax", "mobile", "cell", "home", "work", "desk", "direct", "mob", "phone", "tel", "факс", "моб", "раб",
    "дом", "сот",
];

/// Ends of words whose number is no telephone's and no card's.
const OTHER: &[&str] = &[
    "id ids order orders invoice ref reference ticket seq sequence offset bytes size time timestamp ts ms ns duration epoch",
    "serial sku code count total hash version build item items row rows page batch tracking transaction txn account snowflake nano nanos micros millis ptr addr",
    "заказ заказа счет счёт",
];

static ROLES: LazyLock<HashMap<&'static str, Role>> = LazyLock::new(|| {
    let lists = [(LEADS_OVER, Role::LeadsOver), (CALL, Role::Call), (PHONE, Role::Phone)];
    lists.iter().flat_map(|(lines, role)| lines.iter().flat_map(|l| l.split(' ')).map(|word| (word, *role))).collect()
});

/// Words of `ids`, whose last letters are worth a look as well.
const NUMBERS: &str = "iin inn snils passport passportno reisepass passeport pasaporte passaporto ssn social sociale itin taxpayer nhs steuer \
    idnr tin taxid nir secu insee pesel bsn sofinummer niss insz national personnummer pnr cpf aadhaar aadhar uidai sin \
    insurance tfn routing aba rtn imei dni nif documento identidad nino";

/// The last three letters that a telling word of ASCII can have, a bit for each combination.
static ENDINGS: LazyLock<[u64; 275]> = LazyLock::new(|| {
    let mut bits = [0; 275];
    let lines = LEADS_OVER.iter().chain(CALL).chain(PHONE).chain(ENDS).copied().chain([NUMBERS]);
    for word in lines.flat_map(|line| line.split_ascii_whitespace()).filter(|word| word.is_ascii() && word.len() > 2) {
        let index = ending(&word.as_bytes()[word.len() - 3..]);
        bits[index / 64] |= 1 << (index % 64);
    }
    bits
});

fn ending(letters: &[u8]) -> usize {
    letters.iter().fold(0, |n, letter| n * 26 + usize::from((letter | 0x20).wrapping_sub(b'a')) % 26)
}

/// Whether a word that ends in these three letters of ASCII may say something.
pub(super) fn could_tell(last: &[u8]) -> bool {
    let index = ending(last);
    ENDINGS[index / 64] >> (index % 64) & 1 == 1
}

/// What a word in lower case says.
pub(super) fn role(word: &str) -> Option<Role> {
    let known = ROLES.get(word).copied();
    let phone = || {
        let ends = ENDS.iter().any(|end| word.ends_with(end)) && !NO_PHONE.contains(&word);
        ends || (!word.is_ascii() && STEMS.split(' ').any(|stem| word.contains(stem)))
    };
    known.or_else(|| (word.len() >= 5 && phone()).then_some(Role::Phone))
}

/// Whether a word in lower case says that an identifier, an amount or a moment comes.
pub(super) fn is_other(word: &str) -> bool {
    OTHER.iter().flat_map(|line| line.split(' ')).any(|other| word.ends_with(other))
}
