-- The tables of the EcoSys database that the worker reads (MySQL 8 and MariaDB 10.11, InnoDB, utf8mb4).
-- Only the columns the service needs; production tables hold more. Keys are those that Laravel
-- migrations create; the worker needs no others.
-- References are not enforced: rows of removed users and stores remain.

SET NAMES utf8mb4;

-- Stores; read by the worker for /health-scores (only type `normal` is scored) and /logins.
CREATE TABLE tenants (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    name       VARCHAR(255) NULL,
    cnpj       VARCHAR(20) NULL,
    slug       VARCHAR(191) NULL,
    type       VARCHAR(32) NOT NULL DEFAULT 'normal',
    created_at TIMESTAMP NULL DEFAULT NULL,
    updated_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY tenants_slug_unique (slug)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- People who work in the stores; read by the worker for /logins and to find the tenant of logins without one.
CREATE TABLE users (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    name       VARCHAR(255) NULL,
    email      VARCHAR(255) NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    updated_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY users_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The audit log; its `login` events are read by the worker for the engajamento pillar, /logins and, in scoring models
-- by size, the size of a team.
CREATE TABLE activity_log (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    subject_id BIGINT UNSIGNED NULL,
    event      VARCHAR(255) NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY activity_log_tenant_id_index (tenant_id),
    KEY activity_log_subject_id_index (subject_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Vehicles that entered a stock; read by the worker for the movimentação de estoque pillar and, with those that left,
-- for the size of a store in scoring models by size.
CREATE TABLE inventory_entries (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    vehicle_id BIGINT UNSIGNED NULL,
    status     VARCHAR(32) NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    deleted_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY inventory_entries_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Vehicles that left a stock; read by the worker for the movimentação de estoque pillar.
CREATE TABLE inventory_outs (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    vehicle_id BIGINT UNSIGNED NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    deleted_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY inventory_outs_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Leads on the stores' sales boards; read by the worker for the crm pillar.
CREATE TABLE cards (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    deleted_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY cards_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Messaging instances, named by tenants.slug, ASCII letters in any case; read by the worker for the adoção pillar and
-- `econversa_ativo`.
CREATE TABLE econversa_instance_configurations (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    name       VARCHAR(191) NULL,
    status     VARCHAR(32) NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    updated_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY econversa_instance_configurations_name_index (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Messages exchanged through those instances; read by the worker for the adoção pillar.
CREATE TABLE econversa_messages (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY econversa_messages_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Adverts published through an integrator; read by the worker for the adoção pillar.
CREATE TABLE integrator_ads (
    id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id     BIGINT UNSIGNED NULL,
    integrator_id BIGINT UNSIGNED NULL,
    created_at    TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY integrator_ads_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Reports that stores requested; read by the worker for the adoção pillar.
CREATE TABLE reports (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY reports_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Sales contracts that stores drew up; read by the worker for the adoção pillar.
CREATE TABLE contracts (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id  BIGINT UNSIGNED NULL,
    created_at TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY contracts_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Integrators that stores have set up; read by the worker for `integradores` and `integradores_conectados`.
CREATE TABLE integrator_configurations (
    id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    tenant_id     BIGINT UNSIGNED NULL,
    integrator_id BIGINT UNSIGNED NULL,
    created_at    TIMESTAMP NULL DEFAULT NULL,
    updated_at    TIMESTAMP NULL DEFAULT NULL,
    deleted_at    TIMESTAMP NULL DEFAULT NULL,
    PRIMARY KEY (id),
    KEY integrator_configurations_tenant_id_index (tenant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
