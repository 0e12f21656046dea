import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test, type Test } from 'tap'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { costlyAnswers, heavyAnswers, maxBytes, ordinaryAnswer, type HeavyAnswer } from './helpers/heavy-answers.ts'
import type { Round } from './helpers/heavy-client.ts'

const calls = 6
const rounds = 3

/** An answer without a bound takes gigabytes. */
const times = 3
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
/** Other processes of the machine add CPU time to a turn and take none away. */
const leastTurnMs = (taken: readonly Round[]) => Math.min(...taken.map(({ turnMs }) => turnMs))

test(
  'no answer of an upstream takes much more memory than an ordinary one of as many bytes, and none holds the loop',
  { timeout: 180_000 },
  async t => {
    const ordinary = ordinaryAnswer()
    const base = await peakOf(t, 'ordinary', {
      write: socket => {
        socket.write(ordinary)
      },
      right: 'ok',
    })
    for (const [name, answer] of Object.entries(heavyAnswers())) {
      const peak = await peakOf(t, name, answer)
      t.ok(
        peak <= base + times * calls * maxBytes,
        `${name}: ${mebibytes(peak)} of memory, at most ${mebibytes(base)} + ${times} x ${mebibytes(calls * maxBytes)}`,
      )
    }
  },
)

test('no answer of values that cost much to parse or to check holds the loop', { timeout: 180_000 }, async t => {
  for (const [name, answer] of Object.entries(costlyAnswers())) {
    const turnMs = leastTurnMs(await ask(t, name, answer))
    t.ok(turnMs <= 100, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop`)
  }
})

/** Returns the most memory of a process that asks for nothing else, in bytes. */
async function peakOf(t: Test, name: string, answer: HeavyAnswer): Promise<number> {
  const taken = await ask(t, name, answer)
  const turnMs = leastTurnMs(taken)
  t.ok(turnMs <= 100 || name === 'ordinary', `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop`)
  return Math.max(...taken.map(({ peak }) => peak))
}

/** Has another process ask for an answer in some rounds of several calls, and checks how its calls end. */
async function ask(t: Test, name: string, answer: HeavyAnswer): Promise<readonly Round[]> {
  const upstream = await rawUpstream(t, socket => {
    answer.write(socket)
  })
  const client = fork(
    new URL('helpers/heavy-client.ts', import.meta.url),
    [upstream.origin, String(maxBytes), String(calls), ...Array.from({ length: rounds }, () => name)],
    { execArgv: [] },
  )
  t.teardown(() => client.kill())
  const taken: Round[] = []
  client.on('message', round => taken.push(round as Round))
  await once(client, 'exit')
  t.equal(taken.length, rounds, `${name}: the process ends after its rounds`)
  for (const { ended } of taken)
    t.same(
      ended,
      Array.from({ length: calls }, () => answer.right),
      `${name}: ${answer.right}`,
    )
  return taken
}
