import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { failure } from '../helpers/failure.ts'
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
    .required('ask', () => asked.ask())
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
