import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { endedRun, keptRuns } from '../helpers/ended-run.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'

const Any = z.unknown()

test('no value, header, body or text of an error is in a kept run or in its row', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json({ answer: 'mark-of-answer' }, 503))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { send } = defineUpstream(
    'sink',
    { origin, retry: false, forwardHeaders: ['x-mark'] },
    {
      send: operation({
        method: 'POST',
        path: '/send',
        body: z.object({ text: z.string() }),
        headers: z.object({ 'x-own': z.string() }),
        output: Any,
      }),
    },
  )
  const declared = aggregate('marked', { method: 'POST', url: '/marked', body: z.object({ text: z.string() }) })
    .context(() => 'mark-of-context')
    .optional('sent', ({ body }) => send({ body, headers: { 'x-own': 'mark-of-own-header' } }), {
      fallback: 'mark-of-fallback',
    })
    .reply(Any, () => 'mark-of-reply')
  const store = keptRuns()
  const input = { body: { text: 'mark-of-body' }, headers: { 'x-mark': 'mark-of-header' } }
  const run = await endedRun(declared, { store, runtime, input, request: { method: 'POST' } })
  t.equal(run.steps[0]?.outcome.state, 'fallback')
  t.notMatch(JSON.stringify([run, store.list({ limit: 9 })]), 'mark-of')
})

test('secrets in queries, paths and request ids are not in a kept run', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json('well'))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { find } = defineUpstream(
    'sink',
    { origin },
    {
      find: operation({
        path: '/find/{token}/{id}',
        params: z.object({ token: z.string(), id: z.string() }),
        query: z.object({ apiKey: z.string(), q: z.string() }),
        output: Any,
      }),
    },
  )
  const declared = aggregate('secret', { url: '/secret/{password}', params: z.object({ password: z.string() }) })
    .required('found', () => find({ token: 'hush-1', id: '7', apiKey: 'hush-2', q: 'ours-hush-3' }))
    .reply(Any, () => 1)
  const { hide } = new Redaction(['ours-hush-3', 'hush-in-id'])
  const store = keptRuns({ hide })
  const run = await endedRun(declared, {
    store,
    runtime,
    input: { params: { password: 'hush-4' } },
    request: { target: '/secret/hush-4?session=hush-5&page=2', requestId: 'hush-in-id' },
  })
  t.equal(run.target, '/secret/{password}?session=REDACTED&page=2')
  t.equal(run.steps[0]?.calls[0]?.path, '/find/{token}/7?apiKey=REDACTED&q=[redacted]')
  t.notMatch(JSON.stringify([run, store.list({ limit: 9 })]), 'hush')
})

test('the beginning of a secret is not in a path that was cut', async t => {
  const secret = 'hush-hush-and-even-more-hush'
  const run = await endedRun(
    aggregate('long', { url: '/long' }).reply(Any, () => 1),
    {
      store: keptRuns({ hide: new Redaction([secret]).hide }),
      runtime: createRuntime(),
      request: { target: `/long?q=${'y'.repeat(505 - 8)}${secret}` },
    },
  )
  t.equal(run.target, `/long?q=${'y'.repeat(497)}[redacted][cut] (21 more)`)
})

test('a run whose tape was used before has nothing of the run before', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json('well'))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { get } = defineUpstream(
    'sink',
    { origin },
    { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: Any }) },
  )
  const withCalls = (name: string, ids: readonly string[]) =>
    aggregate(name, { url: '/x' })
      .each('all', () => ids.map(id => get({ id })))
      .reply(Any, () => 1)
  const store = keptRuns()
  await endedRun(withCalls('first', ['before-1', 'before-2', 'before-3']), { store, runtime })
  const second = await endedRun(withCalls('second', ['after']), { store, runtime })
  t.notMatch(JSON.stringify(second), 'before')
  t.equal(second.steps[0]?.calls.length, 1)
})
