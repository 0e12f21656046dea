import { availableParallelism } from 'node:os'
import { once, EventEmitter } from 'node:events'
import { test, type Test } from 'tap'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { createThreads, type ThreadsOptions } from '../../src/threads/threads.ts'
import { misbehaving } from '../embedding/functions/ways.ts'
import { failure } from '../helpers/failure.ts'
import { makeGate } from '../helpers/gate.ts'
import type * as functions from '../helpers/offloaded.ts'
import { turn } from '../helpers/turn.ts'

const href = new URL('../helpers/offloaded.ts', import.meta.url).href
const why = new Error('the test stops it')

function threadsOf(t: Test, options: ThreadsOptions = {}) {
  const threads = createThreads({ count: 1, ...options })
  t.teardown(() => threads.close())
  const start = (name: keyof typeof functions | 'nobody', ...given: unknown[]) =>
    threads.run({ href, name, loader: undefined, given, owner: "aggregate 'a', merge" })
  return { threads, start, run: (...of: Parameters<typeof start>) => start(...of).value }
}

test('a function is called in a thread, and gives what it returns', async t => {
  const { run } = threadsOf(t)
  t.equal(await run('add', 1, 2), 3)
  t.equal(await run('add', 1), 2)
  t.equal(await run('later', 'on'), 'on')
})

test('plain data arrives in the thread unchanged, frozen or not', async t => {
  const { run } = threadsOf(t)
  const given = {
    date: new Date(0),
    map: new Map([['a', { b: 1 }]]),
    set: new Set([1]),
    bytes: Buffer.from('abc'),
    none: null,
    missing: undefined,
    list: [1, 2n],
    error: new TypeError('odd'),
  }
  const back = (await run('same', Object.freeze(given))) as typeof given
  t.same(back, { ...given, bytes: new Uint8Array(given.bytes), error: back.error })
  t.type(back.error, TypeError)
  const circle: { self?: unknown } = {}
  circle.self = circle
  t.equal(((await run('same', circle)) as typeof circle).self !== undefined, true)
})

test('one task per thread runs, as many as the queue holds wait in order, and one more is refused', async t => {
  const { start, run } = threadsOf(t, { queue: 2 })
  const gate = makeGate()
  const done: string[] = []
  const held = start('hold', gate.cells)
  await gate.came(1)
  const waiting = ['one', 'two'].map(name => run('later', name).then(value => done.push(value as string)))
  const refused = await failure(run('later', 'three'))
  t.match(refused, { code: 'THREADS_FULL', statusCode: 503, source: "aggregate 'a', merge" })
  gate.open()
  t.equal(await held.value, 'held')
  await Promise.all(waiting)
  t.same(done, ['one', 'two'])
  t.equal(await run('later', 'three'), 'three', 'and then there is room')
})

test('no queue is a queue', async t => {
  const { run } = threadsOf(t, { queue: 0 })
  const gate = makeGate()
  const held = run('hold', gate.cells)
  t.match(await failure(run('add', 1)), { code: 'THREADS_FULL' })
  gate.open()
  await held
})

test('threads work side by side', async t => {
  const { run } = threadsOf(t, { count: 2 })
  const gate = makeGate()
  const held = [run('hold', gate.cells), run('hold', gate.cells)]
  await gate.came(2)
  gate.open()
  t.same(await Promise.all(held), ['held', 'held'])
})

test('a task that waits is taken out when it is stopped, and the next one takes its turn', async t => {
  const { start, run } = threadsOf(t, { queue: 2 })
  const gate = makeGate()
  const held = run('hold', gate.cells)
  await gate.came(1)
  const stopped = start('add', 1)
  const next = run('later', 'next')
  stopped.stop(why)
  t.equal(await failure(stopped.value), why)
  const another = run('later', 'another')
  gate.open()
  t.same(await Promise.all([held, next, another]), ['held', 'next', 'another'])
})

test('a task that runs ends with its thread when it is stopped, even in a loop, and those behind it go on', async t => {
  const { start, run } = threadsOf(t)
  const gate = makeGate()
  const burning = start('burn', gate.cells)
  await gate.came(1)
  const next = run('later', 'next')
  burning.stop(why)
  t.equal(await failure(burning.value), why)
  t.equal(await next, 'next')
})

test('a task that is stopped before it has begun is not begun', async t => {
  const { start, run } = threadsOf(t)
  const gate = makeGate()
  const early = start('hold', gate.cells)
  early.stop(why)
  t.equal(await failure(early.value), why)
  const held = run('hold', gate.cells)
  await gate.came(1)
  const waiting = start('hold', gate.cells)
  gate.open()
  waiting.stop(why)
  t.equal(await failure(waiting.value), why)
  await held
  t.equal(gate.cells[1], 1)
})

test("an author's answer and an upstream's failure stay what they are", async t => {
  const { run } = threadsOf(t)
  const refused = await failure(run('refusing'))
  t.type(refused, Problem)
  t.match(refused, {
    code: 'REFUSED',
    statusCode: 404,
    detail: 'Not here.',
    retryAfterSeconds: 7,
    faults: [{ pointer: '/query', reason: 'is odd' }],
  })
  const whole = (await failure(run('refusingWholly'))) as Problem
  t.same(JSON.parse(JSON.stringify(whole)), {
    type: 'https://shop.example/problems/closed',
    title: 'Closed',
    status: 503,
    detail: 'The till is closed.',
    code: 'SHOP_CLOSED',
    errors: [{ pointer: '/body/at', reason: 'is at night' }],
  })
  t.same(
    [whole.code, whole.headers, whole.retryAfterSeconds],
    ['REFUSED', { 'x-opens': '8', link: ['<a>', '<b>'] }, 30],
  )
  t.match(await failure(run('plainlyRefusing')), {
    code: 'REFUSED',
    statusCode: 400,
    detail: 'No.',
    faults: undefined,
    retryAfterSeconds: undefined,
  })
  const failed = await failure(run('failing', 'as it said'))
  t.type(failed, UpstreamError)
  t.match(failed, {
    code: 'UPSTREAM_STATUS',
    source: 'cats',
    upstreamStatus: 503,
    retryAfterMs: 1500,
    retryable: true,
    message: 'cats answered with an unexpected status: as it said',
  })
  t.equal(((await failure(run('unreachable'))) as Error).message, 'cats could not be reached')
})

test('an error keeps its name, its words and where it was thrown', async t => {
  const { run } = threadsOf(t)
  const error = (await failure(run('throwing', 'error'))) as Error
  t.match(error, { name: 'RangeError', message: 'too far' })
  t.match(error.stack, /RangeError: too far[^]*offloaded\.ts/)
  t.match(await failure(run('throwing', 'text')), { name: 'Error', message: 'threw a text' })
})

test('a thrown value whose texts cannot be read is an error all the same, and a message that a function posts is ignored', async t => {
  const { run } = threadsOf(t)
  for (const what of ['bare', 'getter'] as const)
    t.match(await failure(run('throwingOddly', what)), {
      name: 'Error',
      message: 'threw a value that cannot be converted to a string',
    })
  t.match(await failure(run('throwingOddly', 'fields')), { name: '1', message: 'odd' })
  t.equal(await run('posting'), 'posted')
  t.equal(await run('add', 1, 2), 3)
})

test('a value that cannot be cloned is refused with its place and the fix', async t => {
  const { run } = threadsOf(t)
  const refused: readonly (readonly [readonly unknown[], string])[] = [
    [[{ context: { tell: () => 1 } }], 'context.tell is a function: pass plain data only'],
    [
      [{ list: [1, new URL('http://cats.test')] }],
      'list[1] is an object of the class URL, of which the thread would receive only the fields: pass plain data only',
    ],
    [[new Proxy({}, {})], 'argument 1 is a proxy: pass plain data only'],
    [[1, Symbol('a')], 'argument 2 is a symbol: pass plain data only'],
    [
      [[new Map([[new URL('http://cats.test'), 1]])]],
      'the keys of argument 1[0][0] is an object of the class URL, of which the thread would ' +
        'receive only the fields: pass plain data only',
    ],
    [[new Map([['a', () => 1]])], 'argument 1[a] is a function: pass plain data only'],
    [[new Set([() => 1])], 'argument 1[0] is a function: pass plain data only'],
    [
      [Object.create(Object.create(null) as object)],
      'argument 1 is an object of the class (unknown), of which the thread would receive only the fields: pass plain data only',
    ],
  ]
  for (const [given, words] of refused) {
    t.match(await failure(run('same', ...given)), {
      name: 'TypeError',
      message: `aggregate 'a', merge: 'same' runs in a thread, and ${words}`,
    })
  }
  t.match(await failure(run('giving', 'function')), {
    name: 'TypeError',
    message: "aggregate 'a', merge: 'giving' runs in a thread, and its result.call is a function: return plain data",
  })
  t.match(await failure(run('giving', 'proxy')), { message: /its result is a proxy: return plain data$/ })
  t.match(await failure(run('giving', 'class')), { message: /its result\.at\[0\] is an object of the class URL/ })
})

test('a value that only the platform refuses has the message of the platform', async t => {
  const { run } = threadsOf(t)
  const gone = new ArrayBuffer(8)
  structuredClone(gone, { transfer: [gone] })
  t.match(await failure(run('same', gone)), {
    name: 'TypeError',
    message: /^aggregate 'a', merge: 'same' runs in a thread, and a value cannot be cloned: /,
  })
  t.equal(await run('add', 1), 2)
})

test('a function that is not there is named', async t => {
  const { run } = threadsOf(t)
  t.match(await failure(run('nobody')), {
    name: 'TypeError',
    message: /^aggregate 'a', merge: .*offloaded\.ts exports no function 'nobody'$/,
  })
})

test('a thread that ends by itself fails its own task and no other', async t => {
  const { run } = threadsOf(t, { count: 2, heapBytes: 128 * 2 ** 20 })
  const gate = makeGate()
  const held = run('hold', gate.cells)
  await gate.came(1)
  t.match(await failure(run('exiting')), {
    message:
      "aggregate 'a', merge: the thread of 'exiting' ended before the function returned: worker exited with code: 3",
  })
  t.match(await failure(run('failingLater')), {
    message: /'failingLater' ended before the function returned: thrown on the side$/,
  })
  t.match(await failure(run('hoarding')), { message: /'hoarding' ended before the function returned: .*memory/ })
  t.equal(await run('add', 1), 2)
  gate.open()
  t.equal(await held, 'held')
})

test('an error thrown in an idle thread goes to onError, and the threads go on', async t => {
  const errors = new EventEmitter()
  const { run } = threadsOf(t, {
    onError: error => {
      errors.emit('told', error)
    },
  })
  const gate = makeGate()
  t.equal(await run('failingAfterwards', gate.cells), 'done')
  // A thread that has nothing to do does not keep the process.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const told = once(errors, 'told')
  gate.open()
  t.match(await told, [{ message: 'thrown afterwards' }])
  t.equal(await run('add', 1), 2)
})

test('an onError that throws or rejects changes nothing for the tasks of the threads', async t => {
  for (const fail of [misbehaving('throws an error'), misbehaving('rejects')]) {
    const errors = new EventEmitter()
    const { run } = threadsOf(t, {
      onError: () => {
        errors.emit('told')
        return fail()
      },
    })
    const gate = makeGate()
    t.equal(await run('failingAfterwards', gate.cells), 'done')
    const alive = setInterval(() => {}, 1000)
    t.teardown(() => clearInterval(alive))
    const told = once(errors, 'told')
    gate.open()
    await told
    t.equal(await run('add', 1), 2)
  }
})

test('closing ends what runs and what waits, and refuses what comes later', async t => {
  const { threads, run } = threadsOf(t)
  const gate = makeGate()
  const ends = [failure(run('burn', gate.cells)), failure(run('add', 1))]
  await gate.came(1)
  await threads.close()
  for (const end of [...(await Promise.all(ends)), await failure(run('add', 1))])
    t.match(end, { code: 'RUNTIME_CLOSED', source: "aggregate 'a', merge" })
  await threads.close()
})

test('closing threads of which none was started resolves within the same turn of the loop', async t => {
  let isClosed = false
  void createThreads()
    .close()
    .then(() => {
      isClosed = true
    })
  await turn()
  t.ok(isClosed)
})

test('without a count there is one fewer than there are cores', async t => {
  const { start } = threadsOf(t, { count: undefined as never, queue: 0 })
  const gate = makeGate()
  const count = Math.max(1, availableParallelism() - 1)
  const held = Array.from({ length: count }, () => start('hold', gate.cells).value)
  t.match(await failure(start('add', 1).value), { code: 'THREADS_FULL' })
  gate.open()
  t.same(
    await Promise.all(held),
    held.map(() => 'held'),
  )
})
