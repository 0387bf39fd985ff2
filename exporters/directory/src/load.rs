//! From the encrypted file to the index: which records count, then every value opened, on all cores.

use component::{DataKey, Envelopes};

use crate::changes::{Place, Places, Users};
use crate::file::{HEADER, Image};
use crate::index::{Column, Index};
use crate::query::{digits, fold};
use crate::record::{Facet, Record};
use crate::{Error, Part, VERSION};

/// Fewer users are not worth a thread.
const ALONE: usize = 4096;

/// Opens values of one tenant, one after another: those of one row share a key.
pub(crate) struct Opener<'a> {
    image: &'a Image,
    envelopes: &'a Envelopes,
    tenant: &'a str,
    last: Option<(Place, DataKey)>,
    pub(crate) unreadable: u64,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(image: &'a Image, envelopes: &'a Envelopes, tenant: &'a str) -> Self {
        Self { image, envelopes, tenant, last: None, unreadable: 0 }
    }

    /// The value of a part, as it was kept.
    pub(crate) fn open(&mut self, part: Part, places: &Places) -> Option<String> {
        let place = places[part as usize];
        if place == 0 {
            return None;
        }
        let opened = self.value(part, place);
        self.unreadable += u64::from(opened.is_none());
        opened
    }

    fn value(&mut self, part: Part, place: Place) -> Option<String> {
        let record = self.image.row(place as usize * 8)?;
        let mut sealed = record.sealed[part as usize]?.to_vec();
        if self.last.as_ref().is_none_or(|(known, _)| *known != place) {
            let key = self.envelopes.open(self.tenant, record.user_ref, record.key_id, record.key_wrapped).ok()?;
            self.last = Some((place, key));
        }
        let (_, key) = self.last.as_ref()?;
        let opened = key.decrypt(&[record.user_ref, part.as_str(), VERSION], &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }

    /// A text as it is compared.
    fn folded(&mut self, part: Part, places: &Places) -> String {
        match (part, self.open(part, places)) {
            (_, None) => String::new(),
            (Part::Phone, Some(value)) => digits(&value),
            (_, Some(value)) => fold(&value),
        }
    }
}

/// The users of a tenant, from the whole file.
pub(crate) fn load(image: Image, generation: u64, envelopes: &Envelopes, tenant: &str) -> Result<Index, Error> {
    let mut users = Users::default();
    for (at, record) in image.rows(HEADER).filter(|(_, record)| record.tenant == tenant) {
        users.apply(at, &record);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let each = users.len().div_ceil(cores).max(ALONE);
    let mut columns: [Column; 3] = Default::default();
    let mut unreadable = 0;
    std::thread::scope(|scope| {
        let (image, users) = (&image, &users);
        let spawn = |part| scope.spawn(move || texts(image, envelopes, tenant, part));
        let threads: Vec<_> = users.all().chunks(each).map(spawn).collect();
        for thread in threads {
            let failed = |_| Error::Query("opening the user directory failed; see the log".to_owned());
            let (texts, refused) = thread.join().map_err(failed)?;
            columns.iter_mut().zip(&texts).for_each(|(column, more)| column.append(more));
            unreadable += refused;
        }
        Ok::<(), Error>(())
    })?;
    let numbers = 0..u32::try_from(users.len()).unwrap_or(u32::MAX);
    let (user_of, row_of) = (numbers.clone().collect(), numbers.collect());
    Ok(Index { tenant: tenant.to_owned(), generation, image, users, columns, user_of, row_of, unreadable })
}

fn texts(image: &Image, envelopes: &Envelopes, tenant: &str, users: &[Places]) -> ([Column; 3], u64) {
    let mut columns: [Column; 3] = Default::default();
    let mut opener = Opener::new(image, envelopes, tenant);
    for places in users {
        for (part, column) in Part::ALL.into_iter().zip(&mut columns) {
            column.push(&opener.folded(part, places));
        }
    }
    (columns, opener.unreadable)
}

impl Index {
    /// Takes in what was appended to the same file since.
    pub(crate) fn grow(&mut self, image: Image, envelopes: &Envelopes) {
        let from = self.image.bytes().len();
        for (at, record) in image.rows(from) {
            if record.tenant == self.tenant {
                self.take(at, &record, &image, envelopes);
            }
        }
        self.image = image;
    }

    fn take(&mut self, at: usize, record: &Record<'_>, image: &Image, envelopes: &Envelopes) {
        let Some(change) = self.users.apply(at, record) else { return };
        let opens = [Facet::Email, Facet::Phone, Facet::Name].map(|facet| change.facets[facet as usize]);
        let old = self.row_of.get(change.user as usize).copied();
        if old.is_some() && !opens.contains(&true) {
            return;
        }
        let Ok(row) = u32::try_from(self.user_of.len()) else { return };
        let tenant = self.tenant.clone();
        let mut opener = Opener::new(image, envelopes, &tenant);
        let places = self.users.places(change.user);
        for ((part, column), opens) in Part::ALL.into_iter().zip(&mut self.columns).zip(opens) {
            let text = match old {
                Some(old) if !opens => column.get(old as usize).to_owned(),
                _ => opener.folded(part, &places),
            };
            if let Some(old) = old {
                column.blank(old as usize);
            }
            column.push(&text);
        }
        self.unreadable += opener.unreadable;
        self.user_of.push(change.user);
        match self.row_of.get_mut(change.user as usize) {
            Some(known) => *known = row,
            None => self.row_of.push(row),
        }
    }
}
