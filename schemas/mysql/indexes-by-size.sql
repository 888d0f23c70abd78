-- Indexes for scoring models that depend on the size of the store (schemas/scoring-by-size.json), in addition to those
-- in indexes.sql. For MySQL 8 and MariaDB 10.11; may be run again at any time.

-- Vehicles in stock.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'inventory_entries' AND index_name = 'ecosys_stores'),
               'DO 0', 'CREATE INDEX ecosys_stores ON inventory_entries (status, deleted_at, tenant_id, vehicle_id) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;

-- Whether a vehicle has left.
SET @make = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
                       AND table_name = 'inventory_outs' AND index_name = 'ecosys_departures'),
               'DO 0', 'CREATE INDEX ecosys_departures ON inventory_outs (vehicle_id, deleted_at) ALGORITHM=INPLACE LOCK=NONE');
PREPARE make FROM @make;
EXECUTE make;
DEALLOCATE PREPARE make;
