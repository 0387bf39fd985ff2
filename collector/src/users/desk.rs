//! Where questions are answered: the text is looked for, the look-up is put down, and only then is anybody told.

use std::sync::{Arc, Mutex, PoisonError};

use directory::{Directory, Part, Query, masked};

use super::access::{Access, Entry};
use super::{Answer, Asked, Found, MOST, Opened, Question, Tokens, User, reveal, who};

/// A directory, and the book of those who ask it.
#[derive(Clone)]
pub(crate) struct Desk {
    directory: Arc<Mutex<Directory>>,
    access: Arc<Access>,
}

impl Desk {
    pub(crate) fn new(directory: Arc<Mutex<Directory>>, access: Access) -> Self {
        Self { directory, access: Arc::new(access) }
    }

    /// Answers one question of the account with this number.
    pub(crate) async fn answer(&self, asked: &Asked, uid: u32) -> Answer {
        let answer = match asked {
            Asked::Find(question) => self.found(question, uid).await,
            Asked::Reveal(tokens) => self.revealed(tokens, uid).await,
        };
        answer.unwrap_or_else(Answer::Refused)
    }

    async fn revealed(&self, asked: &Tokens, uid: u32) -> Result<Answer, String> {
        let (directory, tokens) = (Arc::clone(&self.directory), asked.clone());
        let work = move || reveal::opened(&mut directory.lock().unwrap_or_else(PoisonError::into_inner), &tokens);
        let opened = tokio::task::spawn_blocking(work).await.map_err(|_| "opening failed; see the log".to_owned())?;
        let (opened, users) = opened.map_err(|e| crate::with_sources(&e))?;
        let text = asked.tokens.join(" ");
        let entry = Entry {
            tenant: &asked.tenant,
            actor: &who::actor(uid, asked.sudo_user.as_deref()),
            action: "reveal",
            text: &text,
            length: text.len(),
            reason: asked.reason.as_deref(),
            hits: opened.iter().filter(|opened| matches!(opened, Opened::Value(_))).count() as u64,
            in_clear: true,
            refs: users.iter().map(String::as_str).collect(),
        };
        self.access.put(&entry).await.map_err(|e| crate::with_sources(&e))?;
        Ok(Answer::Revealed(opened))
    }

    async fn found(&self, question: &Question, uid: u32) -> Result<Answer, String> {
        let query = Query::new(&question.text).map_err(|e| e.to_string())?;
        let limit = question.limit.clamp(1, MOST);
        let (directory, asked, tenant) = (Arc::clone(&self.directory), query.clone(), question.tenant.clone());
        // Opening a large directory takes a second, and the first to ask waits for it.
        let work = move || directory.lock().unwrap_or_else(PoisonError::into_inner).find(&tenant, &asked, limit);
        let found =
            tokio::task::spawn_blocking(work).await.map_err(|_| "looking for users failed; see the log".to_owned())?;
        let found = found.map_err(|e| crate::with_sources(&e))?;
        let entry = Entry {
            tenant: &question.tenant,
            actor: &who::actor(uid, question.sudo_user.as_deref()),
            action: "find_user",
            text: query.folded(),
            length: query.length(),
            reason: question.reason.as_deref(),
            hits: found.total,
            in_clear: question.show,
            refs: found.hits.iter().map(|hit| hit.user_ref.as_str()).collect(),
        };
        self.access.put(&entry).await.map_err(|e| crate::with_sources(&e))?;
        let users = found.hits.into_iter().map(|hit| user(hit, question.show)).collect();
        Ok(Answer::Found(Found { users, total: found.total }))
    }
}

fn user(hit: directory::Hit, show: bool) -> User {
    let shown = |part: Part, value: Option<String>| value.map(|value| if show { value } else { masked(part, &value) });
    User {
        user_ref: hit.user_ref,
        email: shown(Part::Email, hit.email),
        phone: shown(Part::Phone, hit.phone),
        name: shown(Part::Name, hit.name),
        roles: hit.roles,
        created: hit.created.and_then(super::show::moment),
    }
}
