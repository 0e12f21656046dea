import { test } from 'tap'
import { isExact } from '../helpers/timing.ts'
import { costlyAnswers } from './helpers/heavy-answers.ts'
import { askFor, leastTurnMs, maxTurnMs } from './helpers/heavy-process.ts'

test('no answer of values that cost much to parse or to check holds the loop', async t => {
  for (const [name, answer] of Object.entries(costlyAnswers())) {
    const turnMs = leastTurnMs(await askFor(t, name, answer, { calls: 2, rounds: isExact ? 6 : 3 }))
    t.ok(turnMs <= maxTurnMs, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop, of ${maxTurnMs}`)
  }
})
