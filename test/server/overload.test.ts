import tap, { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { startService } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'

tap.setTimeout(120_000)

/** Aggregates that use 5 ms of CPU time in their merge, and one whose runs wait. */
const definitions = `
  import { aggregate } from 'headwaters'
  import { z } from 'zod'
  const busy = criticality => aggregate(criticality, { url: '/' + criticality, criticality, deadline: 20000 })
    .reply(z.number(), () => {
      const until = performance.now() + 5
      while (performance.now() < until);
      return 1
    })
  export const low = busy('low')
  export const high = busy('high')
  export const held = aggregate('held', { url: '/held', deadline: 60000 })
    .required('wait', () => new Promise(() => {}))
    .reply(z.unknown(), () => null)
`

test('a flood that the CPU cannot serve: low requests are refused before high ones, and the service recovers', async t => {
  const { path } = definitionsFolder(t, { 'busy.mjs': definitions })
  const { origin } = await startService(t, { MAX_LOOP_DELAY_MS: '100' }, ['serve', path])
  const counts: Record<string, number> = {}
  const ask = async (name: string) => {
    const reply = await fetch(`${origin}/${name}`)
    const key = `${name} ${reply.status}`
    counts[key] = (counts[key] ?? 0) + 1
    t.equal(reply.status === 200 || (await reply.text()).includes('OVERLOADED'), true, key)
    return reply.status
  }
  // A caller that is refused asks again at once.
  const flood = Array.from({ length: 100 }, async (_, index) => {
    for (let times = 0; times < 40; times++) await ask(index < 90 ? 'low' : 'high')
  })
  await until(() => (counts['low 503'] ?? 0) >= 500, { seen: () => counts, everyTurn: true })
  t.equal((await fetch(`${origin}/health/live`)).status, 200, 'health is answered under overload')
  await Promise.all(flood)
  const { 'high 200': high = 0, 'high 503': highRefused = 0, 'low 200': low = 0, 'low 503': lowRefused = 0 } = counts
  t.ok(
    high / (high + highRefused) > 2 * (low / (low + lowRefused)),
    `${high} of ${high + highRefused} high requests and ${low} of ${low + lowRefused} low ones are answered`,
  )
  await until(async () => (await ask('low')) === 200)
})

for (const workers of ['1', '2'])
  test(`with ${workers} of --workers each process refuses before Fastify handles the request`, async t => {
    const { path } = definitionsFolder(t, { 'busy.mjs': definitions })
    const { origin } = await startService(
      t,
      { MAX_RUNS: workers, CORS_ORIGINS: 'https://page.example', MAX_LOOP_DELAY_MS: '0' },
      ['serve', path, '--workers', workers],
    )
    const leave = new AbortController()
    t.teardown(() => leave.abort())
    // Each worker serves one run. The runs of this test take all of them.
    await until(async () => {
      void fetch(`${origin}/held`, { signal: leave.signal, headers: { connection: 'close' } }).catch(() => {})
      const replies = await Promise.all(
        Array.from({ length: 8 }, () => fetch(`${origin}/high`, { headers: { connection: 'close' } })),
      )
      return replies.every(({ status }) => status === 503)
    })
    const refused = await fetch(`${origin}/high`, { headers: { origin: 'https://page.example' } })
    t.match(await refused.json(), { code: 'OVERLOADED' })
    t.equal(refused.headers.get('access-control-allow-origin'), null, 'no hook of the app has run')
    t.equal(refused.headers.get('retry-after'), '1')
    const health = await fetch(`${origin}/health/live`, { headers: { origin: 'https://page.example' } })
    t.equal(health.headers.get('access-control-allow-origin'), 'https://page.example')
  })
