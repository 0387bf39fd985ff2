//! One model call in every dialect of the libraries that tell of it: one row that counts, the same columns, no sum twice.

use opentelemetry_proto::tonic::trace::v1::Span;
use tests::otlp::{self, attribute, int, tag};
use tests::{Marquetry, Setup};

/// A span: id, parent, kind as OTLP numbers it, scope, and its attributes as `key=value` with commas between; a number is an
/// integer.
type Said<'a> = (u64, u64, i32, &'a str, &'a str);

struct Case {
    dialect: &'static str,
    spans: &'static [Said<'static>],
    /// By span: how it was seen, operation, provider, models, tokens in, out, read from the cache and reasoned, finish,
    /// what its cost is, and which span counts instead.
    rows: &'static [&'static str],
}

const COLUMNS: [&str; 12] = [
    "seen_as",
    "operation",
    "provider",
    "request_model",
    "response_model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "reasoning_tokens",
    "finish_reasons",
    "cost_status",
    "echo_of",
];

const CASES: &[Case] = &[
    Case {
        dialect: "conventions of 2026, with the HTTP span below",
        spans: &[
            (
                1,
                0,
                3,
                "opentelemetry.genai.openai",
                "gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=gpt-4o-mini,gen_ai.response.model=gpt-4o-mini,gen_ai.response.id=a1,gen_ai.usage.input_tokens=100,gen_ai.usage.output_tokens=20,gen_ai.usage.cache_read.input_tokens=40,gen_ai.usage.reasoning.output_tokens=5,gen_ai.response.finish_reasons=stop",
            ),
            (
                2,
                1,
                3,
                "httpx",
                "http.request.method=POST,server.address=api.openai.com,url.full=https://api.openai.com/v1/chat/completions",
            ),
        ],
        rows: &[
            "genai chat openai gpt-4o-mini gpt-4o-mini 100 20 40 5 stop priced -",
            "http - openai - - - - - - - unpriced 1",
        ],
    },
    Case {
        dialect: "conventions of 1.30",
        spans: &[(
            1,
            0,
            3,
            "openai_v2",
            "gen_ai.operation.name=chat,gen_ai.system=openai,gen_ai.request.model=gpt-4o-mini,gen_ai.response.model=gpt-4o-mini,gen_ai.usage.prompt_tokens=100,gen_ai.usage.completion_tokens=20,gen_ai.response.finish_reason=stop",
        )],
        rows: &["genai chat openai gpt-4o-mini gpt-4o-mini 100 20 - - stop priced -"],
    },
    Case {
        dialect: "Traceloop: a workflow, its task, and the call",
        spans: &[
            (
                1,
                0,
                1,
                "traceloop",
                "traceloop.span.kind=workflow,traceloop.entity.name=joke,gen_ai.usage.input_tokens=100",
            ),
            (2, 1, 1, "traceloop", "traceloop.span.kind=task,traceloop.entity.name=tell"),
            (
                3,
                2,
                3,
                "traceloop.openai",
                "llm.request.type=chat,gen_ai.system=OpenAI,gen_ai.request.model=gpt-4o-mini,gen_ai.response.model=gpt-4o-mini,gen_ai.usage.prompt_tokens=100,gen_ai.usage.completion_tokens=20,llm.usage.total_tokens=120,gen_ai.usage.cache_read_input_tokens=40,gen_ai.usage.reasoning_tokens=5,gen_ai.completion.0.finish_reason=stop,llm.is_streaming=false",
            ),
        ],
        rows: &[
            "genai invoke_workflow - - - 100 - - - - aggregate -",
            "genai invoke_workflow - - - - - - - - aggregate -",
            "genai chat openai gpt-4o-mini gpt-4o-mini 100 20 40 5 stop priced -",
        ],
    },
    Case {
        dialect: "OpenInference: agent, chain, and the call",
        spans: &[
            (
                1,
                0,
                1,
                "openinference.langchain",
                "openinference.span.kind=AGENT,llm.token_count.prompt=100,llm.token_count.completion=20",
            ),
            (2, 1, 1, "openinference.langchain", "openinference.span.kind=CHAIN"),
            (
                3,
                2,
                1,
                "openinference.openai",
                "openinference.span.kind=LLM,llm.system=openai,llm.provider=openai,llm.model_name=gpt-4o-mini,llm.token_count.prompt=100,llm.token_count.completion=20,llm.token_count.total=120,llm.token_count.prompt_details.cache_read=40,llm.token_count.completion_details.reasoning=5,llm.finish_reason=stop",
            ),
            (4, 2, 1, "openinference.guardrails", "openinference.span.kind=GUARDRAIL"),
        ],
        rows: &[
            "genai invoke_agent - - - 100 20 - - - aggregate -",
            "genai invoke_workflow - - - - - - - - aggregate -",
            "genai chat openai gpt-4o-mini - 100 20 40 5 stop priced -",
            "genai invoke_workflow - - - - - - - - aggregate -",
        ],
    },
    Case {
        dialect: "Vercel AI SDK 4: the sum above, the call below",
        spans: &[
            (
                1,
                0,
                1,
                "ai",
                "ai.operationId=ai.generateText,ai.model.provider=openai.chat,ai.model.id=gpt-4o-mini,ai.usage.promptTokens=100,ai.usage.completionTokens=20,ai.response.finishReason=stop",
            ),
            (
                2,
                1,
                1,
                "ai",
                "ai.operationId=ai.generateText.doGenerate,ai.model.provider=openai.chat,ai.model.id=gpt-4o-mini,gen_ai.system=openai.chat,gen_ai.request.model=gpt-4o-mini,gen_ai.response.model=gpt-4o-mini,gen_ai.response.id=a1,gen_ai.usage.input_tokens=100,gen_ai.usage.output_tokens=20,ai.usage.promptTokens=100,ai.usage.completionTokens=20,ai.response.finishReason=stop",
            ),
            (3, 1, 1, "ai", "ai.operationId=ai.toolCall,ai.toolCall.name=weather"),
        ],
        rows: &[
            "genai invoke_agent openai gpt-4o-mini - 100 20 - - stop aggregate -",
            "genai chat openai gpt-4o-mini gpt-4o-mini 100 20 - - stop priced -",
            "genai execute_tool - - - - - - - - aggregate -",
        ],
    },
    Case {
        dialect: "Vercel AI SDK 5: a stream",
        spans: &[
            (
                1,
                0,
                1,
                "ai",
                "ai.operationId=ai.streamText,ai.model.provider=openai.responses,ai.model.id=gpt-4o-mini,ai.usage.inputTokens=100,ai.usage.outputTokens=20",
            ),
            (
                2,
                1,
                1,
                "ai",
                "ai.operationId=ai.streamText.doStream,ai.model.provider=openai.responses,ai.model.id=gpt-4o-mini,ai.response.model=gpt-4o-mini,ai.usage.inputTokens=100,ai.usage.outputTokens=20,ai.usage.cachedInputTokens=40,ai.usage.reasoningTokens=5,ai.response.finishReason=stop",
            ),
        ],
        rows: &[
            "genai invoke_agent openai gpt-4o-mini - 100 20 - - - aggregate -",
            "genai chat openai gpt-4o-mini gpt-4o-mini 100 20 40 5 stop priced -",
        ],
    },
    Case {
        dialect: "Vercel AI SDK: an embedding, of which a total is told",
        spans: &[
            (
                1,
                0,
                1,
                "ai",
                "ai.operationId=ai.embed,ai.model.provider=openai.embedding,ai.model.id=text-embedding-3-small,ai.usage.tokens=100",
            ),
            (
                2,
                1,
                1,
                "ai",
                "ai.operationId=ai.embed.doEmbed,ai.model.provider=openai.embedding,ai.model.id=text-embedding-3-small,ai.usage.tokens=100",
            ),
        ],
        rows: &[
            "genai invoke_workflow openai text-embedding-3-small - - - - - - aggregate -",
            "genai embeddings openai text-embedding-3-small - 100 - - - - priced -",
        ],
    },
    Case {
        dialect: "Traceloop around OpenInference around HTTP: one call",
        spans: &[
            (
                1,
                0,
                3,
                "traceloop.openai",
                "llm.request.type=chat,gen_ai.system=OpenAI,gen_ai.request.model=gpt-4o-mini,gen_ai.response.model=gpt-4o-mini,gen_ai.usage.prompt_tokens=100,gen_ai.usage.completion_tokens=20,gen_ai.usage.cache_read_input_tokens=40",
            ),
            (
                2,
                1,
                1,
                "openinference.openai",
                "openinference.span.kind=LLM,llm.provider=openai,llm.model_name=gpt-4o-mini,llm.token_count.prompt=100,llm.token_count.completion=20",
            ),
            (3, 2, 3, "httpx", "http.request.method=POST,server.address=api.openai.com"),
        ],
        rows: &[
            "genai chat openai gpt-4o-mini gpt-4o-mini 100 20 40 - - priced -",
            "genai chat openai gpt-4o-mini - 100 20 - - - priced 1",
            "http - openai - - - - - - - unpriced 1",
        ],
    },
];

fn span(trace: u64, (id, parent, kind, _, attributes): &Said) -> Span {
    let attributes = attributes.split(',').map(|pair| {
        let (key, value) = pair.split_once('=').expect("a pair");
        value.parse().map_or_else(|_| tag(key, value), |number| attribute(key, int(number)))
    });
    Span {
        trace_id: u128::from(trace).to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if *parent > 0 { parent.to_be_bytes().to_vec() } else { Vec::new() },
        kind: *kind,
        name: "call".to_owned(),
        attributes: attributes.collect(),
        ..otlp::served(*id, "/")
    }
}

/// The rows of a case, in the order of their spans.
fn rows(marquetry: &Marquetry, trace: u64) -> Vec<String> {
    let sql =
        format!("SELECT {} FROM provider_calls WHERE trace_id = '{trace:032x}' ORDER BY span_id", COLUMNS.join(", "));
    let row = |row: serde_json::Value| {
        let cell = |column: &&str| match &row[*column] {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(id) if *column == "echo_of" => {
                id.rsplit(':').next().unwrap_or_default().trim_start_matches('0').to_owned()
            }
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        COLUMNS.iter().map(cell).collect::<Vec<_>>().join(" ")
    };
    marquetry.setup.query(&sql).into_iter().map(row).collect()
}

#[test]
fn every_dialect_gives_the_same_columns_and_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    for (trace, case) in (1..).zip(CASES) {
        let mut request = otlp::spans("app", Vec::new());
        let scopes = &mut request.resource_spans[0].scope_spans;
        let empty = scopes.remove(0);
        for said in case.spans {
            let mut of_scope = empty.clone();
            if let Some(scope) = &mut of_scope.scope {
                scope.name = said.3.to_owned();
            }
            of_scope.spans = vec![span(trace, said)];
            scopes.push(of_scope);
        }
        marquetry.accept("/v1/traces", &request);
    }
    for (trace, case) in (1..).zip(CASES) {
        assert_eq!(rows(&marquetry, trace), case.rows, "{}", case.dialect);
    }
    let sql = "SELECT count(*) AS n FROM provider_calls WHERE cost_usd IS NOT NULL AND echo_of IS NULL";
    assert_eq!(marquetry.setup.count(sql), CASES.len() as u64, "every case is one call that costs");
}
