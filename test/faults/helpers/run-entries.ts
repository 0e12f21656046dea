import { test, type Test } from 'tap'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import type { Entry, Line, Scene } from './entry.ts'
import { runLine, setUp, type SetUp } from './run-line.ts'
import { collected } from '../../helpers/collected.ts'
import { isExact } from '../../helpers/timing.ts'
import { well } from './victim.ts'

/**
 * Runs a letter of the catalogue: its lines several at once, then its scenes; and says how many ran. Where bounds are
 * exact, lines run one after the other.
 */
export function runEntries(letter: string, title: string, entries: readonly Entry[]): void {
  test(`${letter}. ${title}`, { jobs: isExact ? 1 : 8 }, async t => {
    const neighbour = await rawUpstream(t, well)
    const lines = entries.filter((entry): entry is Line => 'upstream' in entry)
    const scenes = entries.filter((entry): entry is Scene => 'play' in entry)
    let ran = 0

    // Where lines run at the same time, their apps exist before the first of them is timed.
    const ready: SetUp[] = []
    if (!isExact) for (const line of lines) ready.push(await setUp(t, line, neighbour.origin))
    await Promise.all(
      lines.map((line, at) =>
        t.test(`${line.no}. ${line.fault}`, { buffered: true }, async t => {
          if (isExact) await runAlone(t, line, neighbour.origin)
          else await runLine(t, ready[at] as SetUp)
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

/** Runs a line with exact bounds, after one run without them, because a process is slow the first time. */
async function runAlone(t: Test, line: Line, neighbour: string): Promise<void> {
  await runLine(t, await setUp(t, line, neighbour), false)
  const timed = await setUp(t, line, neighbour)
  // The garbage of the apps would be collected while the line is timed.
  await collected()
  await runLine(t, timed)
}
