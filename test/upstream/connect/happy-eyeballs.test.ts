import fc from 'fast-check'
import { test } from 'tap'
import { interleave, raceConnections } from '../../../src/upstream/connect/happy-eyeballs.ts'

/** What an address does `after` ms from the start of its attempt; one that hangs does nothing. */
interface Behaviour {
  readonly does: 'connects' | 'refuses' | 'hangs'
  readonly after: number
}

/** Time that passes when the test says so. */
function virtualTime() {
  const due = new Map<number, { readonly at: number; readonly ring: () => void }>()
  let now = 0
  let made = 0
  return {
    get now() {
      return now
    },
    get waiting() {
      return due.size
    },
    set(ring: () => void, ms: number): number {
      due.set(++made, { at: now + ms, ring })
      return made
    },
    clear(timer: number | undefined): void {
      due.delete(timer as number)
    },
    /** Rings timers in order until none is left, or until a moment. */
    pass(until = Infinity): void {
      for (;;) {
        const [first] = Array.from(due).sort(([a, x], [b, y]) => x.at - y.at || a - b)
        if (first === undefined || first[1].at > until) break
        due.delete(first[0])
        now = first[1].at
        first[1].ring()
      }
    },
  }
}

/** Races addresses that behave by a script, in virtual time. */
function play(candidates: readonly Behaviour[], delay: number) {
  const time = virtualTime()
  const starts: number[] = []
  const destroyed: number[] = []
  const dones: { readonly at: number; readonly winner: number | undefined; readonly errors: readonly string[] }[] = []
  const stop = raceConnections<Behaviour & { readonly index: number }, number, number>({
    candidates: candidates.map((behaviour, index) => ({ ...behaviour, index })),
    delay,
    timers: time,
    attempt({ does, after, index }, ended) {
      starts.push(time.now)
      const timer =
        does === 'hangs'
          ? undefined
          : time.set(() => (does === 'connects' ? ended(null, index) : ended(new Error(String(index)))), after)
      return () => {
        destroyed.push(index)
        time.clear(timer)
      }
    },
    done: (winner, errors) => dones.push({ at: time.now, winner, errors: errors.map(({ message }) => message) }),
  })
  return { time, starts, destroyed, dones, stop }
}

const connects = (after: number): Behaviour => ({ does: 'connects', after })
const refuses = (after: number): Behaviour => ({ does: 'refuses', after })
const hangs: Behaviour = { does: 'hangs', after: 0 }

test('a slow address wins over a dead one that was tried after it', async t => {
  const { time, starts, dones } = play([connects(900), refuses(1)], 250)
  time.pass()
  t.same(starts, [0, 250])
  t.match(dones, [{ at: 900, winner: 0, errors: ['1'] }])
  t.equal(dones.length, 1)
})

test('the next address is tried after the delay, or at once when the latest attempt has failed', async t => {
  const { time, starts, destroyed, dones } = play([hangs, refuses(10), refuses(400), connects(5)], 250)
  time.pass()
  t.same(starts, [0, 250, 260, 510])
  t.match(dones, [{ at: 515, winner: 3, errors: ['1'] }])
  t.same(destroyed, [0, 2], 'the attempts that lost are destroyed')
})

test('the failure of an earlier attempt does not hurry the next one', async t => {
  const { time, starts } = play([refuses(300), hangs, connects(1)], 250)
  time.pass()
  t.same(starts, [0, 250, 500])
})

test('the race fails when every address has failed, with the errors of all', async t => {
  const { time, dones, destroyed } = play([refuses(700), refuses(1), refuses(20)], 250)
  time.pass()
  t.same(dones, [{ at: 700, winner: undefined, errors: ['1', '2', '0'] }])
  t.same(destroyed, [])
})

test('a stopped race starts no further attempt and leaves no timer', async t => {
  const { time, starts, destroyed, dones, stop } = play([hangs, hangs, connects(1)], 250)
  time.pass(300)
  stop()
  t.equal(time.waiting, 0)
  t.same([starts, destroyed, dones], [[0, 250], [0, 1], []])
})

test('an attempt that ends after it was destroyed changes nothing', async t => {
  const ended: ((error: Error | null, connection?: number) => void)[] = []
  const dones: unknown[] = []
  raceConnections({
    candidates: [0, 1, 2],
    delay: 250,
    timers: { set: () => 0, clear: () => {} },
    attempt(_candidate, end) {
      ended.push(end)
      return () => {}
    },
    done: (...result) => dones.push(result),
  })
  ended[0]?.(new Error('refused'))
  ended[1]?.(null, 1)
  ended[1]?.(new Error('late'))
  t.equal(ended.length, 2, 'nothing more is tried')
  t.match(dones, [[1, [{ message: 'refused' }]]])
  t.equal(dones.length, 1)
})

const behaviour = fc.record({
  does: fc.constantFrom('connects', 'refuses', 'hangs'),
  after: fc.nat(1000),
}) as fc.Arbitrary<Behaviour>

/** When each attempt would start if none won, and who wins when: the definition, without state. */
function expected(candidates: readonly Behaviour[], delay: number) {
  const starts: number[] = []
  for (const [index] of candidates.entries()) {
    const before = candidates[index - 1]
    starts.push(
      before === undefined
        ? 0
        : (starts[index - 1] as number) + (before.does === 'refuses' ? Math.min(delay, before.after) : delay),
    )
  }
  const ends = candidates.map(({ does, after }, index) =>
    does === 'hangs' ? Infinity : (starts[index] as number) + after,
  )
  const wins = ends.filter((_, index) => candidates[index]?.does === 'connects')
  return { starts, won: Math.min(...wins, Infinity), lost: Math.max(...ends) }
}

test('whatever the addresses do, the earliest connection wins and nothing is left', async t => {
  fc.assert(
    fc.property(
      fc.array(behaviour, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 10, max: 500 }),
      (candidates, delay) => {
        const { time, starts, dones, destroyed, stop } = play(candidates, delay)
        const { starts: right, won, lost } = expected(candidates, delay)
        time.pass()
        const end = Math.min(won, lost)
        if (end === Infinity) {
          if (dones.length !== 0) throw new Error('done while an attempt hangs')
          stop()
        } else if (dones.length !== 1 || dones[0]?.at !== end || (dones[0].winner === undefined) !== (won === Infinity))
          throw new Error(`done ${JSON.stringify(dones)}, not at ${end}`)
        // An attempt that is due at the very moment of the first connection may start before it or not at all.
        const sure = right.filter(at => at < end)
        if (starts.length < sure.length || starts.some((at, index) => at !== right[index] || at > end))
          throw new Error(`started at ${starts.join()}, not ${right.join()}`)
        if (time.waiting !== 0) throw new Error('a timer is left')
        const failed = dones[0]?.errors.length ?? candidates.filter(({ does }) => does === 'refuses').length
        const ended = failed + (dones[0]?.winner === undefined ? 0 : 1)
        if (destroyed.length + ended !== starts.length)
          throw new Error(`${starts.length} attempts: ${ended} ended and ${destroyed.length} were destroyed`)
      },
    ),
    { numRuns: 2000 },
  )
  t.pass('held for 2000 scripts')
})

test('the address families take turns, the order within each is kept', async t => {
  const of = (...names: string[]) => names.map(name => ({ name, family: name.startsWith('six') ? 6 : 4 }))
  const order = (...names: string[]) => interleave(of(...names)).map(({ name }) => name)
  t.same(order('six-a', 'six-b', 'six-c', 'four-a'), ['six-a', 'four-a', 'six-b', 'six-c'])
  t.same(order('four-a', 'four-b', 'six-a', 'six-b'), ['four-a', 'six-a', 'four-b', 'six-b'])
  t.same(order('six-a', 'four-a', 'four-b', 'four-c'), ['six-a', 'four-a', 'four-b', 'four-c'])
  t.same(order('four-a'), ['four-a'])
  t.same(order(), [])
})
