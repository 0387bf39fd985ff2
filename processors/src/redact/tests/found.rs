//! What is found where, case by case.

use super::check;

#[test]
fn email() {
    check(&[
        ("mail bob@example.com now", "mail [EMAIL] now"),
        ("<Bob.Smith+tag@mail.example.co.uk>.", "<[EMAIL]>."),
        ("почта@пример.рф", "[EMAIL]"),
        ("\"john doe\"@example.com", "[EMAIL]"),
        ("user%40example.com", "[EMAIL]"),
        (r"user\u0040example.com", "[EMAIL]"),
        ("/u?e=user%2540example.com&x=1", "/u?e=[EMAIL]&x=1"),
        ("a@[203.0.113.9]", "[EMAIL]"),
        ("logo@2x.png lodash@4.17.21 @decorator me@localhost", "logo@2x.png lodash@4.17.21 @decorator me@localhost"),
    ]);
}

#[test]
fn card() {
    check(&[
        ("pan 4111 1111 1111 1111 ok", "pan [CARD] ok"),
        ("4111-1111-1111-1111", "[CARD]"),
        ("4111111111111111", "[CARD]"),
        ("4111111111111111.0", "[CARD]"),
        ("3782 822463 10005", "[CARD]"),
        ("4111 - 1111 - 1111 - 1111", "[CARD]"),
        ("card=4111+1111+1111+1111", "card=[CARD]"),
        ("5018 0000 0009", "[CARD]"),
        ("see 9115902240134403.", "see [CARD]."),
        ("offset 9115902240134403", "offset 9115902240134403"),
        ("4111%201111%201111%201111", "[CARD]"),
        ("4111\u{a0}1111\u{a0}1111\u{a0}1111", "[CARD]"),
        ("\u{1b}[31m4111111111111111\u{1b}[0m", "\u{1b}[31m[CARD]\u{1b}[0m"),
        ("order 4111111111111112 of 0.4111111111111111", "order 4111111111111112 of 0.4111111111111111"),
        ("a4111111111111111 1800-4111", "a4111111111111111 1800-4111"),
    ]);
}

#[test]
fn iban() {
    check(&[
        ("to DE89370400440532013000.", "to [IBAN]."),
        ("GB29 NWBK 6016 1331 9268 19 please", "[IBAN] please"),
        ("fr1420041010050500013m02606", "[IBAN]"),
        ("KZ86125KZT5004100100", "[IBAN]"),
        ("DE89370400440532013001", "DE89370400440532013001"),
        ("DE89370400440532013000,GB29 NWBK 6016 1331 9268 19", "[IBAN],[IBAN]"),
    ]);
}

#[test]
fn phone() {
    check(&[
        ("call +14155552671 now", "call [PHONE] now"),
        ("+1 (415) 555-2671", "[PHONE]"),
        ("+44 (0)20 7946 0958 200", "[PHONE] 200"),
        ("+7 701 123 45 67", "[PHONE]"),
        ("8 (701) 123-45-67", "[PHONE]"),
        ("(415) 555-2671x389", "[PHONE]"),
        ("415.555.2671", "[PHONE]"),
        ("001-581-896-0013", "[PHONE]"),
        ("07911 123456 or 01 23 45 67 89", "[PHONE] or [PHONE]"),
        ("phone: 5818960013", "phone: [PHONE]"),
        ("call me on 5818960013, or on my registered 5818960014", "call me on [PHONE], or on my registered [PHONE]"),
        ("5818960013 office\n5818960014-Fax", "[PHONE] office\n[PHONE]-Fax"),
        ("Телефон: 8 701 123 45 67, моб. 77011234567", "Телефон: [PHONE], моб. [PHONE]"),
        ("Handynummer 0171/2345678, tél. 0612345678", "Handynummer [PHONE], tél. [PHONE]"),
        ("電話 03-1234-5678", "電話 [PHONE]"),
        ("0044 20 7946 0958 and 00442079460958", "[PHONE] and [PHONE]"),
        ("order 00442079460958 of 0000012345", "order 00442079460958 of 0000012345"),
        ("tel 62889, phone id 6288912", "tel [PHONE], phone id 6288912"),
        ("+\u{661}\u{664}\u{661}\u{665}\u{665}\u{665}\u{665}\u{662}\u{666}\u{667}\u{661}", "[PHONE]"),
        ("phone=%2B1+415+555+2671&x=1", "phone=[PHONE]&x=1"),
        ("rpc call 12345678 took 250 300 4000 us", "rpc call 12345678 took 250 300 4000 us"),
        ("%2B14155552671", "[PHONE]"),
        ("took 1234567 of 2026-11-21 09:26:11 at +0530 +02:00", "took 1234567 of 2026-11-21 09:26:11 at +0530 +02:00"),
        ("123-456-7890 1731234567 +12", "123-456-7890 1731234567 +12"),
    ]);
}

#[test]
fn addresses_of_machines() {
    check(&[
        ("from 203.0.113.7:443", "from [IP]:443"),
        ("http://203.0.113.7/x", "http://[IP]/x"),
        ("x=2001:db8::1, fe80::1%eth0 [2001:db8:0:0:0:0:0:7]:80", "x=[IP], [IP]%eth0 [[IP]]:80"),
        ("::ffff:203.0.113.7", "[IP]"),
        ("aa:bb:cc:dd:ee:0f 0a-1b-2c-3d-4e-5f", "[MAC] [MAC]"),
        ("GET /hosts/203.0.113.7/x", "GET /hosts/[IP]/x"),
        ("netmask 255.255.255.0", "netmask 255.255.255.0"),
        ("203.0.113.0/24 2001:db8:7::/48 10.0.0.0/8", "203.0.113.0/24 2001:db8:7::/48 10.0.0.0/8"),
        ("203.0.113.7/32", "[IP]/32"),
        ("127.0.0.1:80 0.0.0.0 ::1 std::vec a::b 09:26:11", "127.0.0.1:80 0.0.0.0 ::1 std::vec a::b 09:26:11"),
        (
            "v1.2.3.4 version 24.25.26.27 1.3.6.1.4.1 Chrome/120.0.0.0",
            "v1.2.3.4 version 24.25.26.27 1.3.6.1.4.1 Chrome/120.0.0.0",
        ),
        ("1.2.3.4 client 1.2.3.4", "1.2.3.4 client [IP]"),
    ]);
}

#[test]
fn numbers_of_people() {
    check(&[
        ("ssn 536-22-8123", "ssn [SSN]"),
        ("666-22-8123 900-22-8123 912-78-1234", "666-22-8123 900-22-8123 [ID]"),
        ("ssn 536228123, order 536228123", "ssn [ID], order 536228123"),
        ("ИИН 850101300124, ИИН 850101300128", "ИИН [ID], ИИН 850101300128"),
        ("СНИЛС 112-233-445 95 выдан", "СНИЛС [ID] выдан"),
        ("ИНН 500100732259, ИНН 500100732258", "ИНН [ID], ИНН 500100732258"),
        ("паспорт 45 12 345678", "паспорт [ID]"),
        ("NHS number 943 476 5919", "NHS number [ID]"),
        ("AB 12 34 56 C and AB123456C, not GB123456C", "[ID] and [ID], not GB123456C"),
        ("Steuer-ID 86 095 742 719", "Steuer-ID [ID]"),
        ("2 55 08 14 168 025 38", "[ID]"),
        ("RSSMRA85T10A562S", "[ID]"),
        ("DNI 12345678Z, X1234567L", "DNI [ID], [ID]"),
        ("PESEL 44051401359 BSN 111222333", "PESEL [ID] BSN [ID]"),
        ("131052-308T", "[ID]"),
        ("111.444.777-35", "[ID]"),
        ("routing number 111000025", "routing number [ID]"),
        ("passport C1234567", "passport [ID]"),
    ]);
}

#[test]
fn wallets() {
    check(&[
        ("to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.", "to [CRYPTO]."),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "[CRYPTO]"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "[CRYPTO]"),
        (
            "0x5290840009852788 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "0x5290840009852788 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        ),
    ]);
}

#[test]
fn tokens() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    check(&[
        (jwt, "[JWT]"),
        (&format!("at {jwt}, then"), "at [JWT], then"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[JWT]."),
        ("Authorization: Bearer abc.def-123", "Authorization: [SECRET]"),
        ("got Bearer a1b2c3d4e5 from", "got Bearer [SECRET] from"),
        ("Basic dXNlcjpwYXNz", "Basic [SECRET]"),
        ("bearer token missing, basic authentication", "bearer token missing, basic authentication"),
        ("the api key is 4f9c0b1a2d3e4f5a6b7c8d9e0f1a2b3c.", "the api key is [SECRET]."),
        ("elevenlabs 4f9c0b1a2d3e4f5a6b7c8d9e0f1a2b3c", "elevenlabs [SECRET]"),
        ("the cache key is 4f9c0b1a2d3e4f5a6b7c8d9e0f1a2b3c", "the cache key is 4f9c0b1a2d3e4f5a6b7c8d9e0f1a2b3c"),
        ("sk-learn-a-very-long-class-name", "sk-learn-a-very-long-class-name"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x", "[KEY] x"),
        ("-----BEGIN PRIVATE KEY-----\\nMIIE", "[KEY]"),
        ("-----BEGIN+PRIVATE+KEY-----MIIE-----END+PRIVATE+KEY----- x", "[KEY] x"),
        ("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"),
    ]);
}

#[test]
fn values_beside_names() {
    check(&[
        ("password=hunter2 user=1", "password=[SECRET] user=1"),
        (r#"login {"password": "hun ter2"}"#, r#"login {"password": "[SECRET]"}"#),
        (r#"x {\"api_key\":\"abc\"}"#, r#"x {\"api_key\":\"[SECRET]\"}"#),
        (r"{'secret': 'abc'} x", r"{'secret': '[SECRET]'} x"),
        ("Cookie: a=1; b=2\nnext", "Cookie: [SECRET]\nnext"),
        ("GET /cb?code=4f8a77&state=9", "GET /cb?code=[SECRET]&state=9"),
        ("?email=bob&key=AbC1&q=1", "?email=[EMAIL]&key=[SECRET]&q=1"),
        ("code=4f8a77&state=9", "code=[SECRET]&state=9"),
        ("password%3Dhunter2", "password%3D[SECRET]"),
        ("https://user:p@ss@db.example.com/x", "https://[SECRET]@db.example.com/x"),
        ("postgres://app:pw@203.0.113.7:5432", "postgres://[SECRET]@[IP]:5432"),
        ("AccountKey=abcd1234==;x", "AccountKey=[SECRET];x"),
        ("password: is wrong, token: expired, tokens=5", "password: is wrong, token: expired, tokens=5"),
        (
            "code=200 status=ok key=a max_token=5 next_page_token=abc",
            "code=200 status=ok key=a max_token=5 next_page_token=abc",
        ),
        ("password=null token=\"\"", "password=null token=\"\""),
    ]);
}

#[test]
fn json() {
    check(&[
        (r#"{"password":"x","n":1}"#, r#"{"password":"[SECRET]","n":1}"#),
        (
            r#"{"a":{"Email":"x"},"b":["c",{"phoneNumber":5}]}"#,
            r#"{"a":{"Email":"[EMAIL]"},"b":["c",{"phoneNumber":"[PHONE]"}]}"#,
        ),
        (r#"{"token":{"a":[1,"x"]},"b":true,"secret":null}"#, r#"{"token":"[SECRET]","b":true,"secret":null}"#),
        (r#"{"n": 4111111111111111, "t": 1731234567890123456}"#, r#"{"n": "[CARD]", "t": 1731234567890123456}"#),
        (r#"{"m":"bob\u0040example.com \"hi\""}"#, r#"{"m":"[EMAIL] \"hi\""}"#),
        (r#"{"in":"{\"password\":\"x\"}"}"#, r#"{"in":"{\"password\":\"[SECRET]\"}"}"#),
        (r#"{"bob@example.com":1,"password bob@example.com":1}"#, r#"{"[EMAIL]":1,"password [EMAIL]":1}"#),
        (r#"[{"key":"password","value":{"stringValue":"x"}}]"#, r#"[{"key":"password","value":"[SECRET]"}]"#),
        (
            r#"[{"name":"Cookie","value":"x"},{"name":"a","value":"x"}]"#,
            r#"[{"name":"Cookie","value":"[SECRET]"},{"name":"a","value":"x"}]"#,
        ),
        (r#"{"gen_ai.prompt.0.content":"x","b":1}"#, r#"{"b":1}"#),
        (r#"{"input.value":{"a":"b"},"output.value":2,"b":1}"#, r#"{"b":1}"#),
        (r#"{"a":1,"input.value":[1],"b":1,"output.value":2}"#, r#"{"a":1,"b":1}"#),
        (r#"{"input.value":1}"#, r#"{}"#),
        (r#"[{"name":"gen_ai.user.message","attributes":{"content":"hi"}}]"#, r#"[{"name":"gen_ai.user.message"}]"#),
        (r#"{"password":"x"#, r#"{"password":"[SECRET]"#),
        ("{\"a\":\"b@c.de\"}\n{\"password\":\"x\"}", "{\"a\":\"[EMAIL]\"}\n{\"password\":\"[SECRET]\"}"),
        ("[INFO] password=x1", "[INFO] password=[SECRET]"),
        (r#"{"user.id":"u7","session_id":"s"}"#, r#"{"user.id":"[USER]","session_id":"[SESSION]"}"#),
    ]);
}

#[test]
fn readable_blobs() {
    // "mail bob@example.com" and its hexadecimal form.
    check(&[
        ("bWFpbCBib2JAZXhhbXBsZS5jb20=", "[EMAIL]"),
        ("6d61696c20626f62406578616d706c652e636f6d", "[EMAIL]"),
        ("aGVsbG8gd29ybGQgYWdhaW4=", "aGVsbG8gd29ybGQgYWdhaW4="),
    ]);
}
