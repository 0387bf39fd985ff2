-- title: SeeMe's get_user_ai_stats
-- about: AI calls, success rate and cost by user.
WITH calls AS (
    SELECT tenant, user_ref, time, sample_weight, cost_usd, coalesce(status, CASE WHEN span_status = 'error' OR error_type IS NOT NULL OR status_code >= 400 THEN 'error' ELSE 'success' END) AS status
    FROM provider_calls
    WHERE echo_of IS NULL
      AND (coalesce(operation, request_model, response_model) IS NOT NULL OR billed_characters IS NOT NULL OR lower(name) IN ('ai_interaction', 'app.ai.interaction')
       OR provider IN ('openai', 'azure.ai.openai', 'azure.ai.inference', 'anthropic', 'gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai', 'aws.bedrock', 'cohere', 'deepseek',
                    'groq', 'ibm.watsonx.ai', 'mistral_ai', 'moonshot_ai', 'perplexity', 'x_ai', 'openrouter', 'together_ai', 'fireworks_ai', 'replicate',
                    'hugging_face', 'stability_ai', 'deepgram', 'assembly_ai', 'voyage_ai', 'elevenlabs'))
      AND coalesce(operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
)
SELECT tenant, user_ref AS user_id,
       sum(coalesce(sample_weight, 1)) AS total_calls,
       sum(CASE WHEN status = 'success' THEN coalesce(sample_weight, 1) ELSE 0 END) / nullif(sum(CASE WHEN status IN ('success', 'error') THEN coalesce(sample_weight, 1) ELSE 0 END), 0) AS success_rate,
       sum(CASE WHEN coalesce(sample_weight, 1) = 1 THEN cost_usd
             ELSE CAST(CAST(cost_usd AS DOUBLE) * sample_weight AS DECIMAL(38, 18)) END) AS cost_usd,
       max(time) AS last_call
FROM calls
GROUP BY tenant, user_ref
