//! `marquetry reveal`: opens the encrypted values of a text, for whoever may ask for users, and puts each look-up down.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write};

use directory::{Directory, Standing};
use processors::redact::Token;

use super::ask::answer;
use super::{Answer, Asked, Opened, Tokens, who};
use crate::Distribution;
use crate::cli::Reveal;
use crate::config::Config;
use crate::error::Error;
use crate::until_closed::UntilClosed;

/// Tokens of one question: it must stay shorter than a process takes.
const AT_ONCE: usize = 16;

/// A value may hold a token that was there before it was encrypted, and so on.
const DEPTH: usize = 8;

/// Prints a text with what its tokens hold. Tokens that stay closed are an error, behind the text.
pub(crate) async fn reveal(config: &Config, distribution: &Distribution, what: &Reveal) -> Result<(), Error> {
    let mut text = what.text.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().lock().read_to_string(&mut text)?;
    }
    if Token::all(&text).is_empty() {
        let form = "one looks like [EMAIL:<26 letters and digits>:<some hundred more>], as it stands in a column";
        return Err(Error::Usage(format!("there is no token in the text; {form}")));
    }
    let mut known = BTreeMap::new();
    for _ in 0..DEPTH {
        let found = Token::all(&text).into_iter().map(|(place, _)| text[place].to_owned());
        let mut asked: Vec<String> = found.filter(|token| !known.contains_key(token)).collect();
        asked.sort();
        asked.dedup();
        if asked.is_empty() {
            break;
        }
        for tokens in asked.chunks(AT_ONCE) {
            let question = Asked::Reveal(Tokens {
                tenant: what.tenant.clone(),
                tokens: tokens.to_owned(),
                reason: what.reason.clone(),
                sudo_user: who::sudo_user(),
            });
            match answer(config, distribution, &question).await? {
                Answer::Refused(why) => return Err(Error::Usage(why)),
                Answer::Revealed(opened) => known.extend(tokens.iter().cloned().zip(opened)),
                Answer::Found(_) => return Err(Error::Usage("the collector answered another question".to_owned())),
            }
        }
        text = with(&text, &known);
    }
    print(&text)?;
    still_closed(&known, &what.tenant).map_or(Ok(()), |why| Err(Error::Usage(why)))
}

/// The text with what is known of its tokens.
fn with(text: &str, known: &BTreeMap<String, Opened>) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (place, _) in Token::all(text) {
        if let Some(Opened::Value(value)) = known.get(&text[place.clone()]) {
            out.push_str(&text[from..place.start]);
            out.push_str(value);
            from = place.end;
        }
    }
    out.push_str(&text[from..]);
    out
}

fn print(text: &str) -> Result<(), Error> {
    let terminal = std::io::stdout().is_terminal();
    // What a sender wrote must not move the cursor of who reads it.
    let shown: String =
        text.chars().map(|c| if terminal && c.is_control() && !"\n\t".contains(c) { ' ' } else { c }).collect();
    let mut out = UntilClosed::new(std::io::stdout());
    writeln!(out, "{}", shown.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Why some tokens were not opened, if so.
fn still_closed(known: &BTreeMap<String, Opened>, tenant: &str) -> Option<String> {
    let count = |what: &Opened| known.values().filter(|opened| *opened == what).count();
    let reasons = [
        (count(&Opened::Gone), "the key is gone: its user was erased, and nobody can open them any more".to_owned()),
        (
            count(&Opened::Unknown),
            format!(
                "the directory of tenant {tenant:?} has no such key: give the --data folder of the collector that wrote \
                 them, or their --tenant"
            ),
        ),
        (count(&Opened::Damaged), "they were changed, or made up: their key does not open them".to_owned()),
    ];
    let told: Vec<String> = reasons
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, why)| format!("{n} {} closed; {why}", if n == 1 { "token stays" } else { "tokens stay" }))
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

/// What each token holds, and the users whose values were opened.
pub(super) fn opened(
    directory: &mut Directory,
    asked: &Tokens,
) -> Result<(Vec<Opened>, Vec<String>), directory::Error> {
    let tokens: Vec<Option<Token<'_>>> =
        asked.tokens.iter().map(|text| Token::all(text).first().map(|(_, token)| *token)).collect();
    let ids: Vec<&str> = tokens.iter().map(|token| token.map_or("", |token| token.key_id)).collect();
    let standings = directory.text_keys(&ids)?;
    let mut users = Vec::new();
    let mut open = |token: Option<Token<'_>>, standing: Option<Standing>| match (token, standing) {
        // Whether another tenant has it is nobody's business.
        (Some(token), Some(Standing::Kept(key))) if key.tenant == asked.tenant => {
            let opened = directory.open_text_key(token.key_id, &key).and_then(|data| token.open(&data, &key.user_ref));
            match opened {
                Ok(value) => {
                    users.push(key.user_ref);
                    Opened::Value(value)
                }
                Err(_) => Opened::Damaged,
            }
        }
        (Some(_), Some(Standing::Gone)) => Opened::Gone,
        _ => Opened::Unknown,
    };
    let opened = tokens.into_iter().zip(standings).map(|(token, standing)| open(token, standing)).collect();
    users.sort();
    users.dedup();
    Ok((opened, users))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_stay_closed_say_why() {
        let token = |id: &str| format!("[EMAIL:{}:{}]", id.repeat(26), "A".repeat(70));
        let all = [("a", Opened::Value("x@y.org".to_owned())), ("b", Opened::Gone), ("c", Opened::Gone)];
        let known: BTreeMap<String, Opened> = all.into_iter().map(|(id, opened)| (token(id), opened)).collect();
        let text = format!("to {} and {}, {}", token("a"), token("b"), token("a"));
        assert_eq!(with(&text, &known), format!("to x@y.org and {}, x@y.org", token("b")));
        let why = still_closed(&known, "acme").unwrap();
        assert_eq!(
            why,
            "2 tokens stay closed; the key is gone: its user was erased, and nobody can open them any more"
        );
        assert_eq!(still_closed(&BTreeMap::new(), "acme"), None);
        let unknown = BTreeMap::from([(token("d"), Opened::Unknown), (token("e"), Opened::Damaged)]);
        let why = still_closed(&unknown, "acme").unwrap();
        assert!(why.contains("1 token stays closed; the directory of tenant \"acme\" has no such key"), "{why}");
        assert!(why.contains("1 token stays closed; they were changed"), "{why}");
    }
}
