-- title: Exports and bulk operations
-- about: Who took or changed many records at once. alert says large_export above 10,000 exported records, bulk_change above 100 changed ones.
WITH acts AS (
    SELECT *, action IN ('DATA_EXPORT', 'REVENUE_EXPORT') OR export_format IS NOT NULL AS is_export
    FROM audit_log
    WHERE echo_of IS NULL
)
SELECT tenant, record_id AS id, time, service_name, coalesce(actor_ref, user_ref) AS actor_ref, user_roles AS actor_roles, action, resource_type, resource_id,
       is_export, export_format, affected_records, outcome,
       CASE WHEN is_export AND affected_records > 10000 THEN 'large_export'
            WHEN NOT is_export AND affected_records > 100 THEN 'bulk_change' END AS alert,
       file_name, client_prefix, sample_weight
FROM acts
WHERE is_export OR action = 'BULK_OPERATION' OR affected_records > 100
