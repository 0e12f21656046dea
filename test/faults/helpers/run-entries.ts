import { test } from 'tap'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import type { Entry, Line, Scene } from './entry.ts'
import { runLine, setUp } from './run-line.ts'
import { isExact } from '../../helpers/timing.ts'
import { well } from './victim.ts'

/**
 * Runs a letter of the catalogue: its lines several at once, then its scenes; and says how many ran. Where bounds are
 * exact, lines run one after the other, each once before without its times, since a process is slow the first time.
 */
export function runEntries(letter: string, title: string, entries: readonly Entry[]): void {
  test(`${letter}. ${title}`, { jobs: isExact ? 1 : 8 }, async t => {
    const neighbour = await rawUpstream(t, well)
    const lines = entries.filter((entry): entry is Line => 'upstream' in entry)
    const scenes = entries.filter((entry): entry is Scene => 'play' in entry)
    let ran = 0

    const ready = []
    for (const line of lines)
      ready.push({
        warmUp: isExact ? await setUp(t, line, neighbour.origin) : undefined,
        timed: await setUp(t, line, neighbour.origin),
      })
    await Promise.all(
      ready.map(({ warmUp, timed }) =>
        t.test(`${timed.line.no}. ${timed.line.fault}`, { buffered: true }, async t => {
          if (warmUp !== undefined) await runLine(t, warmUp, false)
          await runLine(t, timed)
          ran++
        }),
      ),
    )
    for (const { no, fault, right, play } of scenes) {
      await t.test(`${no}. ${fault}: ${right}`, async t => {
        await play(t)
        ran++
      })
    }

    t.equal(ran, entries.length, 'each has run to its end')
    t.comment(`${letter}: ${new Set(entries.map(({ no }) => no)).size} entries of the catalogue ran, in ${ran} forms`)
  })
}
