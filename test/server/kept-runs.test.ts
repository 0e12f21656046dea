import tap, { test, type Test } from 'tap'
import type { KeptRun, RunList } from '../../src/waterfall/kept-run.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import type { Environment } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'
import { adminKey, adminService, scrape } from './admin/helpers/admin-service.ts'

// It starts several processes one after the other.
tap.setTimeout(120_000)

async function arrange(t: Test, environment: Environment = {}, args?: readonly string[]) {
  const service = await adminService(t, environment, args)
  const read = async <T>(path: string) => {
    const { status, text } = await scrape(service.adminPort, { path, key: adminKey })
    return { status, body: JSON.parse(text) as T }
  }
  return {
    ...service,
    list: async (query = '') => (await read<RunList>(`/requests${query}`)).body,
    find: (id: string) => read<KeptRun>(`/requests/${id}`),
  }
}

test('a failed run is found by its request id, and the log has its id', async t => {
  const { origin, list, find, log } = await arrange(t)
  const response = await fetch(`${origin}/v1/cat-facts?count=3&token=hush-hush`, {
    headers: { 'x-request-timeout-ms': '1' },
  })
  t.equal(response.status, 504)
  await response.text()
  const { runs } = await list(`?request=${response.headers.get('x-request-id')}`)
  t.match(runs, [{ aggregate: 'cat-facts', state: 'failed', status: 504, code: 'DEADLINE_EXCEEDED', worker: null }])
  const [{ id }] = runs as unknown as readonly [KeptRun]
  const { body } = await find(id)
  t.match(body, { id, method: 'GET', target: '/v1/cat-facts?count=3&token=REDACTED', caller: 'waited' })
  t.match(
    body.steps.map(({ name }) => name),
    ['ninja', 'meow', 'picture'],
  )
  t.match(body.why[0], /^(?:ninja|meow): DEADLINE_EXCEEDED: /)
  await until(() => log.some(line => (line as { readonly run?: string }).run === id))
  const complete = await fetch(`${origin}/v1/breeds/siamese`)
  await complete.text()
  t.match((await list('?aggregate=breed')).runs, [{ state: 'complete', status: 200 }])
})

test('a stream has its form and the id of its plan, and its caller can leave', async t => {
  const upstream = await rawUpstream(t, () => {})
  const { path } = definitionsFolder(t, {
    'words.ts': words(upstream.origin).replace("url: '/words'", "url: '/words', stream: true"),
  })
  const { origin, list } = await arrange(t, {}, ['serve', path])
  const gone = new AbortController()
  const response = await fetch(`${origin}/words`, { headers: { accept: 'text/event-stream' }, signal: gone.signal })
  const reader = response.body?.getReader()
  const plan = new TextDecoder().decode((await reader?.read())?.value as Uint8Array)
  gone.abort()
  await reader?.read().catch(() => {})
  await until(async () => (await list('?state=cancelled')).runs.length === 1)
  const [run] = (await list('?state=cancelled')).runs
  t.match(run, { caller: 'left', code: 'CANCELLED', status: null })
  t.match(plan, `"run":"${run?.id}"`)
})

test('kept runs survive a reload of the definitions', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const { origin, list, find, said } = await arrange(t, {}, ['serve', path, '--watch'])
  const ask = async () => (await fetch(`${origin}/words`)).text()
  await ask()
  const [first] = (await list()).runs
  write('words.ts', `${words(upstream.origin)}\n// changed`)
  await said('definitions reloaded')
  t.equal((await find(first?.id ?? '')).status, 200)
  await until(async () => {
    await ask()
    return (await list()).runs.length > 1
  })
})

test('the kept runs need the key of the operator', async t => {
  const { adminPort } = await arrange(t, { ADMIN_KEY: adminKey })
  for (const path of ['/requests', '/requests/abc']) t.equal((await scrape(adminPort, { path })).status, 401)
  t.equal((await scrape(adminPort, { path: '/requests', key: adminKey })).status, 200)
})

test('with KEPT_RUNS=0 there are no kept runs, and the log has no run id', async t => {
  const { origin, adminPort, log } = await arrange(t, { KEPT_RUNS: '0' })
  t.equal((await scrape(adminPort, { path: '/requests' })).status, 404)
  await (await fetch(`${origin}/v1/cat-facts`, { headers: { 'x-request-timeout-ms': '1' } })).text()
  await until(() => log.some(({ msg }) => msg === 'request failed'))
  t.notOk(log.some(line => 'run' in line))
  t.equal((await scrape(Number(new URL(origin).port), { path: '/requests' })).status, 404, 'not on the main port')
})
