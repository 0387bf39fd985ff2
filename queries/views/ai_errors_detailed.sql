-- title: AI errors one by one
-- about: Every failed AI call with the exception of its span, when one was recorded.
SELECT c.tenant, c.time, c.record_id, c.user_ref, c.session_ref, c.provider, coalesce(c.response_model, c.request_model) AS model, c.operation,
       c.feature_name, c.agent_id, coalesce(c.error_type, e.error_type) AS error_type, coalesce(c.error_category, e.error_category) AS error_category,
       e.error_code, coalesce(c.error_message, e.message, c.status_message) AS error_message, coalesce(c.stack_trace, e.stack_trace) AS stack_trace,
       c.status_code, c.duration_ns / 1e6 AS response_time_ms, c.sample_weight
FROM (SELECT * FROM provider_calls WHERE echo_of IS NULL AND (coalesce(operation, request_model, response_model) IS NOT NULL OR billed_characters IS NOT NULL OR lower(name) IN ('ai_interaction', 'app.ai.interaction')
       OR provider IN ('openai', 'azure.ai.openai', 'azure.ai.inference', 'anthropic', 'gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai', 'aws.bedrock', 'cohere', 'deepseek',
                    'groq', 'ibm.watsonx.ai', 'mistral_ai', 'moonshot_ai', 'perplexity', 'x_ai', 'openrouter', 'together_ai', 'fireworks_ai', 'replicate',
                    'hugging_face', 'stability_ai', 'deepgram', 'assembly_ai', 'voyage_ai', 'elevenlabs')) AND coalesce(status, CASE WHEN span_status = 'error' OR error_type IS NOT NULL OR status_code >= 400 THEN 'error' ELSE 'success' END) = 'error') AS c
LEFT JOIN (
    SELECT tenant, trace_id, span_id, min(error_type) AS error_type, min(error_category) AS error_category, min(error_code) AS error_code,
           min(message) AS message, min(stack_trace) AS stack_trace
    FROM errors
    WHERE echo_of IS NULL AND span_id IS NOT NULL
    GROUP BY tenant, trace_id, span_id
) AS e ON e.tenant = c.tenant AND e.trace_id = c.trace_id AND e.span_id = c.span_id
