import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import tap, { test, type Test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { startService } from '../helpers/service-process.ts'
import { callers } from './cluster/helpers/callers.ts'
import { definitions, whoAnswers, workersService } from './cluster/helpers/workers-service.ts'

// Reloads can be slow on a busy machine.
tap.setTimeout(300_000)

const single = { flags: [], environment: { HEADWATERS_ENV: 'development' } }

async function metric(origin: string, series: string): Promise<number> {
  const lines = (await (await fetch(`${origin}/metrics`)).text()).split('\n')
  return Number(lines.find(line => line.startsWith(`${series} `))?.slice(series.length + 1))
}

const ready = async (origin: string) => (await fetch(`${origin}/health/ready`)).json()

test('100 reloads under load fail no request', async t => {
  const { ask, saidTimes, stop, define } = await workersService(t, single)
  const busy = callers(ask, 4)
  for (let version = 2; version <= 101; version++) {
    define(definitions({ version }))
    stop('SIGHUP')
    await saidTimes('definitions reloaded', version - 1)
  }
  const { versions, failures } = await busy.end()
  t.same(failures, [])
  t.ok(versions.size > 10, `${versions.size} versions were served`)
  t.equal((await whoAnswers(ask, 1))[0]?.version, 101)
})

test('requests and streams that begin before a reload end with its definitions, and their connections stay open', async t => {
  const { ask, origin, said, stop, define, upstream, answers, ended } = await workersService(t, single)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const early = ask('/hung', agent)
  await upstream.asked(1)
  const streaming = request(`${origin}/hung`, { agent: false, headers: { accept: 'application/x-ndjson' } }).end()
  const [stream] = (await once(streaming, 'response')) as [IncomingMessage]
  await upstream.asked(2)
  define(definitions({ version: 2 }))
  stop('SIGHUP')
  t.match(await said('definitions reloaded'), { evaluated: [/aggregates\.mjs$/] })
  for (const answer of answers) answer()
  const { connection, body } = await early
  t.match([connection, body.data.version], ['keep-alive', 1])
  t.match(await text(stream), /^\{"event":"plan".*\n(?:.*\n)*\{"event":"reply".*"version":1.*\n$/)
  t.equal((await ask('/who')).body.data.version, 2)
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('several signals during a reload cause one more reload', async t => {
  const held: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, { path }) => {
    if (path === '/hold') held.push(() => socket.write(json(1)))
    else socket.write(json({ word: 'cat' }))
  })
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const { origin, said, saidTimes, stop } = await startService(t, single.environment, ['serve', path])
  await said('serving')
  write('words.ts', `await fetch('${upstream.origin}/hold')\n${words(upstream.origin, { before: 'new ' })}`)
  stop('SIGHUP')
  await upstream.asked(1)
  for (let time = 0; time < 3; time++) stop('SIGHUP')
  // The signals have arrived when the service answers.
  await fetch(`${origin}/health/live`)
  for (const answer of held) answer()
  await saidTimes('definitions reloaded', 2)
  t.equal(await metric(origin, 'headwaters_reloads_total{result="ok"}'), 2)
  t.match(await (await fetch(`${origin}/words`)).json(), { data: { word: 'new cat' } })
})

test('a signal while the definitions are loaded for the first time reloads them after the start', async t => {
  const held: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    held.push(() => socket.write(json(1)))
  })
  const { path } = definitionsFolder(t, {
    'words.ts': `await fetch('${upstream.origin}/' + process.pid)\n${words(upstream.origin)}`,
  })
  const starting = startService(t, {}, ['serve', path])
  await upstream.asked(1)
  process.kill(Number(upstream.requests[0]?.path.slice(1)), 'SIGHUP')
  for (const answer of held) answer()
  const { said } = await starting
  t.match(await said('definitions reloaded'), { evaluated: [] })
})

test('a faulty change is refused: the log has the faults, and metrics and readiness show it until a change is good', async t => {
  const { ask, origin, said, stop, define } = await workersService(t, single)
  t.match(await ready(origin), { status: 'ready', definitions: { loadedAt: /^\d{4}-.*Z$/ } })
  define("throw new Error('a text for the log only')")
  stop('SIGHUP')
  t.match(await said('reload failed'), { level: 50, faults: [/a text for the log only$/] })
  t.equal((await ask('/who')).body.data.version, 1)
  const refused = await ready(origin)
  t.match(refused, { status: 'ready', definitions: { refused: { at: /^\d{4}-.*Z$/, faults: 1 } } })
  t.notMatch(JSON.stringify(refused), 'a text')
  t.equal(await metric(origin, 'headwaters_reloads_total{result="refused"}'), 1)
  t.equal(await metric(origin, 'headwaters_reload_refused'), 1)
  t.ok((await metric(origin, 'headwaters_reload_timestamp_seconds')) > 1e9)
  define(definitions({ version: 2 }))
  stop('SIGHUP')
  await said('definitions reloaded')
  t.equal((await ask('/who')).body.data.version, 2)
  t.equal(await metric(origin, 'headwaters_reload_refused'), 0)
  t.match(await ready(origin), { definitions: { refused: undefined } })
})

test('the built-in aggregates have no files to reload', async t => {
  const { said, stop, origin } = await startService(t)
  await said('serving')
  stop('SIGHUP')
  await said('no reload; the built-in aggregates have no files')
  t.equal((await fetch(`${origin}/health/ready`)).status, 200)
})

test('a change elsewhere keeps the connections, the circuit breaker and the cache of an upstream', async t => {
  const { upstream, failing, ask, reload } = await twoUpstreams(t)
  t.match(await ask(), {
    data: { version: 1, kept: { word: 'cat' }, fresh: { word: 'cat' }, failed: 'UPSTREAM_STATUS' },
  })
  t.match(await ask(), { data: { failed: 'BREAKER_OPEN' } })
  const [requests, failures] = [upstream.requests.length, failing.requests.length]
  await reload(2)
  t.match(await ask(), { data: { version: 2, kept: { word: 'cat' }, fresh: { word: 'cat' }, failed: 'BREAKER_OPEN' } })
  t.equal(upstream.requests.length, requests + 1, 'the cached answer is not asked for again')
  t.equal(upstream.connections, 1, 'the connection is used again')
  t.equal(failing.requests.length, failures)
})

async function twoUpstreams(t: Test) {
  const upstream = await rawUpstream(t, (socket, { path }) => {
    const body = JSON.stringify({ word: 'cat' })
    const cached = path === '/kept' ? 'cache-control: max-age=600\r\n' : ''
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${cached}content-length: ${body.length}\r\n\r\n${body}`,
    )
  })
  const failing = await rawUpstream(t, 'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n')
  const aggregate = (version: number) => `
import { aggregate } from 'headwaters'
import { z } from 'zod'
import { source, broken } from './upstreams.ts'

export const all: unknown = aggregate('all', { url: '/all', deadline: 30_000 })
  .required('kept', () => source.kept())
  .required('fresh', () => source.fresh(), { needs: ['kept'] })
  .required('failed', ({ ask }) => ask(broken.any()).then(() => 'answered', (error: any) => error.code))
  .reply(z.unknown(), (given: any) => ({ version: ${version}, ...given }))
`
  const { path, write } = definitionsFolder(t, {
    'upstreams.ts': `
import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const word = z.object({ word: z.string() })
export const source = defineUpstream('source', { origin: '${upstream.origin}', concurrency: 1, connections: 1 }, {
  kept: operation({ path: '/kept', output: word, cache: true }),
  fresh: operation({ path: '/fresh', output: word }),
})
export const broken = defineUpstream('broken', {
  origin: '${failing.origin}', retry: false, breaker: { minimumCalls: 1, failureRatio: 0.1, openDuration: 60_000 },
}, { any: operation({ path: '/any', output: word }) })
`,
    'all.ts': aggregate(1),
  })
  const { origin, said, stop } = await startService(t, {}, ['serve', path])
  await said('serving')
  return {
    upstream,
    failing,
    ask: async () => (await fetch(`${origin}/all`)).json(),
    reload: async (version: number) => {
      write('all.ts', aggregate(version))
      stop('SIGHUP')
      t.match(await said('definitions reloaded'), { evaluated: [/all\.ts$/] })
    },
  }
}
