import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { bulkWorkOf } from '../../../src/http/bulk/app-bulk.ts'
import { logLines } from '../../helpers/log-lines.ts'
import { double, gated, numbers, served, untilCalmly, type ShownRun } from './helpers.ts'

const keys = ['first-key-of-the-tests', 'second-key-of-the-tests']

test('a run is created, followed, read and deleted', async t => {
  const { send, create, ended } = await served(t)
  const created = await create(numbers(250))
  t.equal(created.status, 202)
  const run = (await created.json()) as ShownRun
  t.equal(created.headers.get('location'), `/v1/bulk/runs/${run.id}`)
  t.match(run, { aggregate: 'double', items: 250, createdAt: /Z$/, results: `/v1/bulk/runs/${run.id}/results` })
  const end = await ended(run.id)
  t.match(end, { state: 'completed', done: 250, succeeded: 250, partial: 0, failed: 0, expiresAt: /Z$/ })
  const results = await send(end.results)
  t.equal(results.headers.get('content-type'), 'application/x-ndjson')
  const lines = (await results.text()).trimEnd().split('\n')
  t.same(
    lines.map(line => (JSON.parse(line) as { value: unknown }).value),
    Array.from({ length: 250 }, (_, n) => ({ doubled: 2 * n })),
  )
  const { runs } = (await (await send('/v1/bulk/runs')).json()) as { runs: ShownRun[] }
  t.match(runs, [{ id: run.id, state: 'completed' }])
  t.equal((await send(`/v1/bulk/runs/${run.id}`, { method: 'DELETE' })).status, 204)
  for (const path of ['', '/results']) t.equal((await send(`/v1/bulk/runs/${run.id}${path}`)).status, 404)
})

test('results are read while the run goes on, and the rest by a range', async t => {
  const { waiting, release } = gated()
  const { send, create, read, ended } = await served(t, { aggregates: [waiting] })
  const { id, results } = (await (await create(numbers(150))).json()) as ShownRun
  await untilCalmly(async () => (await read(id)).done === 100)
  const first = await send(results)
  t.equal(first.status, 200)
  const begin = await first.text()
  t.equal(begin.trimEnd().split('\n').length, 100)
  const size = Buffer.byteLength(begin)
  const next = { headers: { range: `bytes=${size}-` } }
  const none = await send(results, next)
  t.equal(none.status, 416)
  t.equal(none.headers.get('content-range'), `bytes */${size}`)
  t.match(await none.json(), { code: 'RANGE_NOT_SATISFIABLE', detail: `The results have ${size} bytes so far.` })
  const part = await send(results, { headers: { range: 'bytes=0-9' } })
  t.equal(part.headers.get('content-range'), 'bytes 0-9/*')
  release()
  await ended(id)
  const rest = await send(results, next)
  t.equal(rest.status, 206)
  const end = await rest.text()
  const total = size + Buffer.byteLength(end)
  t.equal(rest.headers.get('content-range'), `bytes ${size}-${total - 1}/${total}`)
  t.equal((begin + end).trimEnd().split('\n').length, 150)
  const head = await send(results, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), String(total))
  const conditional = await send(results, { headers: { range: 'bytes=0-9', 'if-range': '"a"' } })
  t.equal(conditional.status, 200)
  await conditional.body?.cancel()
})

test('ranges have the meaning of HTTP', async t => {
  const { send, create, ended } = await served(t)
  const { id, results } = (await (await create(numbers(3))).json()) as ShownRun
  await ended(id)
  const whole = await (await send(results)).text()
  for (const [range, status, text] of [
    ['bytes=0-4', 206, whole.slice(0, 5)],
    ['bytes=5-', 206, whole.slice(5)],
    ['bytes=-6', 206, whole.slice(-6)],
    ['bytes=-99999', 206, whole],
    ['bytes=1-99999', 206, whole.slice(1)],
    ['bytes=4-1', 200, whole],
    ['bytes=-', 200, whole],
    ['bytes=0-1,4-5', 200, whole],
    ['items=0-1', 200, whole],
    ['bytes=99999-', 416, undefined],
    ['bytes=-0', 416, undefined],
  ] as const) {
    const part = await send(results, { headers: { range } })
    t.equal(part.status, status, range)
    const body = await part.text()
    if (text !== undefined) t.equal(body, text, range)
  }
})

test('a run is paused, resumed and cancelled', async t => {
  const { waiting, state } = gated()
  const { send, create, read } = await served(t, { aggregates: [waiting] })
  const change = (id: string, how: string) => send(`/v1/bulk/runs/${id}/${how}`, { method: 'POST' })
  const { id } = (await (await create(numbers(150))).json()) as ShownRun
  for (const [how, shown] of [
    ['pause', 'paused'],
    ['pause', 'paused'],
    ['resume', 'running'],
  ] as const) {
    const changed = await change(id, how)
    t.equal(changed.status, 200)
    t.match(await changed.json(), { id, state: shown })
  }
  await untilCalmly(() => state.started > 100)
  t.equal((await send(`/v1/bulk/runs/${id}`, { method: 'DELETE' })).status, 409)
  for (const _ of [1, 2]) t.match(await (await change(id, 'cancel')).json(), { state: 'cancelled', done: 100 })
  for (const how of ['pause', 'resume'])
    t.match(await (await change(id, how)).json(), { status: 409, code: 'RUN_STATE_CONFLICT' })
  t.equal((await send(`/v1/bulk/runs/${id}`, { method: 'DELETE' })).status, 204)
  const { id: second } = (await (await create(numbers(1))).json()) as ShownRun
  await untilCalmly(async () => (await read(second)).state === 'completed')
  t.match(await (await change(second, 'cancel')).json(), { code: 'RUN_STATE_CONFLICT' })
})

test('a caller sees the runs of its own key only', async t => {
  const { send, create } = await served(t, { keys })
  const [own, other] = keys as [string, string]
  t.equal((await create(numbers(1))).status, 401)
  const { id } = (await (await create(numbers(1), {}, own)).json()) as ShownRun
  t.equal((await send(`/v1/bulk/runs/${id}`, { key: own })).status, 200)
  for (const [path, method] of [
    ['', 'GET'],
    ['', 'DELETE'],
    ['/results', 'GET'],
    ['/pause', 'POST'],
    ['/resume', 'POST'],
    ['/cancel', 'POST'],
  ] as const)
    t.equal((await send(`/v1/bulk/runs/${id}${path}`, { method, key: other })).status, 404, `${method} ${path}`)
  t.same(await (await send('/v1/bulk/runs', { key: other })).json(), { runs: [] })
})

test('a repeated request with the same idempotency key is the same run', async t => {
  const { send, create } = await served(t, { keys, bulk: { maxRuns: 1 } })
  const [own, other] = keys as [string, string]
  const idempotent = { 'idempotency-key': 'orders of May' }
  const [first, second] = (await Promise.all([
    create(numbers(3), idempotent, own).then(reply => reply.json()),
    create(numbers(3), idempotent, other).then(reply => reply.json()),
  ])) as [ShownRun, ShownRun]
  t.not(first.id, second.id)
  const again = await create(numbers(3), idempotent, own)
  t.equal(again.status, 202)
  t.equal(((await again.json()) as ShownRun).id, first.id)
  const changed = await create(numbers(4), idempotent, own)
  t.equal(changed.status, 422)
  t.match(await changed.json(), { code: 'IDEMPOTENCY_KEY_REUSED' })
  for (const key of ['', 'x'.repeat(256)])
    t.equal((await create(numbers(4), { 'idempotency-key': key }, own)).status, 400)
  const { runs } = (await (await send('/v1/bulk/runs', { key: own })).json()) as { runs: ShownRun[] }
  t.equal(runs.length, 1)
})

test('the quotas of a key are the runs that have not ended, and the inputs of a run', async t => {
  const { waiting, release } = gated()
  const { create, ended } = await served(t, {
    aggregates: [waiting],
    bulk: { maxRuns: 1, maxItems: 101, maxBytes: 4000 },
  })
  const { id } = (await (await create(numbers(101))).json()) as ShownRun
  const refused = await create(numbers(1))
  t.equal(refused.status, 429)
  t.match(await refused.json(), { code: 'QUOTA_EXCEEDED', detail: /has 1 bulk runs that have not ended/ })
  release()
  await ended(id)
  t.match(await (await create('{}\n'.repeat(102))).json(), { status: 413, detail: /more than 101 inputs/ })
  t.match(await (await create('x'.repeat(4001))).json(), { status: 413, detail: /more than 4000 bytes/ })
  t.equal((await create(numbers(1))).status, 202, 'a refused upload does not count')
})

test('a request that cannot be a run is refused', async t => {
  const { send, create } = await served(t)
  const post = (path: string, headers: Record<string, string>, body = '{}\n') =>
    send(path, { method: 'POST', headers, body })
  const lines = { 'content-type': 'application/x-ndjson' }
  for (const [reply, status, detail] of [
    [await post('/v1/bulk/other', lines), 404, /no aggregate with this name/],
    [await post('/v1/bulk/constructor', lines), 404, /no aggregate with this name/],
    [await post('/v1/bulk/double', { 'content-type': 'application/json' }), 415, /application\/x-ndjson only/],
    [await send('/v1/bulk/double', { method: 'POST' }), 415, /content-type: application\/x-ndjson/],
    [await create('\r\n \n'), 400, /no inputs/],
    [await create('x'.repeat(70_000)), 413, /Line 1 has more than 65536 bytes/],
    [await send('/v1/bulk/double'), 405, /use one of POST/],
    [await post('/v1/bulk/runs', lines), 405, /use one of HEAD, GET/],
    [await send('/v1/bulk/runs/..%2f..%2fmanifest'), 404, /no bulk run/],
    [await send(`/v1/bulk/runs/${'0'.repeat(32)}`), 404, /no bulk run/],
    [await send('/v1/bulk/runs/__proto__/results'), 404, /no bulk run/],
  ] as const) {
    t.equal(reply.status, status)
    t.match(await reply.json(), { detail })
  }
})

test('an upload that its caller ends early leaves no run', async t => {
  const { create, send, origin } = await served(t, { bulk: { maxRuns: 1 } })
  const caller = new AbortController()
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(numbers(150)))
      setImmediate(() => caller.abort())
    },
  })
  const upload = fetch(new URL('/v1/bulk/double', origin), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson' },
    signal: caller.signal,
    duplex: 'half',
  })
  await t.rejects(upload)
  await untilCalmly(async () => (await create(numbers(1))).status === 202)
  const { runs } = (await (await send('/v1/bulk/runs')).json()) as { runs: ShownRun[] }
  t.equal(runs.length, 1)
})

test('a run goes on after a restart, and without its aggregate it waits', async t => {
  const { waiting, state } = gated()
  const first = await served(t, { aggregates: [waiting] })
  const { id } = (await (await first.create(numbers(150))).json()) as ShownRun
  await untilCalmly(() => state.started > 100)
  await first.app.close()
  const { dir } = first
  const other = aggregate('other', { url: '/v1/other', bulk: true })
    .required('n', () => 1)
    .reply(z.number(), ({ n }) => n)
  const without = await served(t, { dir, aggregates: [other] })
  t.match(await without.read(id), { state: 'running', done: 100 })
  await without.app.close()
  const second = await served(t, { dir })
  t.match(await second.ended(id), { state: 'completed', succeeded: 150 })
})

test('a run is removed when its retention has passed', async t => {
  const first = await served(t, { bulk: { retention: 1 } })
  const { id } = (await (await first.create(numbers(1))).json()) as ShownRun
  await first.ended(id)
  await first.app.close()
  const second = await served(t, { dir: first.dir })
  await untilCalmly(async () => (await second.send(`/v1/bulk/runs/${id}`)).status === 404)
  t.same(await (await second.send('/v1/bulk/runs')).json(), { runs: [] })
})

test('an app without a folder or without such an aggregate has no routes for bulk runs', async t => {
  const plain = aggregate('plain', { url: '/v1/plain' })
    .required('n', () => 1)
    .reply(z.number(), ({ n }) => n)
  for (const app of [buildApp([double]), buildApp([plain], { bulk: { dir: `${t.testdir()}/unused` } })]) {
    t.teardown(() => app.close())
    t.equal((await app.inject('/v1/bulk/runs')).statusCode, 404)
  }
})

test('options and aggregates that cannot be served are refused', async t => {
  const dir = t.testdir()
  t.throws(() => buildApp([double], { bulk: {} as never }), { message: /app: bulk.dir is missing/ })
  t.throws(() => buildApp([double], { bulk: { dir, maxRun: 1 } as never }), { message: /maxRun/ })
  t.throws(() => buildApp([double], { bulk: { dir, maxItems: 1_000_001 } }), { message: /bulk.maxItems/ })
  const named = (name: string, url: string) =>
    aggregate(name, { url, bulk: true })
      .required('n', () => 1)
      .reply(z.number(), ({ n }) => n)
  await t.rejects(async () => buildApp([named('runs', '/v1/all')], { bulk: { dir } }).ready(), { message: /rename it/ })
  await t.rejects(async () => buildApp([named('one', '/v1/bulk/one')], { bulk: { dir } }).ready(), {
    message: /change the url/,
  })
  t.throws(() => aggregate('wrong', { url: '/v1/wrong', bulk: 1 as never }), { message: /bulk must be true or false/ })
})

test('the metrics count the items and the runs', async t => {
  const { create, ended, send } = await served(t, { metrics: true })
  const { id } = (await (await create(`${numbers(3)}{}\n`)).json()) as ShownRun
  await ended(id)
  // The end of a run is counted after it is stored.
  let text = ''
  const isCounted = async () => {
    text = await (await send('/metrics')).text()
    return text.includes('headwaters_bulk_runs_ended_total{state="completed"} 1')
  }
  await untilCalmly(isCounted)
  t.match(text, /headwaters_bulk_items_total\{result="succeeded"\} 3\n/)
  t.match(text, /headwaters_bulk_items_total\{result="failed"\} 1\n/)
  t.match(text, /headwaters_bulk_runs_ended_total\{state="completed"\} 1\n/)
  t.match(text, /headwaters_bulk_runs\{state="running"\}/)
  t.match(text, /http_route="\/v1\/bulk\/:aggregate"/)
})

test('a folder that cannot be used fails the requests with 503, and the service goes on when it can be used again', async t => {
  const { lines, stream, line } = logLines<{ readonly msg: string; readonly err: { readonly code: string } }>()
  const { dir, send, create, ended } = await served(t, { logger: { level: 'error', stream } })
  const run = (await (await create(numbers(3))).json()) as ShownRun
  await ended(run.id)
  const objects = join(dir, 'objects')
  await rename(objects, `${objects}-away`)
  await writeFile(objects, '')
  const path = `/v1/bulk/runs/${run.id}`
  const replies = [
    await create(numbers(3)),
    await send('/v1/bulk/runs'),
    await send(path),
    await send(run.results),
    await send(`${path}/cancel`, { method: 'POST' }),
    await send(path, { method: 'DELETE' }),
  ]
  for (const reply of replies) {
    t.equal(reply.status, 503)
    t.equal(reply.headers.get('cache-control'), 'no-store')
    const problem = (await reply.json()) as { readonly code: string; readonly detail: string }
    t.equal(problem.code, 'STORE_UNAVAILABLE')
    t.notMatch(problem.detail, dir)
  }
  t.match(
    lines.filter(({ msg }) => msg === 'bulk store failed'),
    Array.from({ length: 6 }, () => ({ level: 50, err: { code: 'ENOTDIR' } })),
  )
  t.match(await line(({ msg }) => msg.startsWith('bulk store failed; bulk runs continue')), { level: 50, pauseMs: 500 })
  await rm(objects)
  await rename(`${objects}-away`, objects)
  t.equal((await send(run.results)).status, 200)
  t.equal(((await (await create(numbers(2))).json()) as ShownRun).items, 2)
})

test('an app whose server does not listen works on its runs once their work is started', async t => {
  const app = buildApp([double], { bulk: { dir: t.testdir() }, drainTimeout: 0 })
  t.teardown(() => app.close())
  const headers = { 'content-type': 'application/x-ndjson' }
  const created = await app.inject({ method: 'POST', url: '/v1/bulk/double', headers, payload: numbers(3) })
  const { id } = created.json<ShownRun>()
  const state = async () => (await app.inject(`/v1/bulk/runs/${id}`)).json<ShownRun>().state
  t.equal(await state(), 'running')
  const work = bulkWorkOf(app)
  work?.start()
  await untilCalmly(async () => (await state()) === 'completed')
  await work?.stop()
})

test('inputs above the limit are refused: before they are read, if their length is known', async t => {
  const { create, send } = await served(t, { bulk: { maxBytes: 100 } })
  const refused = await create(numbers(100))
  t.equal(refused.status, 413)
  t.match(await refused.json(), { code: 'PAYLOAD_TOO_LARGE', detail: 'The inputs have more than 100 bytes.' })
  const chunked = await send('/v1/bulk/double', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: new Blob([numbers(100)]).stream(),
    duplex: 'half',
  })
  t.equal(chunked.status, 413)
  t.match(await chunked.json(), { detail: 'The inputs have more than 100 bytes: send them as several runs.' })
})

test('the progress of more runs than stay in memory is right', async t => {
  const { create, ended, read } = await served(t, { bulk: { maxRuns: 100 } })
  const ids: string[] = []
  for (let count = 1; count <= 34; count++) ids.push(((await (await create(numbers(count))).json()) as ShownRun).id)
  for (const id of ids) await ended(id)
  for (const [index, id] of ids.entries()) t.equal((await read(id)).succeeded, index + 1)
})
