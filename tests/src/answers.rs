//! Answers as lines that do not depend on keys: each pseudonym is told by its letter and the number of its first
//! appearance, so that `u1` in two answers is one user.

use std::collections::BTreeMap;

use crate::{Setup, python};

/// Base32 digits of a pseudonym.
const DIGITS: usize = 26;

/// Digits after the point of an exact amount of money.
const MONEY: usize = 18;

/// A question, and the rows that it must give: CSV without a header, NULL as nothing, amounts without zeros at the end.
pub struct Case {
    /// What is asked.
    pub sql: &'static str,
    /// What is answered.
    pub rows: &'static [&'static str],
}

/// Asks one system; knows the pseudonyms that it has seen.
pub struct Asker<'a> {
    setup: &'a Setup,
    known: BTreeMap<String, String>,
    count: BTreeMap<char, usize>,
}

impl<'a> Asker<'a> {
    /// Knows nobody yet.
    pub fn new(setup: &'a Setup) -> Self {
        Self { setup, known: BTreeMap::new(), count: BTreeMap::new() }
    }

    /// Asks all of it, in order; says at once everything that is not as expected.
    pub fn check(&mut self, cases: &[Case]) {
        let mut wrong = Vec::new();
        for Case { sql, rows } in cases {
            let answer = self.ask(sql);
            if answer != *rows {
                wrong.push(format!(
                    "{sql}\nexpected\n  {}\nand was told\n  {}\n",
                    rows.join("\n  "),
                    answer.join("\n  ")
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The rows of one answer.
    pub fn ask(&mut self, sql: &str) -> Vec<String> {
        let text = python::output(self.setup.command("query").args([sql, "--format", "csv"]));
        text.lines().skip(1).map(|line| self.plain(line)).collect()
    }

    fn plain(&mut self, line: &str) -> String {
        let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
        let mut plain = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            plain.push_str(&self.word(word));
            let mut others = after.chars();
            plain.extend(others.next());
            rest = others.as_str();
        }
        plain
    }

    fn word(&mut self, word: &str) -> String {
        if let Some((whole, fraction)) = word.split_once('.')
            && fraction.len() == MONEY
            && (whole.to_owned() + fraction).bytes().all(|b| b.is_ascii_digit())
        {
            return word.trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        let Some(letter) = pseudonym(word) else { return word.to_owned() };
        let count = &mut self.count;
        let name = || {
            let number = count.entry(letter).or_default();
            *number += 1;
            format!("{letter}{number}")
        };
        self.known.entry(word.to_owned()).or_insert_with(name).clone()
    }
}

/// The letter of its domain, when the word is a pseudonym.
fn pseudonym(word: &str) -> Option<char> {
    let (head, digits) = word.split_once('_')?;
    let letter = head.chars().next()?;
    let key = head.get(1..)?.parse::<u32>().is_ok();
    let base32 = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b));
    (key && base32).then_some(letter)
}
