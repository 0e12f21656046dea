import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { test } from 'tap'
import {
  Circuit,
  transitions,
  type BreakerState,
  type CircuitOptions,
} from '../../../../src/upstream/policies/breaker/circuit.ts'

function arrange(options: Partial<CircuitOptions> = {}) {
  const clock = { now: 0 }
  const changes: string[] = []
  const circuit = new Circuit({
    failureRatio: 0.5,
    minimumCalls: 20,
    window: 10_000,
    openDuration: 5000,
    random: () => 0,
    now: () => clock.now,
    onStateChange: (from, to) => changes.push(`${from} > ${to}`),
    ...options,
  })
  const fail = (times: number) => {
    for (let time = 0; time < times; time++) circuit.onFailure()
  }
  /** Opens it, and lets its open time pass. */
  const open = () => {
    fail(20)
    clock.now += 5000
  }
  return { clock, changes, circuit, fail, open }
}

/** A random number that is the same each time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('docs/policies.md has the states of the breaker and their transitions', async t => {
  const page = await readFile(new URL('../../../../docs/policies.md', import.meta.url), 'utf8')
  const rows = page.slice(page.indexOf('## breaker')).matchAll(/^\| `([\w-]+)` \| [^|]+ \| (?:`([\w-]+)`|stays) \|/gm)
  const documented = new Set(
    Array.from(rows, ([, from, to]) => `${from} > ${to}`).filter(row => !row.endsWith('undefined')),
  )
  t.same(documented, new Set(Object.entries(transitions).flatMap(([from, next]) => next.map(to => `${from} > ${to}`))))
})

for (const perSecond of [51, 300, 5000]) {
  test(`after good traffic at ${perSecond} a second, the circuit opens within 0.5 s and 100 failures when every attempt fails`, t => {
    const { circuit, clock } = arrange()
    const every = 1000 / perSecond
    for (; clock.now < 20_000; clock.now += every) circuit.onSuccess()
    const since = clock.now
    let failures = 0
    for (; circuit.state === 'closed' && failures < 1000; clock.now += every) {
      circuit.onFailure()
      failures++
    }
    t.ok(clock.now - every - since <= 500, `${(clock.now - every - since).toFixed(0)} ms`)
    t.equal(failures, 20)
    t.end()
  })

  test(`at ${perSecond} a second of which 20 % fail, the circuit stays closed for 60 s`, t => {
    const { circuit, clock, changes } = arrange()
    const random = seeded(perSecond)
    // Below its minimum the share of a few attempts says little.
    for (; clock.now < 1000; clock.now += 1000 / perSecond) circuit.onSuccess()
    for (; clock.now < 61_000; clock.now += 1000 / perSecond) {
      if (random() < 0.2) circuit.onFailure()
      else circuit.onSuccess()
    }
    t.same(changes, [])
    t.end()
  })
}

test('failures in a row count within the window only, and a success ends the row', t => {
  const { circuit, clock, fail } = arrange({ minimumCalls: 1000, consecutiveFailures: 5 })
  fail(4)
  clock.now = 10_001
  fail(4)
  t.equal(circuit.state, 'closed', 'the first four are too old')
  circuit.onSuccess()
  fail(4)
  t.equal(circuit.state, 'closed', 'a success came between')
  fail(1)
  t.equal(circuit.state, 'open')
  t.end()
})

test('an ignored outcome does not end a series of failures', t => {
  const { circuit, fail } = arrange({ minimumCalls: 1000, consecutiveFailures: 2 })
  fail(1)
  circuit.onIgnored()
  fail(1)
  t.equal(circuit.state, 'open')
  t.end()
})

test('by default a row is not shorter than the minimum', t => {
  const { circuit, fail } = arrange({ minimumCalls: 50 })
  for (let time = 0; time < 1000; time++) circuit.onSuccess()
  fail(49)
  t.equal(circuit.state, 'closed')
  fail(1)
  t.equal(circuit.state, 'open')
  t.end()
})

test('the time it stays open doubles up to its limit while the upstream fails again', t => {
  const { circuit, clock, fail, changes } = arrange({ maxOpenDuration: 30_000 })
  fail(20)
  for (const openMs of [5000, 10_000, 20_000, 30_000, 30_000]) {
    t.equal(circuit.retryAfterMs, openMs)
    clock.now += openMs - 1
    t.notOk(circuit.tryAcquire({}), 'still open')
    clock.now += 1
    t.ok(circuit.tryAcquire({}), `tries after ${openMs} ms`)
    circuit.onFailure()
  }
  t.same(changes.slice(0, 3), ['closed > open', 'open > half-open', 'half-open > open'])
  t.end()
})

/** Has a half-open circuit recover: runs come one after the other and all succeed. */
function recover({ circuit, clock }: Pick<ReturnType<typeof arrange>, 'circuit' | 'clock'>): void {
  for (let tries = 0; circuit.state !== 'closed' && tries < 20; tries++) {
    circuit.tryAcquire({})
    circuit.onSuccess()
    clock.now += 500
  }
}

test('the open time grows on when the upstream fails soon after it has recovered, and begins again after a healthy window', t => {
  const { circuit, clock, fail, open } = arrange()
  open()
  recover({ circuit, clock })
  t.equal(circuit.state, 'closed')
  fail(20)
  t.equal(circuit.retryAfterMs, 10_000, 'twice as long')
  clock.now += 10_000
  recover({ circuit, clock })
  clock.now += 10_000
  fail(20)
  t.equal(circuit.retryAfterMs, 5000, 'it was healthy for a window')
  t.end()
})

test('up to a fifth of the open time is random', t => {
  for (const [random, openMs] of [
    [0, 5000],
    [0.5, 4500],
    [0.999, 4001],
  ] as const) {
    const { circuit, fail } = arrange({ random: () => random })
    fail(20)
    t.equal(Math.round(circuit.retryAfterMs), openMs)
  }
  t.end()
})

test('half-open, one run is admitted until it succeeds, then one of 16, 8, 4 and 2, a tenth of the open time each', t => {
  const { circuit, clock, open, changes } = arrange()
  open()
  const first = {}
  t.ok(circuit.tryAcquire(first))
  t.ok(circuit.tryAcquire(first), 'all calls of that run')
  t.notOk(circuit.tryAcquire({}), 'and no other run')
  circuit.onSuccess()
  const shares: number[] = []
  // One attempt of the first run stays under way, so that the share alone decides.
  for (let stage = 0; stage < 4; stage++) {
    const began = clock.now
    const admitted = Array.from({ length: 320 }, () => circuit.tryAcquire({})).filter(Boolean).length
    shares.push(admitted / 320)
    for (let time = 0; time < admitted - 1; time++) circuit.onSuccess()
    t.equal(circuit.state, 'half-open', 'successes before the stage is over do not shorten it')
    clock.now = began + 500
    circuit.onSuccess()
  }
  t.same(shares, [1 / 16, 1 / 8, 1 / 4, 1 / 2])
  t.equal(circuit.state, 'closed')
  t.same(changes, ['closed > open', 'open > half-open', 'half-open > closed'])
  t.end()
})

test('half-open, a stage that sees no success does not end', t => {
  const { circuit, clock, open } = arrange()
  open()
  circuit.tryAcquire({})
  circuit.onSuccess()
  clock.now += 60_000
  circuit.tryAcquire({})
  circuit.onIgnored()
  t.equal(circuit.state, 'half-open')
  t.ok(circuit.tryAcquire({}), 'nothing is under way, so one more is admitted')
  t.end()
})

test('half-open, one failure among successes does not open it again, and half of five does', t => {
  const { circuit, open } = arrange()
  open()
  const run = {}
  for (let time = 0; time < 5; time++) circuit.tryAcquire(run)
  circuit.onSuccess()
  circuit.onFailure()
  t.equal(circuit.state, 'half-open', 'one of two')
  circuit.onSuccess()
  circuit.onFailure()
  t.equal(circuit.state, 'half-open', 'two of four')
  circuit.onFailure()
  t.equal(circuit.state, 'open', 'three of five')
  t.end()
})

test('a row of failures opens a half-open circuit again after any number of successes', t => {
  const { circuit, open, fail } = arrange()
  open()
  const run = {}
  for (let time = 0; time < 200; time++) {
    circuit.tryAcquire(run)
    circuit.onSuccess()
  }
  t.equal(circuit.state, 'half-open')
  for (let time = 0; time < 20; time++) circuit.tryAcquire(run)
  fail(20)
  t.equal(circuit.state, 'open')
  t.end()
})

test('whatever happens: only transitions of the table, no admission while open, and one run at a time until one succeeds', t => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('fail' as const, 'succeed' as const, 'end' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ kind: fc.constant('ask' as const), run: fc.integer({ min: 0, max: 3 }) }),
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.99, noNaN: true })),
      (steps, randoms) => {
        const clock = { now: 0 }
        const faults: string[] = []
        let state: BreakerState = 'closed'
        let openedAt = 0
        let hasSucceeded = false
        /** The runs that the present half-open state has admitted. */
        const admitted = new Set<object>()
        const circuit = new Circuit({
          failureRatio: 0.5,
          minimumCalls: 3,
          consecutiveFailures: 4,
          window: 1000,
          openDuration: 500,
          maxOpenDuration: 2000,
          now: () => clock.now,
          random: () => randoms.next().value as number,
          onStateChange(from, to) {
            if (from !== state || !transitions[from].includes(to)) faults.push(`${from} > ${to}`)
            if (to === 'half-open' && clock.now - openedAt < 400) faults.push('it tried too early')
            state = to
            hasSucceeded = false
            admitted.clear()
            if (to === 'open') openedAt = clock.now
          },
        })
        const runs = [{}, {}, {}, {}]
        /** What is under way, by the generation it began in. */
        let underWay: { readonly run: object; readonly generation: number }[] = []
        for (const each of steps) {
          if (each.kind === 'wait') {
            clock.now += each.ms
          } else if (each.kind === 'ask') {
            const run = runs[each.run] as object
            const wasClosed = state === 'closed'
            if (!wasClosed && !circuit.tryAcquire(run)) continue
            if (circuit.state === 'open') faults.push('it admitted while open')
            const isTrying = circuit.state === 'half-open' && !hasSucceeded
            if (isTrying && !admitted.has(run) && underWay.some(({ generation }) => generation === circuit.generation))
              faults.push('two runs tried at once')
            admitted.add(run)
            underWay.push({ run, generation: circuit.generation })
          } else {
            const [ended] = underWay
            if (ended === undefined) continue
            underWay = underWay.slice(1)
            if (ended.generation !== circuit.generation) continue
            if (each.kind === 'fail') circuit.onFailure()
            else if (each.kind === 'succeed') {
              hasSucceeded = true
              circuit.onSuccess()
            } else circuit.onIgnored()
          }
        }
        return faults.length === 0 && circuit.state === state
      },
    ),
    { numRuns: 500 },
  )
  t.pass('held for 500 histories')
  t.end()
})
