import { test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../src/core/abort.ts'
import { operation } from '../../src/upstream/declare.ts'
import { testRun } from '../helpers/call.ts'
import { holdTurn, loopTurns } from '../helpers/loop-turns.ts'
import { json } from '../helpers/raw-upstream.ts'
import { wire } from '../helpers/wire.ts'

const large = 'x'.repeat(200_000)

/** A schema that takes a slice of the turn, and records the turn of the loop in which it reads. */
function recordingTurns() {
  const turns = loopTurns()
  const at: number[] = []
  const output = z.string().transform(text => {
    holdTurn()
    at.push(turns.count)
    return text.length
  })
  return { turns, at, output }
}

test('large bodies that come together are read in turns of the loop', async t => {
  const { turns, at, output } = recordingTurns()
  const owed: (() => void)[] = []
  const { send, upstream } = await wire(
    t,
    socket => owed.push(() => socket.write(json(large))),
    operation({ path: '/', output }),
  )
  const asked = Array.from({ length: 4 }, () => send())
  await upstream.asked(4)
  for (const answer of owed) answer()
  t.match(
    await Promise.all(asked),
    asked.map(() => ({ value: 200_000 })),
  )
  turns.stop()
  t.equal(new Set(at).size, 4, `each in a turn of its own: ${at.join(', ')}`)
})

test('a call that is given up while its large body waits for its turn is not read', async t => {
  let reads = 0
  const aborts = [new Abort(), new Abort()]
  const output = z.string().transform(text => {
    reads++
    holdTurn()
    for (const abort of aborts) abort.abort('gone')
    return text.length
  })
  const owed: (() => void)[] = []
  const { send, upstream } = await wire(
    t,
    socket => owed.push(() => socket.write(json(large))),
    operation({ path: '/', output }),
  )
  const ended = aborts.map(abort =>
    send(Object.assign(testRun(), { abort })).then(
      ({ value }) => value,
      (reason: unknown) => reason,
    ),
  )
  await upstream.asked(2)
  for (const answer of owed) answer()
  t.same(await Promise.all(ended), ['gone', 'gone'])
  t.equal(reads, 1)
})

test('medium bodies that come together are read at once until they have taken a slice of the turn', async t => {
  const { turns, at, output } = recordingTurns()
  const owed: (() => void)[] = []
  const { send, upstream } = await wire(
    t,
    socket => owed.push(() => socket.write(json('x'.repeat(20_000)))),
    operation({ path: '/', output }),
  )
  const asked = Array.from({ length: 5 }, () => send())
  await upstream.asked(5)
  for (const answer of owed) answer()
  t.match(
    await Promise.all(asked),
    asked.map(() => ({ value: 20_000 })),
  )
  turns.stop()
  t.ok(new Set(at).size >= 4, `in turns: ${at.join(', ')}`)
})
