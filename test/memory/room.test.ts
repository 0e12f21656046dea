import { test } from 'tap'
import { z } from 'zod'
import { guardRoom, hasMemoryFor, hasRoomFor } from '../../src/memory/room.ts'
import { operation } from '../../src/upstream/declare.ts'
import { failure } from '../helpers/failure.ts'
import { written } from '../helpers/raw-upstream.ts'
import { wire } from '../helpers/wire.ts'

const answer = written(200, { 'content-type': 'application/json' }, '{"word":"miau"}')

/** Answers in three parts, each of which is read by itself. */
const inParts = written(
  200,
  { 'content-type': 'application/json', 'transfer-encoding': 'chunked', 'content-length': undefined },
  '1\r\n[\r\nd\r\n"miau","miau"\r\n1\r\n]\r\n0\r\n\r\n',
)

test('the first meter that is there decides, and without one every body is read', async t => {
  t.ok(hasRoomFor(1e9) && hasMemoryFor(1e9))
  const first = guardRoom({ claim: bytes => bytes < 10, hold: bytes => bytes < 5 })
  const second = guardRoom({ claim: bytes => bytes < 20, hold: bytes => bytes < 15 })
  t.same([hasRoomFor(9), hasRoomFor(15), hasMemoryFor(4), hasMemoryFor(9)], [true, false, true, false])
  first()
  first()
  t.same([hasRoomFor(15), hasRoomFor(25), hasMemoryFor(9), hasMemoryFor(25)], [true, false, true, false])
  second()
  t.ok(hasRoomFor(1e9) && hasMemoryFor(1e9))
})

test('an answer for which the heap has no room is dropped, and the call is not repeated', async t => {
  const { send } = await wire(t, answer, operation({ path: '/', output: z.unknown() }))
  t.teardown(guardRoom({ claim: bytes => bytes < 15, hold: () => true }))
  t.match(await failure(send()), {
    code: 'SHED',
    statusCode: 503,
    upstreamStatus: 200,
    verdict: 'ignored',
    retryable: false,
    message: /the heap has no room for its response of 15 bytes/,
  })
})

test('a large answer, which is read in slices, is left out as a small one is', async t => {
  const text = JSON.stringify({ words: Array.from({ length: 40_000 }, () => 'miau') })
  for (const [hasRoom, method, outcome] of [
    [false, 'GET', 'SHED'],
    [true, 'GET', 40_000],
    [false, 'POST', 40_000],
  ] as const) {
    const { send } = await wire(
      t,
      written(200, { 'content-type': 'application/json' }, text),
      operation({ path: '/', method, output: z.object({ words: z.array(z.string()) }) }),
    )
    const end = guardRoom({ claim: () => hasRoom, hold: () => true })
    t.equal(
      await send().then(
        ({ value }) => value.words.length,
        ({ code }: { readonly code: string }) => code,
      ),
      outcome,
      `${method}, ${hasRoom ? 'room' : 'no room'}`,
    )
    end()
  }
})

test('the answer of an unsafe call is read in any case, since the call has taken effect', async t => {
  const { send } = await wire(t, answer, operation({ path: '/', method: 'POST', output: z.unknown() }))
  t.teardown(guardRoom({ claim: () => false, hold: () => false }))
  t.same((await send()).value, { word: 'miau' })
})

test('an answer of several parts for which the process has no memory is cut', async t => {
  let left = 10
  const { send } = await wire(t, inParts, operation({ path: '/', output: z.unknown() }))
  t.teardown(guardRoom({ claim: () => true, hold: bytes => (left -= bytes) >= 0 }))
  t.match(await failure(send()), {
    code: 'SHED',
    upstreamStatus: 200,
    message: /the process does not have enough memory for its response/,
  })
})

test('an answer of several parts to an unsafe call is taken whole', async t => {
  const { send } = await wire(t, inParts, operation({ path: '/', method: 'POST', output: z.unknown() }))
  t.teardown(guardRoom({ claim: () => false, hold: () => false }))
  t.same((await send()).value, ['miau', 'miau'])
})
