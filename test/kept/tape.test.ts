import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { packed } from '../../src/kept/packed-values.ts'
import { Entry, mostCalls, mostNumbers, numbersOfEntry, Tape, TapePool } from '../../src/kept/tape.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { callsOf, endedRun } from '../helpers/ended-run.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracle } from '../helpers/oracle.ts'

const { spec } = oracle.ask({ id: 'a' })

/** The entries of a tape: their kind, their step and their call. */
function entriesOf({ numbers, length }: Tape): readonly string[] {
  const entries: string[] = []
  for (let at = 0; at < length; at += numbersOfEntry) {
    const head = numbers[at] as number
    entries.push(`${head % 16} ${Math.floor(head / 16) - 1}.${numbers[at + 1]}`)
  }
  return entries
}

const countOf = (tape: Tape, kind: Entry) => entriesOf(tape).filter(entry => entry.startsWith(`${kind} `)).length

test('a tape has a limit, and counts the calls and the entries above it', t => {
  const tape = new Tape()
  for (let call = 0; call < mostCalls + 7; call++) tape.addCall(spec, '/a', 0, call, 0)
  t.equal(tape.specs.length, mostCalls)
  t.equal(tape.omittedCalls, 7)
  for (let count = 0; count < mostNumbers; count++) tape.add(Entry.waitedForRetry, 0, 0, 0, 0)
  t.equal(tape.omittedEntries, mostNumbers - (mostNumbers / numbersOfEntry - 2 * mostCalls))
  for (let call = 0; call < mostCalls + 7; call++) tape.add(Entry.callEnded, 0, call, 0, 0)
  t.equal(tape.length, mostNumbers)
  t.equal(countOf(tape, Entry.callEnded), mostCalls)
  tape.add(Entry.stepEnded, 0, 0, 0, 0)
  t.equal(tape.length, mostNumbers)
  t.end()
})

test('each call that a full tape has is whole, and the others are counted', t => {
  for (const entries of [4, 8, 20]) {
    const tape = new Tape()
    tape.reserve(1)
    tape.add(Entry.stepStarted, 0, 0, 0, 0)
    for (let call = 0; call < 490; call++) {
      tape.addCall(spec, '/a', 0, call, 0)
      for (let count = 0; count < entries; count++) tape.add(Entry.waitedForRetry, 0, call, 0, 1)
      tape.add(Entry.callEnded, 0, call, 1, 0)
    }
    tape.add(Entry.stepEnded, 0, 0, 1, 0)
    t.equal(countOf(tape, Entry.callEnded), tape.specs.length)
    t.equal(tape.specs.length + tape.omittedCalls, 490)
    t.equal(entriesOf(tape).at(-1), `${Entry.stepEnded} 0.0`)
  }
  t.end()
})

/** What may happen in a run: a number of calls that are open at once, each with attempts and waits. */
const shape = fc.record({
  steps: fc.integer({ min: 1, max: 1000 }),
  calls: fc.integer({ min: 1, max: 700 }),
  attempts: fc.integer({ min: 0, max: 6 }),
  waits: fc.integer({ min: 0, max: 6 }),
  atOnce: fc.integer({ min: 1, max: 700 }),
})

test('a tape has the start and the end of each step, and the end of each call and each attempt that it has', t => {
  fc.assert(
    fc.property(shape, ({ steps, calls, attempts, waits, atOnce }) => {
      const tape = new Tape()
      tape.reserve(steps)
      for (let step = 0; step < steps; step++) tape.add(Entry.stepStarted, step, 0, 0, 0)
      for (let first = 0; first < calls; first += atOnce) {
        const open = Array.from({ length: Math.min(atOnce, calls - first) }, (_, index) => first + index)
        for (const call of open) tape.addCall(spec, '/a', call % steps, call, 0)
        for (let attempt = 1; attempt <= attempts; attempt++) {
          for (const call of open) tape.add(Entry.attemptStarted, call % steps, call, 0, packed(1, attempt, 0))
          for (const call of open) tape.add(Entry.attemptEnded, call % steps, call, 0, packed(0, attempt, 503))
        }
        for (let count = 0; count < waits; count++)
          for (const call of open) tape.add(Entry.waitedForPermit, call % steps, call, 0, 1)
        for (const call of open) tape.add(Entry.callEnded, call % steps, call, 0, 0)
      }
      for (let step = 0; step < steps; step++) tape.add(Entry.stepEnded, step, 0, 0, 0)
      const counts = [
        [countOf(tape, Entry.stepStarted), steps],
        [countOf(tape, Entry.stepEnded), steps],
        [countOf(tape, Entry.callEnded), tape.specs.length],
        [tape.specs.length + tape.omittedCalls, calls],
        [countOf(tape, Entry.attemptEnded), countOf(tape, Entry.attemptStarted)],
      ]
      const stored = countOf(tape, Entry.attemptStarted) + countOf(tape, Entry.waitedForPermit)
      counts.push([stored + tape.omittedEntries, tape.specs.length * (attempts + waits)])
      if (tape.length > mostNumbers || counts.some(([one, other]) => one !== other))
        throw new Error(`${tape.length} numbers, ${JSON.stringify(counts)}`)
    }),
    { numRuns: 60 },
  )
  t.end()
})

test('a run of 500 calls that were all retried has the end of each call', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json({}, 503))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const source = defineUpstream(
    'source',
    {
      origin,
      breaker: false,
      retry: { maxAttempts: 2, initialDelay: 0, maxDelay: 0 },
      retryBudget: { ratio: 1, minPerSecond: 1000 },
    },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const declared = aggregate('many', { url: '/many', deadline: 60_000 })
    .each('all', () => Array.from({ length: 500 }, () => source.ask({})), { minSuccess: 0, maxItems: 500, fallback: 0 })
    .reply(z.unknown(), () => 1)
  const run = await endedRun(declared, { runtime })
  const calls = callsOf(run)
  t.equal(calls.length, 500)
  t.ok(calls.every(({ end }) => end !== null))
  t.ok(calls.every(({ attempts }) => attempts.every(({ end }) => end !== null)))
  t.equal(run.omitted.calls, 0)
  t.ok(run.omitted.entries > 0)
})

test('a step that ends without a start takes no room of the calls', t => {
  const tape = new Tape()
  tape.add(Entry.stepEnded, 0, 0, 0, 0)
  t.equal(tape.length, numbersOfEntry)
  t.end()
})

test('a tape from the pool has nothing of the run before', t => {
  const pool = new TapePool()
  const tape = pool.take()
  tape.addCall(spec, '/secret', 0, 0, 0)
  pool.give(tape)
  t.equal(pool.take(), tape)
  t.same([tape.length, tape.specs, tape.paths, tape.omittedCalls], [0, [], [], 0])
  t.not(pool.take(), tape, 'a tape in use is not in the pool')
  t.end()
})

test('a tape that has become large is not used again', t => {
  const pool = new TapePool()
  const tape = pool.take()
  for (let count = 0; count < 1000; count++) tape.add(Entry.stepStarted, 0, 0, 0, 0)
  pool.give(tape)
  t.not(pool.take(), tape)
  t.end()
})
