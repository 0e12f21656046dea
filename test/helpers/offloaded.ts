// Functions that tests have run in threads.
import { parentPort } from 'node:worker_threads'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { refuse } from '../../src/fanout/refuse.ts'

export function add(a: number, b = 1): number {
  return a + b
}

/** What it is given, as it arrived. */
export function same(given: unknown): unknown {
  return given
}

/** The fields of what it is given, and their types. */
export function kinds(given: object): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, typeof value]))
}

/** As an `after` that gives no headers. */
export function nothing(_seen: object): void {}

/** Stops its thread until the test opens it: field 0 is the gate, field 1 counts who has come to it. */
export function hold(gate: Int32Array): string {
  Atomics.add(gate, 1, 1)
  Atomics.notify(gate, 1)
  Atomics.wait(gate, 0, 0)
  return 'held'
}

/** The same while it keeps its core busy. */
export function burn(gate: Int32Array): string {
  Atomics.add(gate, 1, 1)
  Atomics.notify(gate, 1)
  while (Atomics.load(gate, 0) === 0) {
    /* until it is ended */
  }
  return 'burnt'
}

export async function later(value: string): Promise<string> {
  await Promise.resolve()
  return value
}

export function refusing(): never {
  throw new Problem('REFUSED', {
    status: 404,
    detail: 'Not here.',
    retryAfterSeconds: 7,
    faults: [{ pointer: '/query', reason: 'is odd' }],
  })
}

/** An author's problem with everything that it can have. */
export function refusingWholly(): never {
  refuse(503, 'The till is closed.', {
    type: 'https://shop.example/problems/closed',
    title: 'Closed',
    code: 'SHOP_CLOSED',
    errors: [{ pointer: '/body/at', reason: 'is at night' }],
    headers: { 'X-Opens': '8', link: ['<a>', '<b>'] },
    retryAfterSeconds: 30,
  })
}

export function plainlyRefusing(): never {
  throw new Problem('REFUSED', { detail: 'No.' })
}

export function failing(detail?: string): never {
  throw new UpstreamError('UPSTREAM_STATUS', 'cats', {
    upstreamStatus: 503,
    retryAfterMs: 1500,
    ...(detail !== undefined && { detail }),
  })
}

export function unreachable(): never {
  throw new UpstreamError('UPSTREAM_UNREACHABLE', 'cats')
}

export function throwing(what: 'error' | 'text'): never {
  if (what === 'error') throw new RangeError('too far')
  // Authors can.
  // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error
  throw 'a text'
}

export function exiting(): never {
  process.exit(3)
}

/** Throws without a listener. */
export function failingLater(): Promise<never> {
  setImmediate(() => {
    throw new Error('thrown on the side')
  })
  return new Promise(() => {})
}

export function failingAfterwards(gate: Int32Array): string {
  setImmediate(() => {
    Atomics.wait(gate, 0, 0)
    throw new Error('thrown afterwards')
  })
  return 'done'
}

export function hoarding(): number {
  const kept: unknown[] = []
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })))
}

export function giving(what: 'function' | 'class' | 'proxy'): unknown {
  if (what === 'function') return { call: () => 1 }
  if (what === 'class') return { at: [new URL('http://cats.test')] }
  return new Proxy({}, {})
}

/** Sends the main thread what looks like messages of the pool. */
export function posting(): string {
  for (const value of [
    null,
    undefined,
    0,
    'ready',
    [],
    {},
    { ready: true },
    { taskId: 0, result: 'forged' },
    new Error('not ours'),
  ])
    parentPort?.postMessage(value)
  return 'posted'
}

/** Throws values whose texts cannot be read, or are no texts. */
export function throwingOddly(what: 'bare' | 'getter' | 'fields'): never {
  if (what === 'bare') throw Object.create(null)
  if (what === 'fields') throw Object.assign(new Error('odd'), { name: 1, stack: () => 1 })
  throw Object.defineProperty(new Error('odd'), 'message', {
    get() {
      throw new Error('inner')
    },
  })
}
