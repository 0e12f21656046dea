import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, chain, times } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { streamed, type Streamed } from '../helpers/streamed.ts'
import { turn } from '../helpers/turn.ts'

const base = aggregate('orders', { url: '/orders', deadline: 10_000 })
const Any = z.unknown()
const ask = (id: string | number) => oracle.ask({ id })
const lost = new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 502 })

/** The items and the ends of steps, without the fields that differ from run to run. */
const parts = ({ events }: Streamed) =>
  events.flatMap(event => {
    if (event.event === 'source') return [`${event.name} ${event.outcome.state}`]
    if (event.event !== 'item') return []
    const { name, index, calls, state, code, status } = event
    return [`${name} ${index}/${calls} ${[state, code, status].filter(part => part !== undefined).join(' ')}`]
  })

test('the items of an each are reported as they end, before the end of their step', async t => {
  const runtime = heldRuntime()
  const described = base
    .each('items', () => times(3, ask), { minSuccess: 1, fallback: null })
    .firstOf('first', () => [ask('a'), ask('b')])
    .required('one', () => ask('one'))
    .reply(Any, () => 1)
  const stream = streamed(described, { runtime })
  for (const path of ['/2', '/a', '/one']) runtime.at(path).answer(path)
  runtime.at('/1').fail(lost)
  await turn()
  runtime.at('/0').answer(0)
  await stream.reply
  t.same(parts(stream), [
    'items 2/3 ok',
    'first ok',
    'one ok',
    'items 1/3 failed UPSTREAM_STATUS 502',
    'items 0/3 ok',
    'items partial',
  ])
})

test('a chain is one item, and the items of a list that follows asked calls count from 0', async t => {
  const runtime = heldRuntime()
  const described = base
    .each('chains', () => [chain(ask('head'), () => ask('tail'))])
    .each('asked', async ({ ask: asks }) => {
      await asks(ask('index'))
      return times(2, id => ask(`asked${id}`))
    })
    .reply(Any, () => 1)
  const stream = streamed(described, { runtime })
  for (const path of ['/head', '/tail', '/index', '/asked1', '/asked0']) (await runtime.arrived(path)).answer(path)
  await stream.reply
  t.same(parts(stream).toSorted(), ['asked 0/2 ok', 'asked 1/2 ok', 'asked ok', 'chains 0/1 ok', 'chains ok'])
})

test('an item whose answer is stale has the state stale', async t => {
  let isDown = false
  const raw = await rawUpstream(t, (socket, { path }) => {
    socket.write(
      isDown ? json({}, 503) : json(path, 200, { 'cache-control': 'max-age=60, stale-if-error=600', age: '90' }),
    )
  })
  const { kept } = defineUpstream(
    'raw',
    { origin: raw.origin, retry: false },
    { kept: operation({ path: '/kept/{id}', params: z.object({ id: z.number() }), output: Any, cache: true }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const described = base.each('items', () => times(2, id => kept({ id }))).reply(Any, () => 1)
  await streamed(described, { runtime }).reply
  isDown = true
  const stream = streamed(described, { runtime })
  await stream.reply
  t.same(parts(stream).toSorted(), ['items 0/2 stale', 'items 1/2 stale', 'items stale'])
})

test('items that have not ended at the deadline fail with its code', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/1' })
  const described = base.each('items', () => times(2, ask), { minSuccess: 0, fallback: null }).reply(Any, () => 1)
  const stream = streamed(described, { runtime, deadline: 20 })
  runtime.at('/0').answer(0)
  await stream.reply
  t.same(parts(stream), ['items 0/2 ok', 'items 1/2 failed DEADLINE_EXCEEDED', 'items partial'])
})

test('no item and no page is reported after the run has failed, and the listener of an item may cancel the run', async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const described = base
    .each('items', () => times(2, id => oracle.tell({ id })), { minSuccess: 0, fallback: null })
    .pages('pages', () => oracle.tell({ id: 'page' }), { next: () => undefined, onLoss: 'keep' })
    .reply(Any, () => 1)
  const stream = streamed(described, { runtime })
  stream.onItem = () => stream.run.cancel(lost)
  runtime.at('/0').answer(0)
  await turn()
  runtime.at('/page').answer(0)
  runtime.at('/1').answer(1)
  t.equal(await stream.reply.catch((error: unknown) => error), lost)
  t.same(
    stream.events.map(({ event }) => event),
    ['plan', 'item', 'problem'],
  )
})
