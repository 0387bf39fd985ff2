-- title: SeeMe's elevenlabs_key_usage
-- about: What happened to each ElevenLabs key, newest rows told by created_at; the key is a pseudonym.
SELECT tenant, record_id AS id, key_ref AS api_key, event, characters AS characters_used, limit_count AS character_limit, from_key_ref AS from_key,
       to_key_ref AS to_key, health, reason, error_type, status_code, user_ref AS user_id, device_ref AS device_id, time AS created_at, sample_weight
FROM key_events
WHERE echo_of IS NULL AND coalesce(provider, 'elevenlabs') = 'elevenlabs'
