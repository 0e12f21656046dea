import { test, type Test } from 'tap'
import { heavyAnswers, maxBytes, ordinaryAnswer, type HeavyAnswer } from './helpers/heavy-answers.ts'
import { askFor, leastTurnMs, maxTurnMs } from './helpers/heavy-process.ts'

const calls = 6
/** An answer without a bound takes gigabytes. */
const times = 3
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

test('no answer of an upstream takes much more memory than an ordinary one of as many bytes, and none holds the loop', async t => {
  const ordinary = ordinaryAnswer()
  const isOrdinary: HeavyAnswer = {
    write: socket => {
      socket.write(ordinary)
    },
    right: 'ok',
  }
  const base = Math.max(...(await askFor(t, 'ordinary', isOrdinary, { calls, rounds: 5 })).map(({ peak }) => peak))
  for (const [name, answer] of Object.entries(heavyAnswers())) await compare(t, name, answer, base)
})

/** Compares an answer with the memory of ordinary ones, in a process that asks for nothing else. */
async function compare(t: Test, name: string, answer: HeavyAnswer, base: number): Promise<void> {
  const taken = await askFor(t, name, answer, { calls, rounds: 2 })
  const peak = Math.max(...taken.map(round => round.peak))
  t.ok(
    peak <= base + times * calls * maxBytes,
    `${name}: ${mebibytes(peak)} of memory, at most ${mebibytes(base)} + ${times} x ${mebibytes(calls * maxBytes)}`,
  )
  const turnMs = leastTurnMs(taken)
  t.ok(turnMs <= maxTurnMs, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop`)
}
