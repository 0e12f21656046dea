import { test } from 'tap'
import { costlyAnswers } from './helpers/heavy-answers.ts'
import { askFor, leastTurnMs } from './helpers/heavy-process.ts'

/** The most CPU time of one turn of the loop, in ms. */
const boundMs = 100
/** Copying 90,000 named integers takes 86 to 104 ms, which is one step of zod. */
const exceptions: Readonly<Record<string, number>> = { 'many-names-of-big-integers': 150 }

test('no answer of values that cost much to parse or to check holds the loop', async t => {
  for (const [name, answer] of Object.entries(costlyAnswers())) {
    const turnMs = leastTurnMs(await askFor(t, name, answer, { calls: 2, rounds: 3 }))
    const bound = exceptions[name] ?? boundMs
    t.ok(turnMs <= bound, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop, of ${bound}`)
  }
})
