// `npm run bench:steps`: compares the cost of single mechanisms with the equivalent mechanisms of Node.js.
import { z } from 'zod'
import { Abort, Abortable } from '../../src/core/abort.ts'
import { parseExact } from '../../src/core/json/parse.ts'
import { wireSchema } from '../../src/core/json/wire-schema.ts'
import { compileParser, compileWireParser } from '../../src/core/schema/parser.ts'
import { createTimerQueue } from '../../src/core/timer-queue.ts'
import { createBalancer } from '../../src/upstream/origins/balancer.ts'
import { defaultBalance } from '../../src/upstream/spec/balance-spec.ts'

const rounds = 15
/** Number of concurrent runs, as in a busy service. */
const underWay = 512

/**
 * Returns the lowest cost of each step over many rounds, in ns per execution. The steps take turns, so that a busy
 * phase of the machine affects all of them.
 */
function prices(steps: readonly (() => void)[], times: number): number[] {
  const best = steps.map(() => Infinity)
  for (let round = 0; round < rounds; round++) {
    for (const [index, once] of steps.entries()) {
      const start = process.hrtime.bigint()
      for (let time = 0; time < times; time++) once()
      best[index] = Math.min(best[index] as number, Number(process.hrtime.bigint() - start) / times)
    }
  }
  return best
}

class Listener extends Abortable {
  onAbort() {}
}

function listening(): Record<string, () => void> {
  const abort = new Abort()
  const { signal } = new AbortController()
  const listener = new Listener()
  const onAbort = () => {}
  for (let other = 0; other < underWay; other++) abort.add(new Listener())
  return {
    'listen to an Abort and leave': () => {
      abort.add(listener)
      abort.delete(listener)
    },
    'listen to an AbortSignal and leave': () => {
      signal.addEventListener('abort', onAbort, { once: true })
      signal.removeEventListener('abort', onAbort)
    },
    'one Abort for one attempt': () => {
      const own = new Abort()
      own.add(listener)
      own.delete(listener)
    },
    'one AbortController for one attempt': () => {
      const own = new AbortController()
      own.signal.addEventListener('abort', onAbort, { once: true })
      own.signal.removeEventListener('abort', onAbort)
    },
  }
}

function timing(): Record<string, () => void> {
  const running = createTimerQueue(60_000, () => new Error('too slow'))
  const others = Array.from({ length: underWay }, () => running.start(new Abort()))
  const abort = new Abort()
  const result = {
    'start and stop a shared timeout': () => running.stop(running.start(abort)),
    'setTimeout and clearTimeout': () => clearTimeout(setTimeout(() => {}, 60_000)),
  }
  process.once('exit', () => {
    for (const other of others) running.stop(other)
  })
  return result
}

/** Steps that choose the origin of an attempt and record its end. */
function balancing(weights: string, weightOf: (index: number) => number): Record<string, () => void> {
  const balancer = createBalancer<object>({ balance: defaultBalance })
  balancer.set(
    Array.from({ length: 10 }, (_, index) => {
      const url = new URL(`http://origin-${index}`)
      return { key: url.host, url, target: undefined, weight: weightOf(index), label: url.host, isInitial: true }
    }),
    () => ({}),
  )
  return {
    [`choose one of ten origins of ${weights} weight, and record the attempt`]: () => {
      const member = balancer.pick(undefined)
      if (member === undefined) throw new Error('the balancer has no members')
      balancer.started(member)
      balancer.ended(member, 5, 'ok')
      balancer.released(member)
    },
  }
}

/** Steps that parse JSON with a schema: with and without the detection of integers that `JSON.parse` has rounded. */
function reading(size: string, schema: z.ZodType, withBigints: z.ZodType, value: unknown): Record<string, () => void> {
  const text = JSON.stringify(value)
  const long = text.replace('"id":1,', '"id":9007199254740993,')
  return {
    [`JSON.parse and schema, ${size}, integers as JSON.parse rounds them`]: () =>
      compileParser(schema)(JSON.parse(text)),
    [`JSON.parse and schema, ${size}, integers exact`]: () => compileWireParser(schema)(JSON.parse(text)),
    [`JSON.parse and schema, ${size}, one of them beyond 2^53, so that all is read twice`]: () => {
      compileWireParser(withBigints)(JSON.parse(long))
      wireSchema(withBigints).safeParse(parseExact(long))
    },
  }
}

const Item = z.object({
  id: z.number(),
  name: z.string(),
  score: z.number(),
  at: z.string(),
  tags: z.array(z.string()),
  isOpen: z.boolean(),
})
const BigItem = Item.extend({ id: z.bigint() })
const item = (id: number) => ({
  id,
  name: `the item ${id}`,
  score: id * 1.5,
  at: '2026-01-01T00:00:00Z',
  tags: ['a', 'b'],
  isOpen: true,
})

const small = {
  ...listening(),
  ...timing(),
  ...balancing('equal', () => 1),
  ...balancing('different', index => index + 1),
  ...reading('110 B', Item, BigItem, item(1)),
}
const large = reading(
  '10 KB',
  z.array(Item),
  z.array(BigItem),
  Array.from({ length: 95 }, (_, index) => item(index + 1)),
)
for (const [steps, times] of [
  [small, 100_000],
  [large, 1_000],
] as const) {
  const names = Object.keys(steps)
  for (const [index, price] of prices(Object.values(steps), times).entries())
    console.log(`${price.toFixed(0).padStart(6)} ns  ${names[index]}`)
}
process.exit()
