-- title: SeeMe's ai_interactions
-- about: One row per AI call under the names that the app and its dashboard know; `user_id` and `session_id` are pseudonyms.
SELECT tenant, record_id AS id, user_ref AS user_id, provider, coalesce(response_model, request_model) AS model, prompt_type,
       coalesce(operation, output_type) AS interaction_type, coalesce(status, CASE WHEN span_status = 'error' OR error_type IS NOT NULL OR status_code >= 400 THEN 'error' ELSE 'success' END) AS status,
       coalesce(request_id, response_id) AS request_id, coalesce(session_ref, conversation_ref) AS session_id, agent_id AS coach_id, feature_name,
       input_chars AS message_length, output_chars AS response_length, coalesce(total_tokens, input_tokens + output_tokens) AS tokens_used,
       duration_ns / 1e6 AS response_time_ms, coalesce(error_message, status_message) AS error_message, error_type AS error_code, error_category,
       stack_trace, from_cache, stream_aborted, time AS timestamp, client_prefix AS ip_address, device_ref AS device_id, signature_valid, cost_usd,
       cost_status, sample_weight
FROM provider_calls
WHERE echo_of IS NULL AND (cost_status IS DISTINCT FROM 'aggregate')
  AND (coalesce(operation, request_model, response_model) IS NOT NULL OR billed_characters IS NOT NULL OR lower(name) IN ('ai_interaction', 'app.ai.interaction')
       OR provider IN ('openai', 'azure.ai.openai', 'azure.ai.inference', 'anthropic', 'gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai', 'aws.bedrock', 'cohere', 'deepseek',
                    'groq', 'ibm.watsonx.ai', 'mistral_ai', 'moonshot_ai', 'perplexity', 'x_ai', 'openrouter', 'together_ai', 'fireworks_ai', 'replicate',
                    'hugging_face', 'stability_ai', 'deepgram', 'assembly_ai', 'voyage_ai', 'elevenlabs'))
