-- Indexes that keep the cost of a refresh from growing with what was deleted from the CRM; may be run again at any
-- time, with psql.
--
-- A refresh reads every client that is not deleted, and the companies, people, pipelines and stages that they refer to,
-- which it joins by hashing: no index makes that cheaper. Only deleted clients can grow without limit.
--
-- CONCURRENTLY: the table remains readable and writable meanwhile. Not allowed inside a transaction.

-- Live clients without reading deleted ones; used once there are many of those.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ecosys_clientes_live ON clientes_kommo (id) WHERE deleted_at IS NULL;

-- An interrupted run leaves an invalid index, which is maintained but not used: it is rebuilt.
SELECT 'REINDEX INDEX CONCURRENTLY ' || indexrelid::regclass FROM pg_index
    WHERE indexrelid = to_regclass('ecosys_clientes_live') AND NOT indisvalid \gexec
