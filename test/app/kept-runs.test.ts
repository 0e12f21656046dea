import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'
import { setRunKeeper } from '../../src/http/reply/run-keeper.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { keptRuns } from '../helpers/ended-run.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { logLines } from '../helpers/log-lines.ts'

const Any = z.unknown()

interface Line {
  readonly msg: string
  readonly run?: string
}

/** An app whose runs are kept, with an aggregate that fails for `?id=busy`. */
async function arrange(t: Test, { isKept = true, hide }: { isKept?: boolean; hide?: (text: string) => string } = {}) {
  const { origin } = await httpUpstream(t, ({ request, json }) => json({}, request.url === '/busy' ? 503 : 200))
  const { get } = defineUpstream(
    'source',
    { origin, retry: false },
    { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: Any, batch: true }) },
  )
  const query = z.object({ id: z.string().default('well') })
  const options = { query, stream: true, batch: true } as const
  const { lines, stream, line } = logLines<Line>()
  const app = buildApp(
    [
      aggregate('needed', { url: '/needed', ...options })
        .required('one', ({ query: { id } }) => get({ id }))
        .reply(Any, () => 1),
      aggregate('wanted', { url: '/wanted', ...options })
        .optional('one', ({ query: { id } }) => get({ id }), { fallback: null })
        .reply(Any, () => 1),
      aggregate('unwritable', { url: '/unwritable', ...options })
        .optional('one', ({ query: { id } }) => get({ id }), { fallback: null })
        .reply(Any, () => ({
          toJSON() {
            throw new Error('a bug of a value')
          },
        })),
    ],
    {
      logger: { ...(loggerOptions({ level: 'debug', redaction: new Redaction() }) as object), stream },
      batch: { operations: [get] },
    },
  )
  t.teardown(() => app.close())
  const store = keptRuns(hide && { hide })
  if (isKept) setRunKeeper(app, store)
  return { app, store, lines, line, runs: () => store.list({ limit: 50 }).runs }
}

test('the lines of partial and failed runs have the id of the run, and that of a complete run has none', async t => {
  const { app, line, lines, runs } = await arrange(t)
  await app.inject('/needed?id=busy')
  await app.inject('/wanted?id=busy')
  await app.inject('/wanted')
  const [complete, partial, failed] = runs()
  t.match(await line(({ msg }) => msg === 'request failed'), { run: failed?.id })
  t.match(await line(({ msg }) => msg === 'reply is partial'), { run: partial?.id })
  t.equal(complete?.state, 'complete')
  t.equal(lines.filter(({ run }) => run !== undefined).length, 2)
})

test('the line of a reply that cannot be written has the id of a partial run, and none of a complete one', async t => {
  for (const accept of ['application/json', 'text/event-stream'])
    for (const [id, state] of [
      ['well', 'complete'],
      ['busy', 'partial'],
    ]) {
      const { app, line, runs } = await arrange(t)
      await app.inject({ url: `/unwritable?id=${id}`, headers: { accept } })
      const { run } = await line(({ msg }) => msg.startsWith('request failed'))
      const [kept] = runs()
      t.equal(kept?.state, state)
      t.equal(run, state === 'partial' ? kept?.id : undefined, `${accept} ${state}`)
    }
})

test('the line of a batch whose reply is lost after it has ended whole has no run', async t => {
  const { app, line, runs } = await arrange(t)
  app.addHook('onSend', async () => {
    throw new Error('a bug of a hook')
  })
  const calls = [{ id: 'a', operation: 'source.get', input: { id: 'well' } }]
  await app.inject({ method: 'POST', url: '/v1/batch', payload: { calls } })
  t.equal(runs()[0]?.state, 'complete')
  const { run } = await line(({ msg }) => msg.startsWith('request failed'))
  t.equal(run, undefined)
})

test('without a keeper no line has a run', async t => {
  const { app, line, lines } = await arrange(t, { isKept: false })
  await app.inject('/needed?id=busy')
  await line(({ msg }) => msg === 'request failed')
  t.same(
    lines.filter(({ run }) => run !== undefined),
    [],
  )
})

test('a request that is refused before its run starts is not kept', async t => {
  const { app, runs } = await arrange(t)
  const headers = { 'x-request-timeout-ms': 'soon' }
  t.equal((await app.inject({ url: '/needed', headers })).statusCode, 400)
  t.same(runs(), [])
})

test('a stream is kept with its form and the id of its plan, and HEAD is not kept', async t => {
  const { app, store, runs } = await arrange(t)
  const { body } = await app.inject({ url: '/wanted', headers: { accept: 'application/x-ndjson' } })
  const [run] = runs()
  t.match(store.find(run?.id ?? ''), { stream: 'ndjson', state: 'complete', caller: 'waited' })
  t.match(body, `"run":"${run?.id}"`)
  await app.inject({ method: 'HEAD', url: '/wanted', headers: { accept: 'text/event-stream' } })
  t.equal(runs().length, 1)
})

test('a batch is a run whose steps are its calls, and its aggregates are runs of their own', async t => {
  const { app, store, runs, line } = await arrange(t)
  const calls = [
    { id: 'a', operation: 'source.get', input: { id: 'busy' } },
    { id: 'b', operation: 'wanted', input: { query: { id: 'well' } }, needs: ['c'] },
    { id: 'c', operation: 'source.get', input: { id: 'well' } },
  ]
  const { statusCode } = await app.inject({ method: 'POST', url: '/v1/batch', payload: { calls } })
  t.equal(statusCode, 200)
  const batch = store.find(runs().find(each => each.aggregate === 'batch')?.id ?? '')
  const part = store.find(runs().find(each => each.aggregate === 'wanted')?.id ?? '')
  t.match(batch, { method: 'POST', target: '/v1/batch', state: 'partial', status: 200, parent: null })
  t.match(batch?.steps, [
    { name: 'a', kind: 'call', outcome: { state: 'failed', code: 'UPSTREAM_BUSY', attempts: 1 } },
    { name: 'b', kind: 'call', needs: ['c'], outcome: { state: 'ok', attempts: 0 }, calls: [] },
    { name: 'c', kind: 'call', outcome: { state: 'ok', code: null }, calls: [{ path: '/well', status: 200 }] },
  ])
  t.match(batch?.lost, [{ step: 'a', code: 'UPSTREAM_BUSY' }])
  t.match(part, { parent: batch?.id, requestId: batch?.requestId, target: '/wanted', state: 'complete' })
  t.match(await line(({ msg }) => msg === 'reply is partial'), { run: batch?.id })
})

test('the credentials of a caller are not in the paths of its run', async t => {
  const { app, store, runs } = await arrange(t)
  const headers = { authorization: 'Bearer hush/1', cookie: 'id=hush-2', 'x-api-key': 'hush-3' }
  await app.inject({ url: '/wanted?id=hush%2F1&mark=hush-2', headers })
  await app.inject({
    url: `/wanted?id=well&mark=${'y'.repeat(485)}hush-3-hush`,
    headers: { 'x-api-key': 'hush-3-hush' },
  })
  const [cut, whole] = runs().map(({ id }) => store.find(id))
  t.match(whole, { target: '/wanted?id=[redacted]&mark=[redacted]' })
  t.match(whole?.steps, [{ calls: [{ path: '/[redacted]' }] }])
  t.equal(cut?.target, `/wanted?id=well&mark=${'y'.repeat(485)}[redacted][cut] (5 more)`)
})

test('the secrets of the service and of the caller are neither in the ids nor in the paths of a batch', async t => {
  const { app, store, runs } = await arrange(t, { hide: new Redaction(['ours-hush']).hide })
  const calls = [
    { id: 'ours-hush', operation: 'source.get', input: { id: 'busy' } },
    { id: 'their-hush', operation: 'wanted', input: { query: { id: 'their-hush' } }, needs: ['ours-hush'] },
    { id: 'last', operation: 'source.get', input: { id: 'their-hush' } },
  ]
  const headers = { 'x-api-key': 'their-hush' }
  await app.inject({ method: 'POST', url: '/v1/batch?mark=their-hush', payload: { calls }, headers })
  const kept = runs().map(({ id }) => store.find(id))
  const batch = kept.find(run => run?.aggregate === 'batch')
  t.match(batch?.steps, [{ name: '[redacted]' }, { name: '[redacted]', needs: ['[redacted]'] }, { name: 'last' }])
  t.match(batch?.lost, [{ step: '[redacted]', code: 'UPSTREAM_BUSY' }])
  t.notMatch(JSON.stringify([kept, runs()]), 'hush')
})
