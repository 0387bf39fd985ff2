//! Calls to providers, in the attributes that their instrumentations send.

use opentelemetry::KeyValue;

use crate::item::{Failure, attributes};
use crate::random::Random;
use crate::scene::Called;

/// A model and how it answers.
pub(crate) struct Model {
    pub(crate) provider: &'static str,
    pub(crate) name: &'static str,
    pub(crate) host: &'static str,
    pub(crate) operation: &'static str,
    /// Median tokens in and out.
    pub(crate) tokens: (f64, f64),
    /// Tokens a second.
    pub(crate) speed: f64,
}

pub(crate) const GPT: Model = Model {
    provider: "openai",
    name: "gpt-5.1",
    host: "api.openai.com",
    operation: "chat",
    tokens: (1800.0, 260.0),
    speed: 90.0,
};
pub(crate) const CLAUDE: Model = Model {
    provider: "anthropic",
    name: "claude-sonnet-4-5",
    host: "api.anthropic.com",
    operation: "chat",
    tokens: (2400.0, 320.0),
    speed: 70.0,
};
pub(crate) const OPUS: Model = Model { name: "claude-opus-4-1", tokens: (52_000.0, 1900.0), speed: 45.0, ..CLAUDE };
pub(crate) const GEMINI: Model = Model {
    provider: "gcp.gemini",
    name: "gemini-2.5-flash",
    host: "generativelanguage.googleapis.com",
    operation: "generate_content",
    tokens: (5200.0, 700.0),
    speed: 160.0,
};
/// Too new to have a price.
pub(crate) const PREVIEW: Model = Model { name: "gemini-9-preview", ..GEMINI };

/// A call that is answered.
pub(crate) fn call(random: &mut Random, model: &Model, more: Vec<KeyValue>) -> Called {
    let input = random.around(model.tokens.0, 0.5) as i64;
    let output = random.around(model.tokens.1, 0.5).max(8.0) as i64;
    let cached = if random.chance(0.35) { input * 7 / 10 } else { 0 };
    let first = random.around(380.0, 0.4);
    let mut attributes = asked(random, model);
    attributes.extend(attributes![
        "gen_ai.response.model" => model.name,
        "gen_ai.response.id" => format!("resp_{}", random.hex(24)),
        "gen_ai.usage.input_tokens" => input,
        "gen_ai.usage.output_tokens" => output,
        "gen_ai.usage.cache_read.input_tokens" => cached,
        "gen_ai.response.time_to_first_chunk" => first / 1000.0,
    ]);
    attributes.extend(more);
    let ms = first + output as f64 / model.speed * 1000.0;
    Called { name: format!("{} {}", model.operation, model.name), ms, attributes, failure: None }
}

/// A call that fails, with what the provider said.
pub(crate) fn failing(random: &mut Random, model: &Model, kind: &'static str, status: i64, message: String) -> Called {
    let mut attributes = asked(random, model);
    attributes.extend(attributes!["error.type" => kind, "http.response.status_code" => status]);
    let ms = if kind == "timeout" { 30_000.0 } else { random.around(180.0, 0.5) };
    let failure = Some(Failure { kind, message, thrown: true });
    Called { name: format!("{} {}", model.operation, model.name), ms, attributes, failure }
}

/// A stream that the user or the network broke off.
pub(crate) fn aborted(random: &mut Random, model: &Model, more: Vec<KeyValue>) -> Called {
    let mut called = call(random, model, more);
    called.attributes.push(KeyValue::new("app.stream_aborted", true));
    called.ms *= 0.4;
    called
}

fn asked(random: &mut Random, model: &Model) -> Vec<KeyValue> {
    attributes![
        "gen_ai.operation.name" => model.operation,
        "gen_ai.provider.name" => model.provider,
        "gen_ai.request.model" => model.name,
        "gen_ai.request.stream" => true,
        "gen_ai.output.type" => "text",
        "server.address" => model.host,
        "server.port" => 443_i64,
        "app.request_id" => random.hex(16),
    ]
}

/// Speech: billed by the character, with the key in a header.
pub(crate) fn speech(random: &mut Random, key: &'static str) -> Called {
    let characters = random.around(420.0, 0.6) as i64;
    let model = if random.chance(0.7) { "eleven_flash_v2_5" } else { "eleven_multilingual_v2" };
    let attributes = attributes![
        "gen_ai.operation.name" => "text_to_speech",
        "gen_ai.provider.name" => "elevenlabs",
        "gen_ai.request.model" => model,
        "gen_ai.output.type" => "speech",
        "gen_ai.usage.characters" => characters,
        "server.address" => "api.elevenlabs.io",
        "http.request.method" => "POST",
        "http.response.status_code" => 200_i64,
        "http.request.header.xi-api-key" => key,
        "app.feature.name" => "voice",
    ];
    Called { name: format!("text_to_speech {model}"), ms: random.around(900.0, 0.4), attributes, failure: None }
}

/// Another service outside, known by its host.
pub(crate) fn outside(random: &mut Random, peer: &'static str, url: String, ms: f64, more: Vec<KeyValue>) -> Called {
    let mut attributes = attributes![
        "peer.service" => peer,
        "http.request.method" => "GET",
        "http.response.status_code" => 200_i64,
        "url.full" => url,
    ];
    attributes.extend(more);
    Called { name: format!("GET {peer}"), ms: random.around(ms, 0.5), attributes, failure: None }
}
