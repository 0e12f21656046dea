import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { TraceContext } from '../../src/trace/trace-context.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { sentTraces } from '../helpers/sent-trace.ts'
import { spanId, traceId } from '../trace/specification.ts'

async function arrange(t: Test) {
  const raw = await rawUpstream(t, json(1))
  const { ask } = defineUpstream(
    'raw',
    { origin: raw.origin, traceContext: true },
    { ask: operation({ path: '/', output: z.number() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const one = aggregate('one', { url: '/one' })
    .context(() => ask())
    .required('it', () => ask())
    .each('all', () => [ask(), ask()])
    .reply(z.number(), ({ it }) => it)
  return { raw, runtime, one }
}

const trace: TraceContext = { traceId, spanId, flags: 1, tracestate: 'rojo=1' }

test('all calls of a run belong to the trace that fanOut was given', async t => {
  const { raw, runtime, one } = await arrange(t)
  await fanOut(one, {}, { runtime, trace })
  const sent = sentTraces(raw)
  t.equal(sent.length, 4)
  for (const each of sent) t.match(each, { traceId, flags: '01', tracestate: 'rojo=1' })
  t.equal(new Set([spanId, ...sent.map(each => each.spanId)]).size, 5)
})

test('fanOut reads the trace from the headers of its input, in any case, and the option wins', async t => {
  const { raw, runtime, one } = await arrange(t)
  const headers = { TraceParent: `00-${'a'.repeat(32)}-${spanId}-00`, traceSTATE: ['a=1', 'b=2'] }
  await fanOut(one, { headers }, { runtime })
  t.match(sentTraces(raw)[0], { traceId: 'a'.repeat(32), flags: '00', tracestate: 'a=1,b=2' })
  await fanOut(one, { headers }, { runtime, trace: { ...trace, tracestate: undefined } })
  t.match(sentTraces(raw).at(-1), { traceId, flags: '01', tracestate: undefined })
})

test('fanOut starts a trace that is not sampled if it was given none', async t => {
  const { raw, runtime, one } = await arrange(t)
  await fanOut(one, {}, { runtime })
  await fanOut(one, { headers: { traceparent: 'wrong', tracestate: 'a=1' } }, { runtime, trace: undefined })
  const ids = new Set(sentTraces(raw).map(each => each.traceId))
  t.equal(ids.size, 2, 'one trace per run')
  for (const each of sentTraces(raw)) t.match(each, { flags: '00', tracestate: undefined })
})

test('a trace is passed on as its headers would be', async t => {
  const { raw, runtime, one } = await arrange(t)
  await fanOut(one, {}, { runtime, trace: { ...trace, flags: 255, tracestate: 'rojo=1 ,, congo=2' } })
  t.match(sentTraces(raw)[0], { flags: '03', tracestate: 'rojo=1,congo=2' })
  await fanOut(one, {}, { runtime, trace: { ...trace, flags: 0, tracestate: '' } })
  t.match(sentTraces(raw).at(-1), { flags: '00', tracestate: undefined })
})

test('a trace that cannot be sent is refused with the field and the fix', async t => {
  const { runtime, one } = await arrange(t)
  const ids = /^fanOut: trace has no valid ids: traceId must be 32 and spanId 16 lower-case hex digits, not all 0$/
  for (const [wrong, message] of [
    [{ traceId: 'a' }, ids],
    [{ traceId: '0'.repeat(32) }, ids],
    [{ traceId: undefined }, ids],
    [{ spanId: 'A'.repeat(16) }, ids],
    [{ spanId: `${'a'.repeat(16)}\r\nx-a: b` }, ids],
    [{ flags: -1 }, /^fanOut: trace\.flags must be a whole number from 0 to 255, got -1$/],
    [{ flags: '01' }, /^fanOut: trace\.flags must be .* from 0 to 255, got 01/],
    [{ tracestate: 'a' }, /^fanOut: trace\.tracestate must be a list as in the header, for example 'rojo=1,congo=2'$/],
    [{ tracestate: ['a=1'] }, /^fanOut: trace\.tracestate must be a list/],
  ] as const)
    t.match(await failure(fanOut(one, {}, { runtime, trace: { ...trace, ...wrong } as never })), {
      name: 'TypeError',
      message,
    })
  for (const wrong of [null, 'text', []])
    t.match(await failure(fanOut(one, {}, { runtime, trace: wrong as never })), {
      name: 'TypeError',
      message: /^fanOut: trace must be an object such as \{ traceId: /,
    })
})
