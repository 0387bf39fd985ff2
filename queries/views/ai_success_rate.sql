-- title: AI success rate, last 7 days
-- about: Successes of all finished calls by provider and model; pending and aborted calls, echoes and the sums that agents report of their children are left out.
WITH calls AS (
    SELECT tenant, provider, coalesce(response_model, request_model) AS model, coalesce(sample_weight, 1) AS weight, duration_ns,
           coalesce(status, CASE WHEN span_status = 'error' OR error_type IS NOT NULL OR status_code >= 400 THEN 'error' ELSE 'success' END) AS status
    FROM provider_calls
    WHERE echo_of IS NULL
      AND time >= now() - INTERVAL '7 days'
      AND (coalesce(operation, request_model, response_model) IS NOT NULL OR billed_characters IS NOT NULL OR lower(name) IN ('ai_interaction', 'app.ai.interaction')
       OR provider IN ('openai', 'azure.ai.openai', 'azure.ai.inference', 'anthropic', 'gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai', 'aws.bedrock', 'cohere', 'deepseek',
                    'groq', 'ibm.watsonx.ai', 'mistral_ai', 'moonshot_ai', 'perplexity', 'x_ai', 'openrouter', 'together_ai', 'fireworks_ai', 'replicate',
                    'hugging_face', 'stability_ai', 'deepgram', 'assembly_ai', 'voyage_ai', 'elevenlabs'))
      AND coalesce(operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
)
SELECT tenant, provider, model,
       sum(weight) AS calls,
       sum(CASE WHEN status = 'success' THEN weight ELSE 0 END) AS successes,
       sum(CASE WHEN status = 'error' THEN weight ELSE 0 END) AS errors,
       sum(CASE WHEN status = 'success' THEN weight ELSE 0 END) / sum(weight) AS success_rate,
       sum(CASE WHEN status = 'success' THEN weight * duration_ns / 1e6 END)
           / sum(CASE WHEN status = 'success' AND duration_ns IS NOT NULL THEN weight END) AS avg_response_ms
FROM calls
WHERE status IN ('success', 'error')
GROUP BY tenant, provider, model
