import fc from 'fast-check'
import { test } from 'tap'
import { IdSource } from '../../src/trace/ids.ts'
import { continueTrace, isSampled, receivedTrace, requestTrace } from '../../src/trace/request-trace.ts'
import { readTraceparent, writeTraceparent } from '../../src/trace/trace-context.ts'
import { readTracestate } from '../../src/trace/tracestate.ts'
import { spanId, specification, traceId, type SpecificationCase } from './specification.ts'

/** The headers as Node.js gives them to a server: several values of one name are joined. */
function headersOf({ lines }: SpecificationCase): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of lines) {
    const lower = name.toLowerCase()
    headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`
  }
  return headers
}

test('there are at least 60 cases of the specification, and their titles differ', async t => {
  t.ok(specification.length >= 60)
  t.equal(new Set(specification.map(({ title }) => title)).size, specification.length)
})

for (const each of specification)
  test(`the specification: ${each.title}`, async t => {
    t.same(
      receivedTrace(headersOf(each)),
      each.flags === 'new' ? undefined : { traceId, spanId, flags: each.flags, tracestate: each.tracestate },
    )
  })

test('a request continues the trace of its caller with a span of its own', async t => {
  const headers = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'foo=1' }
  const [one, two] = [requestTrace(headers, 0), requestTrace(headers, 0)]
  t.match(one, { traceId, parentSpanId: spanId, flags: 1, tracestate: 'foo=1' })
  t.match(one.spanId, /^[0-9a-f]{16}$/)
  t.not(one.spanId, spanId)
  t.not(one.spanId, two.spanId)
  t.match(continueTrace({ traceId, spanId, flags: 3, tracestate: undefined }), {
    traceId,
    parentSpanId: spanId,
    flags: 3,
  })
})

test('a request without a trace starts one, which is sampled by its share', async t => {
  const trace = requestTrace({ tracestate: 'foo=1' }, 0)
  t.match(trace, { traceId: /^[0-9a-f]{32}$/, spanId: /^[0-9a-f]{16}$/, flags: 0 })
  t.equal(trace.parentSpanId, undefined)
  t.equal(trace.tracestate, undefined)
  t.not(requestTrace({}, 0).traceId, trace.traceId)
  t.equal(requestTrace({}, 100).flags, 1)
})

test('the last digits of the id of a new trace decide whether it is sampled', async t => {
  const id = (last: string) => `ffffffffffffffffffffffff${last}`
  t.equal(isSampled(id('00000000'), 0), false)
  t.equal(isSampled(id('00000000'), 0.1), true)
  t.equal(isSampled(id('7fffffff'), 50), true)
  t.equal(isSampled(id('80000000'), 50), false)
  t.equal(isSampled(id('ffffffff'), 100), true)
})

test('several values of a header in a list are read as several header lines', async t => {
  const traceparent = `00-${traceId}-${spanId}-01`
  t.match(receivedTrace({ traceparent: [traceparent], tracestate: ['a=1', 'b=2'] }), { tracestate: 'a=1,b=2' })
  t.equal(receivedTrace({ traceparent: [traceparent, traceparent] }), undefined)
  t.equal(receivedTrace({ traceparent: [] }), undefined)
})

test('what is written is read as the same context, and a version of the future becomes version 00', async t => {
  const hex = (length: number) =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter(text => /[^0]/.test(text))
  fc.assert(
    fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 3 }), (trace, span, flags) => {
      const written = writeTraceparent(trace, span, flags)
      t.ok(written.startsWith('00-') && written.length === 55)
      t.same(readTraceparent(written), { traceId: trace, spanId: span, flags, tracestate: undefined })
    }),
  )
  t.same(readTraceparent(`cc-${traceId}-${spanId}-ff-${'x'.repeat(8000)}`), {
    traceId,
    spanId,
    flags: 3,
    tracestate: undefined,
  })
  t.equal(writeTraceparent(traceId, spanId, 255), `00-${traceId}-${spanId}-ff`)
})

test('a tracestate that was read is valid, at most 512 characters long, and read as itself', async t => {
  const text = fc
    .array(fc.constantFrom('a', 'b=1', '=', ',', ' ', '\t', '@', 'Z', `k=${'v'.repeat(120)}`, '1x@y=~'))
    .map(parts => parts.join(''))
  const member = fc
    .tuple(fc.stringMatching(/^[a-z]{1,9}$/), fc.stringMatching(/^[!-+]{1,200}$/))
    .map(pair => pair.join('='))
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.array(member, { maxLength: 34 }).map(list => list.join(' ,\t')),
      ),
      value => {
        const read = readTracestate(value)
        if (read === undefined) return
        t.ok(read.length <= 512 && read.length > 0 && readTracestate(read) === read)
      },
    ),
    { numRuns: 500 },
  )
})

test('random ids are drawn from a pool that is filled again, and are never all 0', async t => {
  let fills = 0
  const source = new IdSource(pool => {
    fills++
    // The pool begins with two trace ids of zeros.
    pool.fill(fills).fill(0, 0, 32)
  })
  t.equal(source.traceId(), '01'.repeat(16))
  t.equal(fills, 1)
  const seen = new Set(Array.from({ length: 1000 }, () => source.spanId()))
  t.same([...seen], ['01'.repeat(8), '02'.repeat(8)])
  t.equal(fills, 2)

  const random = new IdSource()
  const ids = Array.from({ length: 5000 }, () => random.spanId())
  t.equal(new Set(ids).size, ids.length)
  t.ok(ids.every(id => /^[0-9a-f]{16}$/.test(id)))
})
