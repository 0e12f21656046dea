import { test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse, times } from '../../../src/fanout/aggregate.ts'
import * as families from '../../../src/metrics/families.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'
import { logLines } from '../../helpers/log-lines.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { serve } from './helpers/serve.ts'
import { eventsOfKind, openStream, streamed } from './helpers/streamed.ts'

const One = z.object({ id: z.string() })

/** An upstream that answers each call when the test says so. */
async function heldUpstream(t: Parameters<typeof httpUpstream>[0]) {
  const upstream = await httpUpstream(t)
  const options = { origin: upstream.origin, attemptTimeout: 20_000 }
  const up = defineUpstream('up', options, { one: operation({ path: '/{id}', params: One, output: z.string() }) })
  const answer = async (id: string) => (await upstream.arrived(`GET /${id}`)).json(id)
  return { up, answer }
}

test('a snapshot arrives before the slowest source has answered, and each is better than the last', async t => {
  const { up, answer } = await heldUpstream(t)
  const described = aggregate('card', { url: '/card', deadline: 20_000 })
    .required('needed', () => up.one({ id: 'needed' }))
    .optional('wanted', () => up.one({ id: 'wanted' }), { fallback: 'none' })
    .optional('slow', () => up.one({ id: 'slow' }), { fallback: 'none' })
    .reply(z.object({ needed: z.string(), wanted: z.string(), slow: z.string() }), ({ needed, wanted, slow }) => ({
      needed,
      wanted,
      slow,
    }))
  const runtime = createRuntime()
  const { origin } = await serve(t, [described], { runtime })
  const stream = await openStream(`${origin}/card`)
  await stream.nextOf('plan')
  await answer('needed')
  t.match(await stream.next(), { event: 'source', name: 'needed' })
  t.same(await stream.next(), {
    event: 'snapshot',
    data: { needed: 'needed', wanted: 'none', slow: 'none' },
    complete: false,
    pending: ['wanted', 'slow'],
  })
  await answer('wanted')
  t.match(await stream.next(), { event: 'source', name: 'wanted' })
  t.match(await stream.next(), {
    event: 'snapshot',
    data: { needed: 'needed', wanted: 'wanted', slow: 'none' },
    pending: ['slow'],
  })
  await answer('slow')
  t.match(await stream.next(), { event: 'source', name: 'slow' })
  t.match(await stream.next(), { event: 'reply', body: { complete: true, data: { slow: 'slow' } } })
  t.equal(await stream.next(), undefined)
  t.same(valuesOf(runtime, families.snapshots), { sent: 2 })
  t.same(valuesOf(runtime, families.streams), { 'ndjson reply': 1 })
})

test('the items of an each arrive one by one, in events and in snapshots', async t => {
  const { up, answer } = await heldUpstream(t)
  const described = aggregate('list', { url: '/list', deadline: 20_000 })
    .each('each', () => times(3, index => up.one({ id: String(index) })), { minSuccess: 1, fallback: 'none' })
    .reply(z.array(z.string()), ({ each }) => each)
  const { origin } = await serve(t, [described])
  const stream = await openStream(`${origin}/list`)
  await stream.nextOf('plan')
  await answer('1')
  t.same(await stream.next(), { event: 'item', name: 'each', index: 1, calls: 3, state: 'ok' })
  t.match(await stream.next(), { event: 'snapshot', data: ['none', '1', 'none'], pending: ['each'] })
  await answer('0')
  t.match(await stream.next(), { event: 'item', index: 0 })
  t.match(await stream.next(), { event: 'snapshot', data: ['0', '1', 'none'], pending: ['each'] })
  await answer('2')
  t.match(await stream.nextOf('reply'), { body: { data: ['0', '1', '2'] } })
})

test('a snapshot that does not match the schema is dropped and logged, and the reply is not affected', async t => {
  const { up, answer } = await heldUpstream(t)
  const described = aggregate('strict', { url: '/strict/{id}', params: One, deadline: 20_000 })
    .required('needed', () => 'a')
    .optional('wanted', ({ params }): unknown => up.one(params), { fallback: null })
    .reply(z.object({ wanted: z.string() }), ({ wanted }) => ({ wanted: wanted as string }))
  const runtime = createRuntime()
  const log = logLines<{ readonly level: number; readonly msg: string; readonly stream?: string }>()
  const { origin } = await serve(t, [described], { runtime, logger: { level: 'warn', stream: log.stream } })
  for (const id of ['1', '2']) {
    const stream = await openStream(`${origin}/strict/${id}`)
    await stream.nextOf('source')
    await answer(id)
    const events = [await stream.next(), await stream.next()]
    t.match(events, [
      { event: 'source', name: 'wanted' },
      { event: 'reply', body: { data: { wanted: id } } },
    ])
  }
  t.match(log.lines, [
    { level: 40, stream: 'ndjson', msg: /a snapshot could not be made .* give reply\(\) the option/ },
  ])
  t.match(valuesOf(runtime, families.snapshots), { dropped: 2 })
})

test('with none a snapshot names no step, and with snapshot: false a stream has none', async t => {
  const { up, answer } = await heldUpstream(t)
  const declare = (name: string, snapshot?: false) =>
    aggregate(name, { url: `/${name}`, deadline: 20_000, sources: 'none' })
      .required('wombat', () => 'a')
      .optional('numbat', () => up.one({ id: name }), { fallback: 'none' })
      .reply(z.string(), ({ numbat }) => numbat, snapshot === false ? { snapshot } : {})
  const { origin } = await serve(t, [declare('with'), declare('without', false)])
  const stream = await openStream(`${origin}/with`)
  await stream.nextOf('plan')
  t.same(await stream.next(), { event: 'snapshot', data: 'none', complete: false })
  await answer('with')
  t.match(await stream.next(), { event: 'reply', body: { data: 'with' } })
  const without = streamed(`${origin}/without`)
  await answer('without')
  t.same(eventsOfKind((await without).events, 'snapshot'), [])
})

test('a hook that refuses the reply does not see the snapshots before it', async t => {
  const { up, answer } = await heldUpstream(t)
  const seen: unknown[] = []
  const described = aggregate('late', { url: '/late', deadline: 20_000 })
    .optional('wanted', () => up.one({ id: 'wanted' }), { fallback: 'none' })
    .required('needed', () => 'secret')
    .reply(z.string(), ({ needed }) => needed)
    .onReply(({ data }) => {
      seen.push(data)
      return refuse(403, 'No.')
    })
  const { origin } = await serve(t, [described])
  const stream = await openStream(`${origin}/late`)
  t.match(await stream.nextOf('snapshot'), { data: 'secret' })
  t.same(seen, [])
  await answer('wanted')
  t.match(await stream.nextOf('problem'), { status: 403 })
  t.same(seen, ['secret'])
})
