import type { RequestHandler } from 'express'
import { type ServiceState, serviceStates } from './service-states'
import type { ServiceName, ServiceOrigins } from './services'

const WORK: Readonly<Record<ServiceName, string>> = {
  'ingest-api': 'takes files and events',
  'usage-api': 'knows customers and their usage',
  'billing-worker': 'bills what changed, every cycle, and writes the billable file',
  'invoice-api': 'prices, plans and invoices',
}

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

function wordsOf(state: ServiceState): string {
  if (state.status === 'ready') return 'ready'
  if (state.status === 'unreachable') return `does not answer: ${state.message ?? ''}`
  const failed = Object.entries(state.checks ?? {}).filter(([, part]) => part.status === 'failed')
  return `waits for ${failed.map(([name, part]) => `${name} (${part.message ?? 'failed'})`).join(', ')}`
}

function pageOf(address: string, states: Readonly<Record<ServiceName, ServiceState>>): string {
  const rows = (Object.keys(WORK) as ServiceName[]).map(
    (name) =>
      `<tr><th scope="row">${name}</th><td>${WORK[name]}</td><td>${escaped(wordsOf(states[name]))}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Billtrail</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
  th, td { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }
  pre { background: #f3f3f3; color: #111; padding: 1rem; overflow: auto }
</style>
<h1>Billtrail</h1>
<p>Usage-based billing: upload a CSV of usage events, and read bills, invoices and the file for downstream systems here.</p>
<table>
<tr><th scope="col">Service</th><th scope="col">What it does</th><th scope="col">Now</th></tr>
${rows.join('\n')}
</table>
<p><a href="/openapi.json">Every call, as OpenAPI</a> · <a href="/health/ready">what is ready</a> · <a href="/metrics">metrics of this gateway</a></p>
<p>The first call, where <code>usage.csv</code> has the columns customer_id, event_type, event_id, event_date, quantity:</p>
<pre>KEY=$(cat .data/admin-key)   # with Compose: KEY=$(docker compose exec -T gateway cat /data/admin-key)
curl -H "Authorization: Bearer $KEY" -F file=@usage.csv ${escaped(address)}/v1/uploads</pre>
</html>
`
}

/** `/`: what runs here, how it is, and the first thing to try. */
export function welcomePage(origins: ServiceOrigins): RequestHandler {
  return async (req, res) => {
    const address = `${req.protocol}://${req.headers.host ?? 'localhost:8080'}`
    const page = pageOf(address, await serviceStates(origins))
    res.set('cache-control', 'no-store').type('html').send(page)
  }
}
