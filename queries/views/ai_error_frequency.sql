-- title: AI errors by kind
-- about: How often each error of an AI call occurs, whom it hits and when it was first and last seen.
SELECT tenant, coalesce(error_type, CAST(status_code AS VARCHAR), 'unknown') AS error_type, error_category, provider,
       coalesce(response_model, request_model) AS model,
       sum(coalesce(sample_weight, 1)) AS errors,
       count(DISTINCT user_ref) AS users,
       min(time) AS first_seen,
       max(time) AS last_seen
FROM provider_calls
WHERE echo_of IS NULL
  AND (coalesce(operation, request_model, response_model) IS NOT NULL OR billed_characters IS NOT NULL OR lower(name) IN ('ai_interaction', 'app.ai.interaction')
       OR provider IN ('openai', 'azure.ai.openai', 'azure.ai.inference', 'anthropic', 'gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai', 'aws.bedrock', 'cohere', 'deepseek',
                    'groq', 'ibm.watsonx.ai', 'mistral_ai', 'moonshot_ai', 'perplexity', 'x_ai', 'openrouter', 'together_ai', 'fireworks_ai', 'replicate',
                    'hugging_face', 'stability_ai', 'deepgram', 'assembly_ai', 'voyage_ai', 'elevenlabs'))
  AND coalesce(operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
  AND coalesce(status, CASE WHEN span_status = 'error' OR error_type IS NOT NULL OR status_code >= 400 THEN 'error' ELSE 'success' END) = 'error'
GROUP BY tenant, coalesce(error_type, CAST(status_code AS VARCHAR), 'unknown'), error_category, provider, coalesce(response_model, request_model)
