-- The tables of the Kommo CRM mirror that the worker reads (PostgreSQL 15).
-- Only the columns the service needs; production tables hold more. A mirror keeps no foreign keys:
-- a lead can arrive before its company, so any reference below may point to nothing.
-- Timestamps are the wall time of the business (America/Sao_Paulo), without a zone.

-- Customer success people; read by the worker for the `cs` of /clientes.
CREATE TABLE users (
    id    bigint PRIMARY KEY,
    name  text,
    email text
);

-- CRM pipelines; read by the worker: their names decide the KPIs of /dashboard.
CREATE TABLE pipelines (
    id   bigint PRIMARY KEY,
    name text
);

-- Stages within the pipelines; read by the worker for the `status` of /clientes.
CREATE TABLE statuses (
    id   bigint PRIMARY KEY,
    name text
);

-- Companies behind the leads; read by the worker for names and the CNPJ that joins a client to a tenant.
CREATE TABLE companies_kommo (
    id           bigint PRIMARY KEY,
    nome         text,
    razao_social text,
    cnpj         bigint
);

-- Clients (leads that became contracts); read by the worker for /clientes, /dashboard and every date filter.
CREATE TABLE clientes_kommo (
    id                     bigint PRIMARY KEY,
    company_id             bigint,
    valor                  numeric(12,2),
    vendedor               text,
    cs_id                  bigint,
    pipeline_id            bigint,
    status_id              bigint,
    data_adesao            timestamp,
    data_start_onboarding  timestamp,
    data_end_onboarding    timestamp,
    data_cancelamento      timestamp,
    motivos_churn          text,
    descricao_cancelamento text,
    criado_em              timestamp,
    atualizado_em          timestamp,
    deleted_at             timestamp
);
