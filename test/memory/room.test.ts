import { test } from 'tap'
import { z } from 'zod'
import { guardRoom, hasRoomFor } from '../../src/memory/room.ts'
import { operation } from '../../src/upstream/declare.ts'
import { failure } from '../helpers/failure.ts'
import { written } from '../helpers/raw-upstream.ts'
import { wire } from '../helpers/wire.ts'

const answer = written(200, { 'content-type': 'application/json' }, '{"word":"miau"}')

test('the first meter that is there decides, and without one every body is read', async t => {
  t.ok(hasRoomFor(1e9))
  const first = guardRoom({ claim: bytes => bytes < 10 })
  const second = guardRoom({ claim: bytes => bytes < 20 })
  t.same([hasRoomFor(9), hasRoomFor(15)], [true, false])
  first()
  first()
  t.same([hasRoomFor(15), hasRoomFor(25)], [true, false])
  second()
  t.ok(hasRoomFor(1e9))
})

test('an answer for which the heap has no room is left out, and is no reason to ask again', async t => {
  const { send } = await wire(t, answer, operation({ path: '/', output: z.unknown() }))
  t.teardown(guardRoom({ claim: bytes => bytes < 15 }))
  t.match(await failure(send()), { code: 'SHED', statusCode: 503, upstreamStatus: 200, verdict: 'ignored', retryable: false, message: /the heap has no room for its answer of 15 bytes/ })
})

test('the answer of an unsafe call is read in any case, since the call has taken effect', async t => {
  const { send } = await wire(t, answer, operation({ path: '/', method: 'POST', output: z.unknown() }))
  t.teardown(guardRoom({ claim: () => false }))
  t.same((await send()).value, { word: 'miau' })
})
