#!/usr/bin/env node
// Reads every endpoint of the API with fetch, as Node 18 and browsers have it.
//
//     ECOSYS_URL=http://127.0.0.1:8000 ECOSYS_USER=user ECOSYS_PASSWORD=password node javascript_client.mjs [TENANT_ID]
//
// Prints one line an endpoint; ends with status 1 when one of them does not answer.

const url = process.env.ECOSYS_URL ?? 'http://127.0.0.1:8000';
const user = process.env.ECOSYS_USER ?? 'demo';
const password = process.env.ECOSYS_PASSWORD ?? 'demo';
const authorization = 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64');

// The document at a path; an Error has the reason when there is none.
async function get(path, parameters = {}) {
  const target = new URL(path, url);
  target.search = new URLSearchParams(parameters);
  const response = await fetch(target, { headers: { Authorization: authorization } });
  const document = await response.json();
  if (!response.ok) {
    throw new Error(`${path}: status ${response.status}: ${JSON.stringify(document.detail)}`);
  }
  return document;
}

async function main() {
  const health = await get('/health');
  console.log(`health: ${health.status}, data of ${health.as_of}`);

  const clients = await get('/clientes', { data_adesao_inicio: '2024-01-01' });
  console.log(`clientes: ${Object.keys(clients).length} since 2024-01-01`);

  // JavaScript sorts keys that look like numbers, so the order of the answer has to be made again.
  const scores = Object.values(await get('/health-scores'))
    .sort((a, b) => b.score_total - a.score_total || a.tenant_id - b.tenant_id);
  console.log(`health-scores: ${scores.length}, the best is ${scores[0]?.name ?? 'nobody'}`);

  const kpis = await get('/dashboard', { data_adesao_inicio: '2024-01-01', data_adesao_fim: '2024-12-31' });
  console.log(`dashboard: ${kpis.clientes_ativos} active, MRR ${kpis.mrr_value}`);

  // fetch sends no body with GET, so the tenant goes into the query.
  const tenantId = process.argv[2] ?? scores[0]?.tenant_id ?? 1;
  const logins = await get('/logins', { tenant_id: tenantId });
  console.log(`logins: ${logins.total_logins} of tenant ${logins.tenant_id} in the ${logins.periodo}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
