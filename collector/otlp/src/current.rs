//! The request at hand: what it may cost, and what became of its records so far.

use component::Pseudonym;
use hashbrown::HashMap;

use crate::value::Refusal;
use crate::{Outcome, Request, Signal};

/// Bytes of rows that one byte of a request may become by repeating what records share, so that memory stays linear.
const COPIES: usize = 64;
/// What every request may become besides.
const FREE_COPIES: usize = 1 << 20;
/// The request at hand.
#[derive(Default)]
pub(crate) struct Current<'a> {
    pub(crate) number: u32,
    pub(crate) tenant: &'a str,
    pub(crate) received: u64,
    /// Copies that may still be made.
    pub(crate) budget: usize,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    /// Records met so far.
    pub(crate) met: u64,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) is_audited: bool,
    /// Whether resources and scopes are looked for behind their records too.
    pub(crate) is_careful: bool,
    /// How often each identity was given, before its ordinal.
    pub(crate) ordinals: HashMap<Pseudonym, u64>,
}

impl<'a> Current<'a> {
    pub(crate) fn begin(&mut self, number: usize, request: &Request<'a>) {
        let mut ordinals = std::mem::take(&mut self.ordinals);
        ordinals.clear();
        *self = Self {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            tenant: request.tenant,
            received: request.received_unix_nano,
            budget: request.body.len().saturating_mul(COPIES).saturating_add(FREE_COPIES),
            ordinals,
            ..Self::default()
        };
    }

    pub(crate) fn outcome(&self, signal: Signal) -> Outcome {
        let what = if signal == Signal::Traces { "spans" } else { "log records" };
        let reason = self.refusal.map(|refusal| {
            let (rejected, all) = (self.rejected, self.accepted + self.rejected);
            let audit =
                if self.is_audited { "; a request with audited records is taken whole or not at all" } else { "" };
            format!("{rejected} of {all} {what} refused: {refusal}{audit}")
        });
        Outcome { accepted: self.accepted, rejected: self.rejected, reason, malformed: false, audited: self.is_audited }
    }
}
