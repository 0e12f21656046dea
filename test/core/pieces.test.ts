import { test } from 'tap'
import { runPieces } from '../../src/core/pieces.ts'
import { runSliced } from '../../src/core/sliced.ts'
import { loopTurns } from '../helpers/loop-turns.ts'

test('each piece has a turn of the event loop of its own', async t => {
  const turns = loopTurns()
  const seen: number[] = []
  const result = await runPieces(
    (function* () {
      for (let piece = 0; piece < 5; piece++) {
        seen.push(turns.count)
        yield
      }
      return 'done'
    })(),
  )
  turns.stop()
  t.equal(result, 'done')
  t.equal(new Set(seen).size, 5)
})

test('two works take turns, and other sliced work is done meanwhile', async t => {
  const order: string[] = []
  const pieces = (name: string) =>
    runPieces(
      (function* () {
        for (let piece = 0; piece < 3; piece++) {
          order.push(name)
          yield
        }
      })(),
    )
  const all = [pieces('a'), pieces('b')]
  runSliced(() => order.push('sliced'))
  await Promise.all(all)
  t.same(order, ['a', 'b', 'sliced', 'a', 'b', 'a', 'b'])
})

test('an error of a piece rejects, and later work runs', async t => {
  const fault = new Error('no')
  await t.rejects(
    runPieces(
      (function* () {
        yield
        throw fault
      })(),
    ),
    fault,
  )
  t.equal(
    await runPieces(
      (function* (): Generator<void, number, void> {
        yield
        return 1
      })(),
    ),
    1,
  )
})
