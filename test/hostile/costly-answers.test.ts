import { test } from 'tap'
import { costlyAnswers } from './helpers/heavy-answers.ts'
import { askFor, leastTurnMs } from './helpers/heavy-process.ts'

test('no answer of values that cost much to parse or to check holds the loop', async t => {
  for (const [name, answer] of Object.entries(costlyAnswers())) {
    const turnMs = leastTurnMs(await askFor(t, name, answer, 2))
    t.ok(turnMs <= 100, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop`)
  }
})
