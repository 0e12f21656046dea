import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { failure } from '../helpers/failure.ts'
import { httpUpstream, type HttpUpstream } from '../helpers/http-upstream.ts'
import { oracleAt } from '../helpers/oracle.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'

test('a run that is cancelled while an unsafe call waits for its slot tells how every call ended', async t => {
  const raw = await rawUpstream(t, () => {})
  const told = defineUpstream(
    'told',
    { origin: raw.origin, concurrency: 1 },
    { tell: operation({ method: 'POST', path: '/tell', output: z.unknown() }) },
  )
  const asked = defineUpstream(
    'asked',
    { origin: raw.origin },
    { ask: operation({ path: '/ask', output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const first = aggregate('first', { url: '/first' })
    .required('tell', () => told.tell())
    .reply(z.unknown(), () => 1)
  const both = aggregate('both', { url: '/both' })
    .required('tell', () => told.tell())
    .required('asked', () => asked.ask())
    .reply(z.unknown(), () => 1)
  const holder = failure(fanOut(first, {}, { runtime }))
  await raw.asked(1)

  const events: RunEvent[] = []
  const gone = new AbortController()
  const cancelled = failure(
    fanOut(
      both,
      {},
      {
        runtime,
        signal: gone.signal,
        onEvent: event => {
          events.push(event)
        },
      },
    ),
  )
  await raw.asked(2)
  gone.abort('gone')
  t.equal(await cancelled, 'gone')
  t.same(
    new Set(events.filter(({ type }) => type === 'call ended').map(event => 'step' in event && event.step)),
    new Set([0, 1]),
  )
  t.equal(events.at(-1)?.type, 'run ended')
  await runtime.close()
  await holder
})

/**
 * Runs an aggregate whose listener cancels the run when an attempt ends as cancelled, and answers its unsafe call after
 * that. Returns the ends of its steps and of the run.
 */
async function endsOf(
  t: Test,
  upstream: HttpUpstream,
  described: AnyAggregate,
): Promise<readonly (string | undefined)[]> {
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const gone = new AbortController()
  const events: RunEvent[] = []
  const onEvent = (event: RunEvent) => {
    events.push(event)
    if (event.type !== 'attempt ended' || event.code !== 'CANCELLED') return
    gone.abort('gone')
    void upstream.arrived('POST /post').then(({ json }) => json('done'))
  }
  t.equal(await failure(fanOut(described, {}, { runtime, signal: gone.signal, onEvent })), 'gone')
  return events.flatMap(event => {
    if (event.type === 'step ended') return [`${event.stepName} ${event.state}`]
    return event.type === 'run ended' ? [`run ${event.code}`] : []
  })
}

test('a run that is cancelled while a step with its value aborts its other calls reports the end of the step once', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => {
    if (request.url === '/0') json('won')
  })
  const { ask, tell } = oracleAt(upstream.origin)
  const race = aggregate('race', { url: '/race' })
    .firstOf('all', () => times(2, id => ask({ id })))
    .required('post', () => tell({ id: 'post' }))
    .reply(z.unknown(), () => 1)
  t.same(await endsOf(t, upstream, race), ['all cancelled', 'post ok', 'run CANCELLED'])
})

test('a run that is cancelled while a failing step aborts its other calls reports the end of the step once', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => {
    if (request.url === '/0') json({}, 500)
  })
  const { ask, tell } = oracleAt(upstream.origin)
  const list = aggregate('list', { url: '/list' })
    .each('all', () => times(2, id => ask({ id })), { timeout: 10_000 })
    .required('post', () => tell({ id: 'post' }))
    .reply(z.unknown(), () => 1)
  t.same(await endsOf(t, upstream, list), ['all cancelled', 'post ok', 'run CANCELLED'])
})
