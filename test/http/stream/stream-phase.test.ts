import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import {
  enterStreamPhase,
  StreamPhase,
  streamTransitions,
  type StreamPhaseName,
} from '../../../src/http/stream/stream-phase.ts'

test('docs/design.md has the phases of a stream and their transitions', async t => {
  const page = await readFile(new URL('../../../docs/design.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf('### The phases of a stream')).split('\n## ')[0] as string
  const documented = Array.from(section.matchAll(/^\| `(\w+)` \| [^|]+ \| (.*) \|$/gm), ([, phase, next]) => [
    phase,
    Array.from((next as string).matchAll(/`(\w+)`/g), ([, name]) => name),
  ])
  t.same(documented, Object.entries(streamTransitions))
})

test('a transition of a stream that is not in the table throws', async t => {
  const names = Object.keys(StreamPhase) as StreamPhaseName[]
  for (const from of names)
    for (const to of names) {
      if (streamTransitions[from].includes(to))
        t.equal(enterStreamPhase(StreamPhase[from], StreamPhase[to]), StreamPhase[to])
      else
        t.throws(() => enterStreamPhase(StreamPhase[from], StreamPhase[to]), {
          message: `stream: there is no transition from ${from} to ${to}`,
        })
    }
})
