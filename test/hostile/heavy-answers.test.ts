import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'tap'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { heavyAnswers, maxBytes, ordinaryAnswer } from './helpers/heavy-answers.ts'
import type { Round } from './helpers/heavy-client.ts'

const calls = 6
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

test('no answer of an upstream takes much more memory than an ordinary one of as many bytes, and none holds the loop', { timeout: 180_000 }, async t => {
  const heavy = heavyAnswers()
  const ordinary = ordinaryAnswer()
  const upstream = await rawUpstream(t, (socket, { path }) => {
    const answer = heavy[path.slice(1)]
    if (answer === undefined) socket.write(ordinary)
    else answer.write(socket)
  })
  const names = [...Array.from({ length: 5 }, () => 'ordinary'), ...Object.keys(heavy)]
  const client = fork(new URL('helpers/heavy-client.ts', import.meta.url), [upstream.origin, String(maxBytes), String(calls), ...names], { execArgv: [] })
  t.teardown(() => client.kill())
  const rounds: Round[] = []
  client.on('message', round => rounds.push(round as Round))
  await once(client, 'exit')

  t.same(rounds.map(({ name }) => name), names)
  const base = Math.max(...rounds.filter(({ name }) => name === 'ordinary').map(({ peak }) => peak))
  const bound = base + 3 * calls * maxBytes
  for (const { name, ended, peak, turnMs } of rounds) {
    const right = heavy[name]?.right ?? 'ok'
    t.same(ended, Array.from({ length: calls }, () => right), `${name}: ${right}`)
    if (name === 'ordinary') continue
    t.ok(peak <= bound, `${name}: ${mebibytes(peak)} of memory, which is not above ${mebibytes(base)} + 3 x ${mebibytes(calls * maxBytes)}`)
    t.ok(turnMs <= 100, `${name}: ${turnMs.toFixed(0)} ms of CPU time in one turn of the loop`)
  }
})
