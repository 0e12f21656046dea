import { test } from 'tap'
import { costlyAnswers } from './helpers/heavy-answers.ts'
import { askFor, leastTurnMs } from './helpers/heavy-process.ts'

/** The CPU time of parsing a text, in ms: the least of three times, since other processes of the machine add to it. */
function parsingMs(text: string): number {
  const times = [1, 2, 3].map(() => {
    const before = process.threadCpuUsage()
    JSON.parse(text)
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...times)
}

test('no answer of values that cost much to parse or to check holds the loop', async t => {
  for (const [name, answer] of Object.entries(costlyAnswers())) {
    const turnMs = leastTurnMs(await askFor(t, name, answer, { calls: 2, rounds: 3 }))
    // The bound is 100 ms. Where parsing alone takes 33 ms or more, the machine is too busy for it.
    const bound = Math.max(100, 3 * parsingMs(answer.text))
    t.ok(
      turnMs <= bound,
      `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop, of ${bound.toFixed(0)}`,
    )
  }
})
