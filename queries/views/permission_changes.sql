-- title: Changes of roles and permissions
-- about: Who gave or took which right, to whom. An escalation makes somebody an administrator, owner or superuser who was none before.
WITH changes AS (
    SELECT *,
           regexp_like(lower(coalesce(new_value, '')), '(^|[^a-z])(admin|administrator|owner|superuser|super_admin|superadmin|root)([^a-z]|$)') AS is_high,
           regexp_like(lower(coalesce(old_value, '')), '(^|[^a-z])(admin|administrator|owner|superuser|super_admin|superadmin|root)([^a-z]|$)') AS was_high
    FROM audit_log
    WHERE echo_of IS NULL
)
SELECT tenant, record_id AS id, time, service_name, actor_ref, user_roles AS actor_roles, resource_ref AS subject_ref, action, old_value AS old_role, new_value AS new_role,
       is_high AND NOT was_high AND outcome IS DISTINCT FROM 'failure' AS is_escalation,
       actor_ref IS NOT NULL AND actor_ref = resource_ref AS is_self, outcome, reason, client_prefix, sample_weight
FROM changes
WHERE action = 'PERMISSION_CHANGE' OR (action IN ('USER_CREATE', 'USER_UPDATE') AND is_high AND NOT was_high)
