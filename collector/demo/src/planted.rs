//! What must never be stored: values as careless apps put them into messages, headers and attributes.
//!
//! None of them is anybody's. A test looks for each in everything that a demo leaves behind.

/// Of a customer who wrote to the support.
pub(crate) const EMAIL: &str = "aigerim.planted@mail.example";

/// The same person's.
pub(crate) const PHONE: &str = "+7 701 555 01 99";

/// A card number for tests, valid by its check digit.
pub(crate) const CARD: &str = "4111 1111 1111 1111";

/// A key for an AI provider, as it lies about in error messages.
pub(crate) const AI_KEY: &str = concat!(
    "sk-",
    "proj-",
    "q7Rk2mXv9TzLbN4cWdY8hJpF5sGa3eUiKoQ1xZrMvB6nCtHyDw0lPfSjAgEu",
    "T3Blbk",
    "FJ",
    "m4Vx8NqZs2LdRt7WkHy5GbPc9JfUa3EoTiXr6MzBv1CnKwQg0lYhDpSjAeFu"
);

/// The key that speech is made with until it is exhausted.
pub(crate) const VOICE_KEY: &str = concat!("sk", "_", "5b1e9c0d7a3f48e2b6d4c8f01a97e35d2c6b80f4e1d9a753");

/// The key that takes its place.
pub(crate) const NEXT_VOICE_KEY: &str = concat!("sk", "_", "c27d0a94e6b15f38d7c1e90b4a82f6e53d9b07c4f8e12a65");

/// The key that pictures and feeds are scraped with.
pub(crate) const SCRAPE_KEY: &str = "brd-customer-planted-9f83b1c07d52e64a";

/// A session token of the database.
pub(crate) const TOKEN: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    ".",
    "eyJpc3MiOiJwbGFudGVkIiwic3ViIjoiYWlnZXJpbSIsInJvbGUiOiJhbm9uIn0",
    ".",
    "qX3Zt8LrV0cWm5KpYb7NhD2sJfGa9eUi"
);

/// What somebody typed into the field of the account name.
pub(crate) const PASSWORD: &str = "Kz-planted-Winter!77";
