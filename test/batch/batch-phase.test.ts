import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import {
  BatchPhase,
  batchTransitions,
  CallPhase,
  callTransitions,
  enterBatch,
  enterCall,
} from '../../src/batch/batch-phase.ts'

/** The rows of the table of phases under a heading of docs/design.md. */
async function documented(heading: string) {
  const page = await readFile(new URL('../../docs/design.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf(`### ${heading}\n`) + 4).split('\n##')[0] as string
  return Array.from(section.matchAll(/^\| `(\w+)` \| [^|]+ \| (.*) \|$/gm), ([, phase, next]) => [
    phase,
    Array.from((next as string).matchAll(/`(\w+)`/g), ([, name]) => name),
  ])
}

test('docs/design.md has the phases of a batch and of its calls, and their transitions', async t => {
  t.same(await documented('The phases of a batch'), Object.entries(batchTransitions))
  t.same(await documented('The phases of a call of a batch'), Object.entries(callTransitions))
})

test('a transition of a batch that is not in the table throws', async t => {
  const names = Object.keys(BatchPhase) as (keyof typeof BatchPhase)[]
  for (const from of names)
    for (const to of names)
      if (batchTransitions[from].includes(to)) t.equal(enterBatch(BatchPhase[from], BatchPhase[to]), BatchPhase[to])
      else
        t.throws(() => enterBatch(BatchPhase[from], BatchPhase[to]), {
          message: `batch: there is no transition from ${from} to ${to}`,
        })
})

test('a transition of a call of a batch that is not in the table throws', async t => {
  const names = Object.keys(CallPhase) as (keyof typeof CallPhase)[]
  for (const from of names)
    for (const to of names)
      if (callTransitions[from].includes(to)) t.equal(enterCall(CallPhase[from], CallPhase[to]), CallPhase[to])
      else
        t.throws(() => enterCall(CallPhase[from], CallPhase[to]), {
          message: `call of a batch: there is no transition from ${from} to ${to}`,
        })
})
