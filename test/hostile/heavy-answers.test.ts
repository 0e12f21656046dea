import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test, type Test } from 'tap'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { costlyAnswers, heavyAnswers, maxBytes, ordinaryAnswer, type HeavyAnswer } from './helpers/heavy-answers.ts'
import type { Round } from './helpers/heavy-client.ts'

const calls = 6

/** Garbage that is not collected yet is counted too. An answer without a bound takes gigabytes. */
const times = 5
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

test(
  'no answer of an upstream takes much more memory than an ordinary one of as many bytes, and none holds the loop',
  { timeout: 180_000 },
  async t => {
    const heavy = heavyAnswers()
    const ordinary = ordinaryAnswer()
    const rounds = await ask(
      t,
      {
        ...heavy,
        ordinary: {
          write: socket => {
            socket.write(ordinary)
          },
          right: 'ok',
        },
      },
      [...Array.from({ length: 5 }, () => 'ordinary'), ...Object.keys(heavy)],
    )
    const base = Math.max(...rounds.filter(({ name }) => name === 'ordinary').map(({ peak }) => peak))
    const bound = base + times * calls * maxBytes
    for (const { name, peak, turnMs } of rounds) {
      if (name === 'ordinary') continue
      t.ok(
        peak <= bound,
        `${name}: ${mebibytes(peak)} of memory, which is not above ${mebibytes(base)} + ${times} x ${mebibytes(calls * maxBytes)}`,
      )
      t.ok(turnMs <= 100, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop`)
    }
  },
)

// They take 30 to 70 ms, and up to twice as much CPU time on a machine that is busy.
test('no answer of values that cost much to parse or to check holds the loop', { timeout: 180_000 }, async t => {
  const costly = costlyAnswers()
  for (const { name, turnMs } of await ask(t, costly, Object.keys(costly)))
    t.ok(turnMs <= 150, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop`)
})

/** Has another process ask for answers, and checks how its calls end. */
async function ask(
  t: Test,
  answers: Readonly<Record<string, HeavyAnswer>>,
  names: readonly string[],
): Promise<readonly Round[]> {
  const upstream = await rawUpstream(t, (socket, { path }) => {
    answers[path.slice(1)]?.write(socket)
  })
  const client = fork(
    new URL('helpers/heavy-client.ts', import.meta.url),
    [upstream.origin, String(maxBytes), String(calls), ...names],
    { execArgv: [] },
  )
  t.teardown(() => client.kill())
  const rounds: Round[] = []
  client.on('message', round => rounds.push(round as Round))
  await once(client, 'exit')
  t.same(
    rounds.map(({ name }) => name),
    names,
  )
  for (const { name, ended } of rounds)
    t.same(
      ended,
      Array.from({ length: calls }, () => answers[name]?.right),
      `${name}: ${answers[name]?.right}`,
    )
  return rounds
}
